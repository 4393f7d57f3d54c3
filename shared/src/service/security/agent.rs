//! What a user agent gives away. A short list, matched by words in it: it catches the careless, and the rest is told
//! by what they do.

/// Words of programs that make requests.
const SCRIPTS: [&str; 20] = [
    "aiohttp",
    "apache-httpclient",
    "axios",
    "curl/",
    "go-http-client",
    "guzzlehttp",
    "headlesschrome",
    "httpx/",
    "insomnia",
    "java/",
    "libwww-perl",
    "node-fetch",
    "okhttp",
    "phantomjs",
    "playwright",
    "postmanruntime",
    "puppeteer",
    "python-",
    "undici",
    "wget/",
];

/// Words of bots, most of which say so.
const BOTS: [&str; 8] = [
    "bot",
    "crawler",
    "scraper",
    "scrapy",
    "slurp",
    "spider",
    "facebookexternalhit",
    "ia_archiver",
];

/// Browsers, each before those whose name it also bears.
const BROWSERS: [(&str, &str); 5] = [
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("firefox/", "Firefox"),
    ("chrome/", "Chrome"),
    ("safari/", "Safari"),
];

/// Systems, likewise.
const SYSTEMS: [(&str, &str); 6] = [
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("android", "Android"),
    ("windows", "Windows"),
    ("mac os", "macOS"),
    ("linux", "Linux"),
];

/// What speaks against the user agent, if anything does.
pub(super) fn suspicion(agent: &str) -> Option<&'static str> {
    let agent = agent.trim().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| agent.contains(word));
    if agent.is_empty() {
        Some("user-agent-empty")
    } else if has(&SCRIPTS) {
        Some("user-agent-scripted")
    } else if has(&BOTS) {
        Some("user-agent-bot")
    } else {
        None
    }
}

/// The device in words, for its owner: `Firefox on Linux`. None if it says neither.
pub(super) fn device(agent: &str) -> Option<String> {
    let agent = agent.to_ascii_lowercase();
    let named = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(word, _)| agent.contains(word));
        found.map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (Some(name), None) | (None, Some(name)) => Some(name.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{device, suspicion};

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

    #[test]
    fn a_browser_is_not_suspected_and_a_program_is() {
        let edge =
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/128.0 Safari/537.36 Edg/128.0";
        assert_eq!((suspicion(FIREFOX), suspicion(edge)), (None, None));
        assert_eq!(suspicion("  "), Some("user-agent-empty"));
        assert_eq!(suspicion("curl/8.5.0"), Some("user-agent-scripted"));
        let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        assert_eq!(suspicion(google), Some("user-agent-bot"));
    }

    #[test]
    fn a_device_is_named_as_its_owner_would() {
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1";
        assert_eq!(device(FIREFOX).unwrap(), "Firefox on Linux");
        assert_eq!(device(phone).unwrap(), "Safari on iPhone");
        assert_eq!(device("curl/8.5.0"), None);
    }
}
