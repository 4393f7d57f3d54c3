//! User agents of real browsers and programs, parsed by our parser and by uap-core's rules: see `tests/sdk/agents/`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use shared::service::user_agent::{Form, UserAgent};

/// The number of browsers' agents in the corpus; a quarter as many bots' agents are added.
const AGENTS: usize = 500;

/// The names of our known browsers in uap-core, and ours. If an agent names an app or a browser besides the engine that
/// uap-core reports, our name is the more exact one.
const BROWSERS: [(&str, &[&str]); 24] = [
    ("Chrome", &["Chrome", "Brave", "Vivaldi"]),
    ("Chrome Mobile", &["Chrome", "Brave"]),
    ("Chrome Mobile iOS", &["Chrome"]),
    ("Chrome Mobile WebView", &["Chrome"]),
    ("DuckDuckGo Mobile", &["DuckDuckGo"]),
    ("Edge", &["Edge"]),
    ("Edge Mobile", &["Edge"]),
    ("Facebook", &["Facebook"]),
    ("Firefox", &["Firefox"]),
    ("Firefox Mobile", &["Firefox"]),
    ("Firefox iOS", &["Firefox"]),
    ("Google", &["Google app"]),
    ("Instagram", &["Instagram"]),
    ("Mobile Safari", &["Safari", "Brave", "DuckDuckGo", "Opera"]),
    ("Mobile Safari UI/WKWebView", &["", "Firefox"]),
    ("Opera", &["Opera"]),
    ("Opera Mobile", &["Opera"]),
    // By one of its words; it is Chromium.
    ("Phantom", &["Chrome"]),
    ("Pinterest", &["Pinterest"]),
    ("Safari", &["Safari", "DuckDuckGo"]),
    ("Samsung Internet", &["Samsung Internet"]),
    ("Snapchat", &["Snapchat"]),
    ("Vivaldi", &["Vivaldi"]),
    ("Yandex Browser", &["Yandex Browser"]),
];

/// The same for operating systems.
const SYSTEMS: [(&str, &[&str]); 8] = [
    ("Android", &["Android"]),
    ("Chrome OS", &["ChromeOS"]),
    ("Fedora", &["Linux"]),
    ("Linux", &["Linux"]),
    ("Mac OS X", &["macOS"]),
    ("Ubuntu", &["Linux"]),
    ("Windows", &["Windows"]),
    ("iOS", &["iOS", "iPadOS"]),
];

/// Returns the corpus: each agent with uap-core's result.
fn corpus() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/agents");
    assert!(
        folder.join("node_modules").is_dir(),
        "run `npm --prefix tests/sdk/agents ci`, or `make test`, which does"
    );
    let printed = Command::new("node")
        .args(["corpus.mjs", &AGENTS.to_string()])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let text = String::from_utf8(printed.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn names(table: &[(&str, &'static [&'static str])], theirs: &Value) -> &'static [&'static str] {
    let found = table.iter().find(|(name, _)| theirs == name);
    found.map_or(&[], |(_, ours)| *ours)
}

#[test]
fn real_agents_are_parsed_like_uap_core() {
    let corpus = corpus();
    let mut wrong = Vec::new();
    let people = corpus.iter().filter(|it| it["kind"] != "program");
    for known in people.clone() {
        let agent = known["agent"].as_str().unwrap();
        let read = UserAgent::parse(agent);
        let form = match known["kind"].as_str().unwrap() {
            "mobile" => Form::Mobile,
            "tablet" => Form::Tablet,
            _ => Form::Desktop,
        };
        let browser = read.browser.map_or("", |browser| browser.name);
        let version = read.browser.and_then(|browser| browser.version);
        let is_same_browser = names(&BROWSERS, &known["family"]).contains(&browser);
        // A name of our own has its own version.
        let is_theirs = known["family"].as_str().unwrap().contains(browser);
        let is_same_version =
            !is_theirs || version.is_none_or(|version| known["version"] == version);
        let is_same_system =
            names(&SYSTEMS, &known["system"]).contains(&read.system.unwrap_or_default());
        if read.form != form || !is_same_browser || !is_same_version || !is_same_system {
            wrong.push(format!("{known}\n  as {read:?}"));
        }
    }
    assert!(people.count() >= AGENTS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn real_bots_are_recognised_and_have_no_browser() {
    let corpus = corpus();
    let programs: Vec<&str> = corpus
        .iter()
        .filter(|it| it["kind"] == "program")
        .map(|it| it["agent"].as_str().unwrap())
        .collect();
    assert!(programs.len() >= AGENTS / 4);
    let known = |agent: &&&str| {
        let read = UserAgent::parse(agent);
        matches!(read.form, Form::Bot | Form::Script) && read.browser.is_none()
    };
    let known = programs.iter().filter(known).count();
    // Some contain only a name that is unique.
    assert!(
        known * 100 >= programs.len() * 75,
        "{known} of {}",
        programs.len()
    );
}
