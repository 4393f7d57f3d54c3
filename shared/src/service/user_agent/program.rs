//! Programs: scripts, and bots that identify themselves.

use super::Form;
use super::products::Products;

/// Products of programs and libraries that make requests, in lower case.
const SCRIPTS: [&str; 42] = [
    "aiohttp",
    "apache-httpclient",
    "axios",
    "curl",
    "dart",
    "deno",
    "faraday",
    "fasthttp",
    "go-http-client",
    "got",
    "guzzlehttp",
    "headlesschrome",
    "headlessedg",
    "httpie",
    "httpx",
    "insomnia",
    "libcurl",
    "libwww-perl",
    "lwp-request",
    "node",
    "node-fetch",
    "node-superagent",
    "node.js",
    "okhttp",
    "perl",
    "phantomjs",
    "php",
    "playwright",
    "postmanruntime",
    "puppeteer",
    "python",
    "reqwest",
    "resty",
    "ruby",
    "selenium",
    "superagent",
    "undici",
    "urllib",
    "urlgrabber",
    "wget",
    "winhttp",
    "zgrab",
];

/// The endings of bot names, in lower case.
const BOT_ENDINGS: [&str; 6] = ["bot", "bots", "crawler", "spider", "scraper", "fetcher"];

/// Words that only bots contain, in lower case.
const BOT_WORDS: [&str; 23] = [
    "archiver",
    "bingpreview",
    "checker",
    "crawl",
    "crawling",
    "externalhit",
    "facebookexternalhit",
    "feedfetcher",
    "heritrix",
    "indexer",
    "inspectiontool",
    "lighthouse",
    "nutch",
    "pingdomtms",
    "preview",
    "ptst",
    "scan",
    "scanner",
    "scrapy",
    "slurp",
    "statuscake",
    "validator",
    "webcrawler",
];

/// Makers and apps whose names end like those of bots, in lower case.
const NO_BOTS: [&str; 2] = ["cubot", "abbot"];

/// Returns the kind of program that a user agent names, if it names one.
pub(super) fn of(products: &Products<'_>, agent: &str) -> Option<Form> {
    if is_bot(products, agent) {
        return Some(Form::Bot);
    }
    let is_script = products.names().any(|name| {
        let name = name.to_ascii_lowercase();
        SCRIPTS.contains(&name.as_str()) || name.starts_with("python-")
    });
    // Old phones name their Java as well, but not first.
    let is_java = || products.names().next() == Some("Java");
    (is_script || is_java()).then_some(Form::Script)
}

/// Returns whether it is a bot, which names itself or has a contact address. The name of a phone model does not count.
fn is_bot(products: &Products<'_>, agent: &str) -> bool {
    let own = || {
        let comments = products.comments();
        comments.flat_map(|comment| &comment[..comment.len() - model(comment)])
    };
    let leaves_address = |text: &&str| text.contains("http://") || text.contains("https://");
    agent.contains("+http")
        || own().any(leaves_address)
        || products.names().chain(own().copied()).any(names_a_bot)
}

/// Returns how many parts at a comment's end name an Android device: those after its system.
fn model(comment: &[&str]) -> usize {
    let system = comment.iter().position(|part| part.starts_with("Android"));
    let is_disguised = comment.contains(&"compatible");
    match system {
        Some(system) if !is_disguised => comment.len() - system - 1,
        _ => 0,
    }
}

fn names_a_bot(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| {
        let word = word.to_ascii_lowercase();
        let ends = || BOT_ENDINGS.iter().any(|ending| word.ends_with(ending));
        !NO_BOTS.contains(&word.as_str()) && (BOT_WORDS.contains(&word.as_str()) || ends())
    })
}
