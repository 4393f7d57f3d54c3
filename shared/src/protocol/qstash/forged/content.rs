//! Tokens signed with our key whose claims do not match the delivery.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{BODY, CURRENT, HEADER, NOW, PATH};
use super::{claims, claims_with, receiver, signed, valid, verdict};
use crate::protocol::qstash::{LEEWAY, Part, SignatureError};

#[test]
fn token_with_invalid_claims_is_refused() {
    use SignatureError::{Body, Expired, Issuer, Malformed, MissingClaim, NotYetValid, Subject};
    let leeway = LEEWAY.as_secs().cast_signed();
    let url = |rest: &str| json!(format!("https://functions.test{rest}"));
    let hash = Sha256::digest(BODY);
    let table = [
        ("iss", Value::Null, MissingClaim("iss")),
        ("iss", json!("upstash"), Issuer),
        ("iss", json!("Upstash "), Issuer),
        ("iss", json!(["Upstash"]), Malformed(Part::Claims)),
        ("sub", Value::Null, MissingClaim("sub")),
        ("sub", json!(""), Subject),
        ("sub", json!(PATH), Subject),
        ("sub", json!(format!("https://other.test{PATH}")), Subject),
        (
            "sub",
            json!(format!("http://functions.test{PATH}")),
            Subject,
        ),
        (
            "sub",
            json!(format!("https://functions.test.evil.test{PATH}")),
            Subject,
        ),
        (
            "sub",
            json!(format!("https://functions.test:8443{PATH}")),
            Subject,
        ),
        ("sub", url("/api/jobs/generate-pdf"), Subject),
        ("sub", url("/api/jobs/send-email/"), Subject),
        ("sub", url("//api/jobs/send-email"), Subject),
        ("sub", url("/api/jobs/send-email?x=1"), Subject),
        ("sub", url("/API/jobs/send-email"), Subject),
        ("sub", url(""), Subject),
        ("exp", Value::Null, MissingClaim("exp")),
        ("exp", json!(NOW - leeway), Expired),
        ("exp", json!(0), Expired),
        ("exp", json!(i64::MIN), Expired),
        ("exp", json!("9999999999"), Malformed(Part::Claims)),
        ("exp", json!(1e12), Malformed(Part::Claims)),
        ("exp", json!(u64::MAX), Malformed(Part::Claims)),
        ("nbf", json!(NOW + leeway + 1), NotYetValid),
        ("nbf", json!(i64::MAX), NotYetValid),
        ("nbf", json!("0"), Malformed(Part::Claims)),
        ("iat", json!(NOW + leeway + 1), NotYetValid),
        ("body", Value::Null, MissingClaim("body")),
        ("body", json!(""), Body),
        ("body", json!("="), Body),
        ("body", json!(STANDARD.encode(hash)), Body),
        ("body", json!(format!("{:02x?}", hash.as_slice())), Body),
        ("body", json!(URL_SAFE.encode(&hash[..31])), Body),
        (
            "body",
            json!(format!("{}A", URL_SAFE_NO_PAD.encode(hash))),
            Body,
        ),
        (
            "body",
            json!(format!("{}==", URL_SAFE_NO_PAD.encode(hash))),
            Body,
        ),
        (
            "body",
            json!(URL_SAFE.encode(Sha256::digest(b"other"))),
            Body,
        ),
    ];
    for (name, value, expected) in table {
        let token = signed(CURRENT, HEADER, &claims_with(name, value.clone()));
        assert_eq!(verdict(&token), Err(expected), "{name}: {value}");
    }
    let twice = claims()
        .to_string()
        .replacen('{', r#"{"iss":"Upstash","#, 1);
    for claims in [&twice, "", "[]", "null", "{", "{} {}", "\u{fffd}"] {
        let token = signed(CURRENT, HEADER, claims);
        assert_eq!(verdict(&token), Err(Malformed(Part::Claims)), "{claims}");
    }
}

#[test]
fn token_for_another_body_is_refused() {
    let token = valid();
    let others = [
        "",
        r#"{"jobId":"2"}"#,
        r#"{"jobId": "1"}"#,
        "{\"jobId\":\"1\"}\n",
        "\u{feff}{\"jobId\":\"1\"}",
        r#"{"jobId":"\u0031"}"#,
    ];
    for body in others {
        let verdict = receiver().verify(PATH, Some(token.as_bytes()), body.into());
        assert_eq!(verdict.map(drop), Err(SignatureError::Body), "{body:?}");
    }
}

#[test]
fn token_for_another_path_is_refused() {
    for path in [
        "/api/jobs/generate-pdf",
        "",
        "/",
        "/api/jobs/send-email?x",
        "api/jobs/send-email",
    ] {
        let token = valid();
        let verdict = receiver().verify(path, Some(token.as_bytes()), Bytes::from_static(BODY));
        assert_eq!(verdict.map(drop), Err(SignatureError::Subject), "{path:?}");
    }
}

#[test]
fn token_for_another_query_is_refused() {
    let seen = |signed: &str, called: &str| {
        let url = format!("https://functions.test{PATH}{signed}");
        let token = super::signed(CURRENT, HEADER, &claims_with("sub", json!(url)));
        let path = format!("{PATH}{called}");
        let verdict = receiver().verify(&path, Some(token.as_bytes()), Bytes::from_static(BODY));
        verdict.map(drop)
    };
    for (signed, called) in [
        ("?a=1&b=2", "?a=1&b=2"),
        ("?a=%20x", "?a=+x"),
        ("?a=%2F", "?a=/"),
    ] {
        assert_eq!(seen(signed, called), Ok(()), "{signed} at {called}");
    }
    for (signed, called) in [
        ("?a=1", ""),
        ("", "?a=1"),
        ("?a=1", "?a=2"),
        ("?a=1&b=2", "?b=2&a=1"),
        ("?a=1", "/?a=1"),
    ] {
        let refused = Err(SignatureError::Subject);
        assert_eq!(seen(signed, called), refused, "{signed} at {called}");
    }
}
