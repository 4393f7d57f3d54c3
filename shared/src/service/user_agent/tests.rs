//! Tests of the distinctions that the parser makes; the corpus of real user agents is in the suite.

use proptest::prelude::*;

use super::{Form, UserAgent};

const WEBKIT: &str = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const BLINK: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";

fn read(agent: &str) -> (Form, String, &'static str) {
    let read = UserAgent::parse(agent);
    let browser = read.browser.map_or_else(String::new, |browser| {
        format!("{} {}", browser.name, browser.version.unwrap_or("-"))
    });
    (read.form, browser, read.system.unwrap_or_default())
}

#[test]
fn ios_browser_has_its_own_name_and_version() {
    for (products, browser) in [
        (
            "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
            "Chrome 131",
        ),
        ("FxiOS/132.0 Mobile/15E148 Safari/605.1.15", "Firefox 132"),
        (
            "EdgiOS/131.0.2903.68 Version/18.0 Mobile/15E148 Safari/604.1",
            "Edge 131",
        ),
        (
            "Version/18.1 Mobile/15E148 Safari/604.1 OPT/5.3.2",
            "Opera 5",
        ),
        (
            "Version/18.1 Mobile/15E148 Safari/604.1 Ddg/18.1",
            "DuckDuckGo 18",
        ),
        (
            "GSA/344.1.700000000 Mobile/15E148 Safari/604.1",
            "Google app 344",
        ),
        ("Version/18.1 Mobile/15E148 Safari/604.1", "Safari 18"),
        (
            "Version/17.0 YaBrowser/24.10.5.557.10 Mobile/15E148 Safari/604.1",
            "Yandex Browser 24",
        ),
    ] {
        let agent =
            format!("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT} {products}");
        assert_eq!(
            read(&agent),
            (Form::Mobile, browser.to_owned(), "iOS"),
            "{agent}"
        );
    }
}

#[test]
fn phone_with_a_bot_in_its_model_is_a_phone() {
    for model in [
        "CUBOT X18 Plus Build/O11019",
        "CUBOT_NOTE_S",
        "Robot R1 Build/NRD90M",
        "ROBOT; wv",
        "Spider S3 Build/X",
    ] {
        let agent = format!(
            "Mozilla/5.0 (Linux; Android 9; {model}) {BLINK} Chrome/131.0.0.0 Mobile Safari/537.36"
        );
        assert_eq!(
            read(&agent),
            (Form::Mobile, "Chrome 131".to_owned(), "Android"),
            "{agent}"
        );
    }
}

#[test]
fn bot_with_a_phone_user_agent_is_a_bot() {
    for agent in [
        format!(
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {BLINK} Chrome/131.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
        ),
        format!(
            "Mozilla/5.0 (Linux; Android 7.0;) {BLINK} Mobile Safari/537.36 (compatible; PetalBot;)"
        ),
        "Mozilla/5.0 (Linux; Android 6.0; X; compatible; Adsbot/3.1)".to_owned(),
        format!(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 8_3 like Mac OS X) {WEBKIT} Version/8.0 Mobile/12F70 Safari/600.1.4 (compatible; Googlebot/2.1)"
        ),
    ] {
        assert_eq!(UserAgent::parse(&agent).form, Form::Bot, "{agent}");
    }
}

#[test]
fn script_is_distinguished_from_a_browser() {
    for (agent, form) in [
        ("curl/8.5.0", Form::Script),
        ("python-requests/2.32.3", Form::Script),
        ("Java/17.0.1", Form::Script),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
            Form::Script,
        ),
        ("facebookexternalhit/1.1", Form::Bot),
        (
            "Nokia6300/2.0 (05.00) Profile/MIDP-2.0 Java/HWJa/1.0",
            Form::Unknown,
        ),
        ("", Form::Unknown),
    ] {
        assert_eq!(UserAgent::parse(agent).form, form, "{agent}");
        assert_eq!(UserAgent::parse(agent).browser, None, "{agent}");
    }
}

#[test]
fn device_is_described_by_browser_and_system() {
    for (agent, name) in [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
            Some("Firefox on Linux"),
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1",
            Some("Safari on iPhone"),
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
            Some("Chrome on Chromebook"),
        ),
        ("curl/8.5.0", None),
    ] {
        assert_eq!(
            UserAgent::parse(agent).describe().as_deref(),
            name,
            "{agent}"
        );
    }
}

#[test]
fn old_browser_version_is_found() {
    for (agent, browser) in [
        (
            "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
            "Internet Explorer 11",
        ),
        (
            "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2)",
            "Internet Explorer 10",
        ),
        (
            "Opera/9.80 (Windows NT 6.1) Presto/2.12 Version/12.16",
            "Opera 12",
        ),
        (
            "Opera/9.80 (Android; Opera Mini/62.0/191.282; U; en) Presto/2.12 Version/12.16",
            "Opera Mini 62",
        ),
    ] {
        assert_eq!(read(agent).1, browser, "{agent}");
    }
}

proptest! {
    #[test]
    fn arbitrary_user_agent_does_not_panic(agent in "[\\PC()\\[\\];/]{0,200}") {
        let _ = UserAgent::parse(&agent).describe();
    }
}
