//! Unsubscribing by the link of a mail, through the real function: GET changes nothing, POST does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use local::postgres::run_script;
use reqwest::RequestBuilder;
use serde_json::Value;
use sha2::Sha256;
use shared::base::secret::Secret;
use shared::protocol::mail::{EmailAddress, Provider};
use shared::protocol::postgres::Postgres;
use shared::service::mail::ledger::{Begun, Entry, Identity, MailLedger};
use shared::service::mail::unsubscribe::Tokens;

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::proxy::Proxy;

const FORM: &str = "application/x-www-form-urlencoded";
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// Writes the ledger's row of a mail, and returns the path of the mail's link.
async fn mailed(cloud: &TestCloud, to: &str) -> String {
    let recipient = EmailAddress::parse(to).unwrap();
    let entry = entry(&recipient, "first");
    let database = Postgres::at(cloud.database_url(), None).unwrap();
    let begun = MailLedger::new(database).begin(&entry, Provider::Ses).await;
    assert!(matches!(begun, Ok(Begun::Send(_))), "{begun:?}");
    path(cloud, "TICKET_SECRET", &entry.key(), &recipient)
}

/// Returns a reminder that the suite itself sends.
fn entry<'a>(recipient: &'a EmailAddress, job_id: &'a str) -> Entry<'a> {
    Entry {
        kind: "reminder",
        recipient,
        job_id,
        identity: Identity::default(),
        optional: true,
        supersedes: None,
        acting_user: "",
    }
}

/// Returns the path of a mail's link, signed with this variable's secret.
fn path(cloud: &TestCloud, secret: &str, key: &str, to: &EmailAddress) -> String {
    let secret = Secret::new(cloud.variable(secret).to_owned());
    let tokens = Tokens::new(vec![secret], cloud.functions_url());
    let link = tokens.link(key, to).unwrap();
    link.strip_prefix(cloud.functions_url()).unwrap().to_owned()
}

/// Returns the path of a link in the former form, without a recipient: the key and half a MAC.
fn former(cloud: &TestCloud, key: &str) -> String {
    let secret = cloud.variable("TICKET_SECRET").as_bytes();
    let key: Vec<u8> = (0..key.len())
        .step_by(2)
        .map(|place| u8::from_str_radix(&key[place..place + 2], 16).unwrap())
        .collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(b"unsubscribe");
    mac.update(&key);
    let token = [key.as_slice(), &mac.finalize().into_bytes()[..16]].concat();
    format!("/api/unsubscribe?token={}", URL_SAFE_NO_PAD.encode(token))
}

/// Returns the suppression reasons of an address, in order.
async fn reasons(cloud: &TestCloud, email: &str) -> Vec<String> {
    let list = cloud.get(&format!("/api/suppressions?email={email}")).await;
    let items = list.body["items"].as_array().unwrap().iter();
    let mut reasons: Vec<String> = items
        .map(|item| item["reason"].as_str().unwrap().to_owned())
        .collect();
    reasons.sort();
    reasons
}

fn form(cloud: &TestCloud, path: &str, body: &'static str) -> RequestBuilder {
    cloud
        .bare(Method::POST, path)
        .header("content-type", FORM)
        .body(body)
}

async fn get(cloud: &TestCloud, path: &str) -> Answer {
    answer(cloud.bare(Method::GET, path)).await
}

/// Asserts that this is our page with headers against caching, indexing, frames and scripts, and returns its HTML.
#[track_caller]
fn page(answer: &Answer, status: u16) -> &str {
    assert_eq!(answer.status, status, "{answer:?}");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex, nofollow"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
    answer.body.as_str().unwrap()
}

#[tokio::test]
async fn repeated_page_views_by_a_scanner_change_nothing() {
    let cloud = TestCloud::start().await;
    let link = mailed(&cloud, "ann@example.com").await;
    for _ in 0..3 {
        let seen = get(&cloud, &link).await;
        let html = page(&seen, 200);
        assert!(html.contains("a***@example.com"), "{html}");
        assert!(!html.contains("ann@"), "{html}");
        assert!(html.contains("<form method=\"post\">"), "{html}");
        let head = cloud.bare(Method::HEAD, &link).send().await.unwrap();
        assert!(head.bytes().await.unwrap().is_empty());
        get(&cloud, &format!("{link}&action=undo&{ONE_CLICK}")).await;
    }
    assert_eq!(reasons(&cloud, "ann@example.com").await, [""; 0]);
}

#[tokio::test]
async fn mail_client_unsubscribes_with_one_click_without_cookies() {
    let cloud = TestCloud::start().await;
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for (n, (kind, body)) in [
        (FORM, ONE_CLICK),
        ("multipart/form-data; boundary=b", multipart),
        (FORM, "action=leave"),
        ("text/plain", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("ann-{n}@example.com");
        let link = mailed(&cloud, &to).await;
        for _ in 0..2 {
            let request = cloud.bare(Method::POST, &link);
            let done = answer(request.header("content-type", kind).body(body)).await;
            assert!(
                page(&done, 200).contains("You are unsubscribed"),
                "{done:?}"
            );
            assert_eq!(reasons(&cloud, &to).await, ["unsubscribed"], "{kind}");
        }
        let seen = get(&cloud, &link).await;
        assert!(
            page(&seen, 200).contains("You are unsubscribed"),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn unsubscribed_recipient_gets_no_optional_mail_and_may_resubscribe() {
    let cloud = TestCloud::start().await;
    let link = mailed(&cloud, "ann@example.com").await;
    let ledger = MailLedger::new(Postgres::at(cloud.database_url(), None).unwrap());
    let ann = EmailAddress::parse("Ann@example.com").unwrap();
    answer(form(&cloud, &link, ONE_CLICK)).await;
    let entry = entry(&ann, "second");
    let begun = ledger.begin(&entry, Provider::Ses).await.unwrap();
    assert!(matches!(begun, Begun::Suppressed { .. }), "{begun:?}");

    let bounced = serde_json::json!({ "email": "ann@example.com", "reason": "bounced" });
    let listed = cloud.request(Method::PUT, "/api/suppressions");
    assert_eq!(answer(with_json(listed, &bounced)).await.status, 200);
    for _ in 0..2 {
        let back = answer(form(&cloud, &link, "action=undo")).await;
        assert!(page(&back, 200).contains("subscribed again"), "{back:?}");
        let left = reasons(&cloud, "ann@example.com").await;
        assert_eq!(left, ["bounced"], "only the own choice is undone");
    }
}

/// Asserts that a link has no effect.
async fn assert_refused(cloud: &TestCloud, link: &str, status: u16) {
    for refused in [
        get(cloud, link).await,
        answer(form(cloud, link, ONE_CLICK)).await,
        answer(form(cloud, link, "action=undo")).await,
    ] {
        let html = page(&refused, status);
        assert!(!html.contains("<form"), "{link}: {html}");
        assert!(!html.contains("***"), "{link}: {html}");
    }
}

#[tokio::test]
async fn forged_cut_or_transplanted_token_is_refused() {
    let cloud = TestCloud::start().await;
    let ann = mailed(&cloud, "ann@example.com").await;
    let bob = mailed(&cloud, "bob@example.com").await;
    let (base, token) = ann.split_once("token=").unwrap();
    let (_, other) = bob.split_once("token=").unwrap();
    let key_part = 40; // characters that hold the key's bytes and none of the signature's
    let mut links = vec![
        base.to_owned(),
        base.trim_end_matches('?').to_owned(),
        format!("{base}token="),
        format!("{base}token={}{}", &other[..key_part], &token[key_part..]),
        format!("{base}token={token}&token={other}"),
        format!("{base}token={token}%00"),
        format!("{base}token={token}%3D"),
        format!("{base}token={token}{token}"),
        format!("{base}token={}", "A".repeat(4000)),
        format!("{base}token=%ff%fe"),
        format!("{base}Token={token}"),
    ];
    links.extend(
        (1..token.len())
            .step_by(7)
            .map(|end| format!("{base}token={}", &token[..end])),
    );
    let foreign = Tokens::new(vec![Secret::new("other".to_owned())], cloud.functions_url());
    let to = EmailAddress::parse("ann@example.com").unwrap();
    let foreign = foreign.link(&"0".repeat(64), &to).unwrap();
    links.push(
        foreign
            .strip_prefix(cloud.functions_url())
            .unwrap()
            .to_owned(),
    );
    for link in &links {
        assert_refused(&cloud, link, 400).await;
    }
    for to in ["ann@example.com", "bob@example.com"] {
        assert_eq!(reasons(&cloud, to).await, [""; 0]);
    }

    let unknown = former(&cloud, &"0".repeat(64));
    assert_refused(&cloud, &unknown, 404).await;
    answer(form(&cloud, &ann, ONE_CLICK)).await;
    assert_eq!(reasons(&cloud, "ann@example.com").await, ["unsubscribed"]);
    assert_eq!(reasons(&cloud, "bob@example.com").await, [""; 0]);
}

#[tokio::test]
async fn links_of_both_secrets_work_and_an_oversized_form_is_refused() {
    let cloud = TestCloud::start().await;
    let link = mailed(&cloud, "ann@example.com").await;
    let big: &'static str = "x".repeat(17 * 1024).leak();
    let refused = answer(form(&cloud, &link, big)).await;
    page(&refused, 413);
    assert_eq!(reasons(&cloud, "ann@example.com").await, [""; 0]);

    let recipient = EmailAddress::parse("ann@example.com").unwrap();
    let key = entry(&recipient, "first").key();
    let next = path(&cloud, "TICKET_SECRET_NEXT", &key, &recipient);
    assert_ne!(next, link);
    let done = answer(form(&cloud, &next, ONE_CLICK)).await;
    page(&done, 200);
    assert_eq!(reasons(&cloud, "ann@example.com").await, ["unsubscribed"]);
}

#[tokio::test]
async fn link_of_a_mail_known_only_from_a_later_one_unsubscribes_no_address() {
    let cloud = TestCloud::start().await;
    mailed(&cloud, "ann@example.com").await;
    let recipient = EmailAddress::parse("ann@example.com").unwrap();
    let link = former(&cloud, &entry(&recipient, "first").key());
    page(&get(&cloud, &link).await, 200);
    let forget = "update signtusk.email_ledger set recipient = null, state = 'superseded'";
    let owner = cloud.migrations_database_url();
    run_script(owner, forget).await.unwrap();
    assert_refused(&cloud, &link, 404).await;
    let all = cloud.get("/api/suppressions").await;
    assert_eq!(all.body["items"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn page_without_the_database_is_503_and_the_token_is_not_logged() {
    let nowhere = Proxy::start("127.0.0.1:9".parse().unwrap()).await;
    let cloud = TestCloud::start_with(|settings| {
        let local::cloud::Database::Made(database) = &settings.database else {
            panic!("a test has a database of its own");
        };
        let led = nowhere.lead(&database.functions_url);
        settings.overrides.insert("DATABASE_URL".to_owned(), led);
    })
    .await;
    let link = former(&cloud, &"1".repeat(64));
    for failed in [
        get(&cloud, &link).await,
        answer(form(&cloud, &link, ONE_CLICK)).await,
    ] {
        page(&failed, 503);
        assert!(failed.headers.contains_key("retry-after"), "{failed:?}");
    }
    let token = link.split_once("token=").unwrap().1;
    assert!(!cloud.logs().contains(token), "a log holds a token");
}
