//! Deliveries that the receiver accepts: the protocol's own, and those in forms that the protocol leaves open.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{BODY, CURRENT, HEADER, NEXT, NOW, PATH};
use super::{claims, claims_with, receiver, signed, valid, verdict};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::protocol::qstash::{LEEWAY, Receiver, ReceiverError, SignatureError};

#[test]
fn token_of_the_current_or_next_key_is_accepted() {
    for key in [CURRENT, NEXT] {
        let token = signed(key, HEADER, &claims().to_string());
        let body = Bytes::from_static(BODY);
        let verified = receiver().verify(PATH, Some(token.as_bytes()), body);
        assert_eq!(verified.expect(key).body(), BODY);
    }
    let retired = signed("sig_retired", HEADER, &claims().to_string());
    assert_eq!(verdict(&retired), Err(SignatureError::Key));
}

#[test]
fn optional_parts_of_a_token_may_vary() {
    let hash = Sha256::digest(BODY);
    let accepted = [
        (
            "no padding",
            claims_with("body", json!(URL_SAFE_NO_PAD.encode(hash))),
        ),
        ("no jti", claims_with("jti", Value::Null)),
        ("no nbf", claims_with("nbf", Value::Null)),
        ("no iat", claims_with("iat", Value::Null)),
        (
            "a claim of later days",
            claims_with("region", json!({"a": [1]})),
        ),
        (
            "escaped text",
            claims().to_string().replace("Upstash", "\\u0055pstash"),
        ),
    ];
    for (what, claims) in accepted {
        assert_eq!(verdict(&signed(CURRENT, HEADER, &claims)), Ok(()), "{what}");
    }
    for header in [
        r#"{"alg":"HS256"}"#,
        r#"{"typ":"JWT","kid":"1","alg":"HS256"}"#,
    ] {
        let token = signed(CURRENT, header, &claims().to_string());
        assert_eq!(verdict(&token), Ok(()), "{header}");
    }
}

#[test]
fn empty_body_is_covered_by_the_signature() {
    let claims = claims_with("body", json!(URL_SAFE.encode(Sha256::digest(b""))));
    let token = signed(CURRENT, HEADER, &claims);
    let verify = |body| {
        receiver()
            .verify(PATH, Some(token.as_bytes()), body)
            .map(drop)
    };
    assert_eq!(verify(Bytes::new()), Ok(()));
    assert_eq!(verify(Bytes::from_static(b" ")), Err(SignatureError::Body));
}

#[test]
fn token_within_the_leeway_is_accepted() {
    let leeway = LEEWAY.as_secs().cast_signed();
    let last = [
        ("exp", NOW - leeway + 1),
        ("nbf", NOW + leeway),
        ("iat", NOW + leeway),
    ];
    for (name, instant) in last {
        let token = signed(CURRENT, HEADER, &claims_with(name, json!(instant)));
        assert_eq!(verdict(&token), Ok(()), "{name}");
    }
}

#[test]
fn token_url_is_compared_with_the_published_spelling() {
    let [current, next] = [CURRENT, NEXT].map(|key| Secret::new(key.into()));
    let clock = || Clock::fixed(Timestamp::from_second(NOW).expect("an instant"));
    for url in [
        "https://FUNCTIONS.test",
        "https://functions.test/",
        "https://functions.test:443//",
    ] {
        let receiver = Receiver::new(&current, &next, url, clock()).expect("a receiver");
        let verified = receiver.verify(PATH, Some(valid().as_bytes()), Bytes::from_static(BODY));
        assert_eq!(verified.map(drop), Ok(()), "{url}");
    }
    for url in [
        "",
        "functions.test",
        "ftp://h",
        "https://h?x=1",
        "https://h#x",
        "https://u@h",
    ] {
        let error = Receiver::new(&current, &next, url, clock()).expect_err(url);
        assert_eq!(error, ReceiverError::FunctionsUrl, "{url}");
    }
}

#[test]
fn receiver_without_a_valid_key_is_refused() {
    let good = || Secret::new(CURRENT.into());
    for bad in ["", " ", "sig_a\n", "sig a"] {
        let build = |current, next| Receiver::new(&current, &next, "https://h", Clock::system());
        let error = build(Secret::new(bad.into()), good()).expect_err(bad);
        assert_eq!(error, ReceiverError::CurrentKey);
        let error = build(good(), Secret::new(bad.into())).expect_err(bad);
        assert_eq!(error, ReceiverError::NextKey);
    }
    assert!(!format!("{:?}", receiver()).contains("sig_"));
}
