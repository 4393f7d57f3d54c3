//! Tests of the mails: comparison with reviewed golden files, and hostile text in every field.

use serde_json::{Value, json};
use shared::protocol::mail::{Mail, Mailbox};
use shared::service::mail::branding::Brand;
use shared::service::mail::payload::{Email, HttpUrl};

use super::{Terms, Writer};

const UNSUBSCRIBE: &str = "https://functions.example.com/api/unsubscribe?token=abc";

fn writer() -> Writer {
    Writer {
        from: Mailbox::parse("SignTusk <no-reply@example.com>").unwrap(),
        app: HttpUrl::parse("https://app.example.com").unwrap(),
    }
}

fn written_for(payload: &Value, brand: &Brand) -> Mail {
    let writer = writer();
    let email = Email::parse(payload).unwrap();
    let terms = Terms {
        brand,
        unsubscribe: email.is_optional().then_some(UNSUBSCRIBE),
    };
    if let Email::Bulk(bulk) = &email {
        let invitation = bulk.invitation(&bulk.emails[0], writer.app());
        return writer
            .mail(&invitation.envelope, &invitation, terms)
            .unwrap();
    }
    writer.write(&email, terms).unwrap().unwrap()
}

fn written(payload: &Value) -> Mail {
    written_for(payload, &Brand::default())
}

fn single(kind: &str, text: &str) -> Value {
    json!({
        "type": kind, "to": "ann@example.com", "signerName": text, "documentTitle": text, "senderName": text,
        "message": text, "signatureUrl": "https://app.example.com/sign/1?a=1&b=2", "reminderCount": 2,
        "dueDate": "2026-12-01",
    })
}

/// Defect 14: titles, names, messages and links were included in mails unescaped.
#[test]
fn user_text_is_escaped_everywhere() {
    let hostile = "<script>alert('1')</script>\" onload=\"x &amp;";
    let bulk = json!({
        "type": "bulk", "documentTitle": hostile, "senderName": hostile, "message": hostile,
        "documentId": "\"><script>", "emails": [{"name": hostile, "email": "ann@example.com"}],
    });
    for payload in [
        single("signature-request", hostile),
        single("reminder", hostile),
        bulk,
    ] {
        let mail = written(&payload);
        assert!(!mail.html.contains("<script"), "{}", mail.html);
        assert!(!mail.html.contains("\" onload"), "{}", mail.html);
        assert!(mail.html.contains("&#38;amp;"), "{}", mail.html);
        assert!(mail.text.contains(hostile), "{}", mail.text);
        assert!(mail.subject.contains(hostile));
    }
}

#[test]
fn every_field_is_in_both_html_and_text() {
    for kind in ["signature-request", "reminder"] {
        let mail = written(&single(kind, "Zoë"));
        for part in [&mail.html, &mail.text] {
            assert!(
                part.replace("<bdi>", "")
                    .replace("</bdi>", "")
                    .contains("Hello Zoë,"),
                "{part}"
            );
            assert!(part.contains("1 December 2026"), "{part}");
            assert!(
                part.contains("https://app.example.com/sign/1?a=1"),
                "{part}"
            );
            assert_eq!(
                part.contains("This is reminder 2."),
                kind == "reminder",
                "{part}"
            );
        }
        assert!(mail.text.contains("sign/1?a=1&b=2"), "{}", mail.text);
        assert!(
            mail.html
                .contains("href=\"https://app.example.com/sign/1?a=1&#38;b=2\"")
        );
    }
}

#[test]
fn absent_fields_leave_no_trace() {
    for kind in ["signature-request", "reminder"] {
        let mail = written(&json!({
            "type": kind, "to": "ann@example.com", "signerName": "Ann", "documentTitle": "Lease",
            "senderName": "Bob", "signatureUrl": "https://app.example.com/sign/1",
        }));
        for part in [&mail.html, &mail.text] {
            for trace in [
                "undefined",
                "None",
                "Some(",
                "null",
                "Please sign by",
                "blockquote",
                "reminder 0",
            ] {
                assert!(!part.contains(trace), "{trace} in {part}");
            }
        }
        assert!(!mail.text.contains("\n\n\n"), "{}", mail.text);
    }
}

#[test]
fn message_keeps_its_line_breaks() {
    let mut payload = single("signature-request", "Ann");
    payload["message"] = json!("First <b>\nsecond");
    let mail = written(&payload);
    assert!(
        mail.html.contains("First &#60;b&#62;<br>second"),
        "{}",
        mail.html
    );
    assert!(
        mail.text.contains("> First <b>\n> second\n"),
        "{}",
        mail.text
    );
}

#[test]
fn bulk_mail_links_each_signer_to_a_personal_page() {
    let mail = written(&json!({
        "type": "bulk", "documentId": "d-1", "emails": [{"name": "Ann", "email": "ann+x@example.com"}],
    }));
    assert_eq!(mail.subject, "Signature Request: Document");
    assert!(
        mail.text
            .contains("https://app.example.com/sign/d-1?signer=ann%2Bx%40example.com\n")
    );
}

#[test]
fn long_name_or_title_keeps_the_subject_on_one_line() {
    let mail = written(&single("reminder", &"W".repeat(200)));
    assert!(mail.is_one_line_per_header());
    let mut payload = single("reminder", "Ann");
    payload["documentTitle"] = json!("é".repeat(300));
    assert!(written(&payload).html.contains(&"é".repeat(300)));
}

/// The sample payloads: one of each type, beside the expected mail.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

fn samples() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(GOLDEN)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut samples: Vec<(String, Value)> = files
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                name,
                serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
            )
        })
        .collect();
    samples.sort_by(|one, other| one.0.cmp(&other.0));
    samples
}

/// Returns the headers of a mail.
fn head(mail: &Mail) -> String {
    let mut lines = vec![
        ("From", mail.from.to_string()),
        ("To", mail.to.as_str().to_owned()),
    ];
    let reply_to = mail.reply_to.as_ref().map(|it| it.as_str().to_owned());
    lines.extend(reply_to.map(|address| ("Reply-To", address)));
    lines.push(("Subject", mail.subject.clone()));
    lines.extend(mail.headers.clone());
    let lines = lines
        .into_iter()
        .map(|(name, value)| [name, ": ", &value, "\n"].concat());
    lines.collect()
}

#[test]
fn every_type_has_a_sample_and_matches_its_golden_file() {
    let samples = samples();
    let names: Vec<&str> = samples.iter().map(|(name, _)| name.as_str()).collect();
    let mut types = shared::service::mail::payload::TYPES.to_vec();
    types.sort_unstable();
    assert_eq!(names, types);
    for (name, payload) in &samples {
        let mail = written(payload);
        for (end, now) in [
            ("html", &mail.html),
            ("txt", &mail.text),
            ("head", &head(&mail)),
        ] {
            let file = format!("{GOLDEN}/{name}.{end}");
            if shared::base::env::optional("UPDATE_GOLDEN").is_some() {
                std::fs::write(&file, now).unwrap();
            }
            let approved = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(
                *now == approved,
                "{name}.{end} is another now: if it is meant, UPDATE_GOLDEN=1"
            );
        }
    }
}

#[test]
fn hostile_text_is_escaped_in_every_member_of_every_type() {
    let hostile = "</title><script>alert('1')</script>\" onload=\"x";
    for (name, payload) in samples() {
        let mut hostile_payload = payload.clone();
        for (member, value) in hostile_payload.as_object_mut().unwrap() {
            let was = value.clone();
            let mut one = payload.clone();
            one[member] = json!(hostile);
            *value = if Email::parse(&one).is_ok() {
                json!(hostile)
            } else {
                was
            };
        }
        let mail = written(&hostile_payload);
        assert!(!mail.html.contains("<script"), "{name}: {}", mail.html);
        assert!(!mail.html.contains("\" onload"), "{name}: {}", mail.html);
        assert!(mail.is_one_line_per_header(), "{name}");
    }
}

#[test]
fn title_of_300_characters_is_complete_in_every_type() {
    for (name, mut payload) in samples() {
        if payload.get("documentTitle").is_none() {
            continue;
        }
        payload["documentTitle"] = json!("é".repeat(300));
        let mail = written(&payload);
        assert!(mail.is_one_line_per_header(), "{name}");
        assert!(mail.html.contains(&"é".repeat(300)), "{name}");
        assert!(mail.text.contains(&"é".repeat(300)), "{name}");
    }
}

#[test]
fn only_optional_mails_have_an_unsubscribe_link() {
    for (name, payload) in samples() {
        let mail = written(&payload);
        let optional = ["bulk", "expiry-warning", "reminder"].contains(&name.as_str());
        let header = |wanted: &str| {
            let mut found = mail.headers.iter().filter(|(name, _)| *name == wanted);
            found.next().map(|(_, value)| value.as_str())
        };
        let link = format!("<{UNSUBSCRIBE}>");
        assert_eq!(
            header("List-Unsubscribe"),
            optional.then_some(link.as_str()),
            "{name}"
        );
        let one_click = optional.then_some("List-Unsubscribe=One-Click");
        assert_eq!(header("List-Unsubscribe-Post"), one_click, "{name}");
        for part in [&mail.html, &mail.text] {
            assert_eq!(part.contains(UNSUBSCRIBE), optional, "{name}");
        }
    }
}

#[test]
fn organisation_sets_name_logo_colour_and_reply_address() {
    let brand = Brand::from_settings(
        Some("Acme <Ltd>".to_owned()),
        Some("https://acme.example/logo.png?a=1&b=2"),
        Some("#ffee00"),
        Some("legal@acme.example"),
    );
    let mut payload = samples()
        .into_iter()
        .find_map(|(name, payload)| (name == "reminder").then_some(payload))
        .unwrap();
    let mail = written_for(&payload, &brand);
    assert_eq!(
        mail.from.to_string(),
        "\"Acme <Ltd> via SignTusk\" <no-reply@example.com>"
    );
    assert_eq!(mail.reply_to.unwrap().as_str(), "legal@acme.example");
    assert!(
        mail.html.contains("alt=\"Acme &#60;Ltd&#62;\""),
        "{}",
        mail.html
    );
    assert!(
        mail.html
            .contains("src=\"https://acme.example/logo.png?a=1&#38;b=2\"")
    );
    assert!(mail.html.contains("background:#ffee00") && mail.html.contains("color:#111827"));
    payload["senderEmail"] = json!("bob@acme.example");
    let mail = written_for(&payload, &brand);
    assert_eq!(mail.reply_to.unwrap().as_str(), "bob@acme.example");
}
