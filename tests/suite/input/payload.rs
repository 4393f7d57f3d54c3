//! Payloads with one fault each, and the expected pointer.

use serde_json::{Value, json};

use crate::support::payloads::{bulk, signature_request};

/// A payload with one fault.
pub(super) struct Faulty {
    pub(super) pointer: &'static str,
    pub(super) payload: Value,
    pub(super) why: String,
}

/// Creates a faulty payload, with a short description of its change.
fn faulty(base: &Value, pointer: &'static str, value: &Value) -> Faulty {
    let mut payload = base.clone();
    set(&mut payload, pointer, value.clone());
    let mut why = format!("{pointer} = {value}");
    why.truncate(why.floor_char_boundary(120));
    Faulty {
        pointer,
        payload,
        why,
    }
}

/// Sets the member at a pointer whose parent exists.
fn set(payload: &mut Value, pointer: &str, value: Value) {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = payload.pointer_mut(parent).unwrap();
    match member.parse::<usize>() {
        Ok(place) => parent[place] = value,
        Err(_) => parent[member] = value,
    }
}

fn without(base: &Value, pointer: &'static str) -> Faulty {
    let mut payload = base.clone();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = payload
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap();
    parent.remove(member).unwrap();
    Faulty {
        pointer,
        payload,
        why: format!("{pointer} is missing"),
    }
}

pub(super) fn reminder() -> Value {
    let mut reminder = signature_request("ann@example.com");
    reminder["type"] = json!("reminder");
    reminder["reminderCount"] = json!(2);
    reminder
}

/// Returns a bulk in the form of the sending function.
pub(super) fn bulk_job(count: usize) -> Value {
    let mut bulk = bulk(count);
    bulk["type"] = json!("bulk");
    bulk
}

/// Returns faults of mails to one signer.
pub(super) fn single() -> Vec<Faulty> {
    let request = signature_request("ann@example.com");
    let mut all = Vec::new();
    for required in REQUIRED {
        all.push(without(&request, required));
        for value in WRONG_TYPES
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
        {
            all.push(faulty(&request, required, &value));
        }
    }
    for optional in [
        "/message",
        "/dueDate",
        "/requestId",
        "/signerId",
        "/occurrence",
    ] {
        for value in [json!(1), json!(true), json!([]), json!({ "a": 1 })] {
            all.push(faulty(&request, optional, &value));
        }
    }
    all.extend(hostile(&request));
    all.extend(types(&request));
    let count = [
        json!(-1),
        json!(1.5),
        json!("3"),
        json!([]),
        json!(4_294_967_296_u64),
        json!(1e30),
    ];
    all.extend(
        count
            .iter()
            .map(|value| faulty(&reminder(), "/reminderCount", value)),
    );
    all.push(without(&reminder(), "/to"));
    all.push(faulty(
        &reminder(),
        "/signatureUrl",
        &json!("javascript:alert(1)"),
    ));
    all
}

const REQUIRED: [&str; 5] = [
    "/to",
    "/signerName",
    "/documentTitle",
    "/senderName",
    "/signatureUrl",
];

const WRONG_TYPES: [&str; 8] = ["null", "1", "-1.5", "true", "[]", "{}", r#"["a"]"#, "\"\""];

/// Returns texts that would break out of a header, an address, a line or a link.
fn hostile(request: &Value) -> Vec<Faulty> {
    let injections = [
        "a\r\nBcc: mallory@example.com",
        "a\nSubject: other",
        "a\rb",
        "a\0b",
        "a\u{85}b",
        "a\u{2028}b",
        "a\u{2029}b",
        "a\u{202e}b",
        "a\u{1b}[31mb",
        "   ",
    ];
    let mut all = Vec::new();
    for line in ["/signerName", "/documentTitle", "/senderName"] {
        all.extend(
            injections
                .iter()
                .map(|text| faulty(request, line, &json!(text))),
        );
        all.push(faulty(request, line, &json!("x".repeat(501))));
    }
    for line in ["/requestId", "/signerId", "/occurrence"] {
        let texts = injections.iter().filter(|text| !text.trim().is_empty());
        all.extend(texts.map(|text| faulty(request, line, &json!(text))));
        all.push(faulty(request, line, &json!("x".repeat(201))));
    }
    let messages = ["a\0b", "a\u{202e}b", "a\u{1b}b", "a\u{7f}b"];
    all.extend(
        messages
            .iter()
            .map(|text| faulty(request, "/message", &json!(text))),
    );
    all.push(faulty(request, "/message", &json!("x".repeat(5001))));
    all.extend(
        ADDRESSES
            .iter()
            .map(|to| faulty(request, "/to", &json!(to))),
    );
    all.push(faulty(
        request,
        "/to",
        &json!(format!("{}@example.com", "x".repeat(65))),
    ));
    all.push(faulty(
        request,
        "/to",
        &json!(format!("a@{}.com", "x".repeat(300))),
    ));
    all.extend(
        LINKS
            .iter()
            .map(|link| faulty(request, "/signatureUrl", &json!(link))),
    );
    let long = format!("https://example.com/{}", "x".repeat(2048));
    all.push(faulty(request, "/signatureUrl", &json!(long)));
    for date in [
        "tomorrow",
        "2026-02-30",
        "2026-13-01",
        "0",
        "2026-12-01T25:00:00Z",
        "é".repeat(5).as_str(),
    ] {
        all.push(faulty(request, "/dueDate", &json!(date)));
    }
    all
}

pub(super) const ADDRESSES: [&str; 22] = [
    "ann",
    "@example.com",
    "ann@",
    "ann@example",
    "ann@@example.com",
    "ann@example..com",
    "ann@-example.com",
    "ann@[127.0.0.1]",
    "ann@127.0.0.1",
    "ann@exa mple.com",
    "an n@example.com",
    ".ann@example.com",
    "ann.@example.com",
    "\"ann\"@example.com",
    "Ann <ann@example.com>",
    "ann@example.com,bob@example.com",
    "ann@example.com;bob@example.com",
    "ann@example.com\r\nBcc: mallory@example.com",
    "ann\n@example.com",
    "ann@example.com\u{2028}Bcc: mallory@example.com",
    "ann@example.com\0",
    "ann@example.com%0d%0aBcc:mallory@example.com",
];

const LINKS: [&str; 14] = [
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://example.com/a",
    "//example.com/sign",
    "/sign/1",
    "example.com",
    "https://",
    "https://app.example.com@mallory.example.com/",
    "https://example.com/\r\nSet-Cookie: a=b",
];

fn types(request: &Value) -> Vec<Faulty> {
    let values = [
        json!("unknown"),
        json!("Signature-Request"),
        json!("signature_request"),
        json!(""),
        json!("completion\0"),
        json!(1),
        json!(null),
        json!(["signature-request"]),
        json!({ "signature-request": {} }),
    ];
    let mut all: Vec<Faulty> = values
        .iter()
        .map(|value| faulty(request, "/type", value))
        .collect();
    all.push(without(request, "/type"));
    all
}

/// Returns faults of a mail to many signers.
pub(super) fn many() -> Vec<Faulty> {
    let three = bulk_job(3);
    let mut all = vec![
        without(&three, "/emails"),
        without(&three, "/emails/1/name"),
        without(&three, "/emails/2/email"),
        faulty(&three, "/emails", &bulk(10_001)["emails"]),
    ];
    for value in [
        json!(null),
        json!(1),
        json!("ann@example.com"),
        json!({}),
        json!([]),
    ] {
        all.push(faulty(&three, "/emails", &value));
    }
    for value in [json!(null), json!(7), json!("ann@example.com"), json!([])] {
        all.push(faulty(&three, "/emails/1", &value));
    }
    for value in [json!(null), json!(7), json!([]), json!("a\r\nb"), json!("")] {
        all.push(faulty(&three, "/emails/0/name", &value));
    }
    for value in [json!(null), json!(7), json!({})] {
        all.push(faulty(&three, "/emails/2/email", &value));
    }
    all.extend(
        ADDRESSES
            .iter()
            .map(|to| faulty(&three, "/emails/2/email", &json!(to))),
    );
    for value in [json!(1), json!("a\nb"), json!("x".repeat(501)), json!([])] {
        all.push(faulty(&three, "/documentTitle", &value));
        all.push(faulty(&three, "/senderName", &value));
        all.push(faulty(&three, "/documentId", &value));
    }
    all.push(faulty(&three, "/message", &json!("a\0b")));
    all.push(faulty(&three, "/dueDate", &json!("soon")));
    all
}
