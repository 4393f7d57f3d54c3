//! Tests of the receiver: what it believes, and a table of what it must not. Tokens are made by hand.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{LEEWAY, MAX_TOKEN_BYTES, Part, Receiver, ReceiverError, SignatureError};
use crate::base::clock::Clock;
use crate::base::secret::Secret;

const CURRENT: &str = "sig_current";
const NEXT: &str = "sig_next";
const PATH: &str = "/api/jobs/send-email";
const BODY: &[u8] = br#"{"jobId":"1"}"#;
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const NOW: i64 = 1_795_456_800;

fn receiver() -> Receiver {
    let (current, next) = (Secret::new(CURRENT.into()), Secret::new(NEXT.into()));
    let clock = Clock::fixed(Timestamp::from_second(NOW).expect("an instant"));
    Receiver::new(&current, &next, "https://functions.test", clock).expect("a receiver")
}

fn claims() -> Value {
    json!({
        "iss": "Upstash",
        "sub": format!("https://functions.test{PATH}"),
        "exp": NOW + 300,
        "nbf": 0,
        "iat": NOW,
        "jti": "jwt_1",
        "body": URL_SAFE.encode(Sha256::digest(BODY)),
    })
}

/// The usual claims, one of them replaced; `Value::Null` takes it out.
fn claims_with(name: &str, value: Value) -> String {
    let mut claims = claims();
    let members = claims.as_object_mut().expect("an object");
    if value.is_null() {
        members.remove(name).expect("a claim of that name");
    } else {
        members.insert(name.to_owned(), value);
    }
    claims.to_string()
}

fn signed(key: &str, header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    sealed(key, &format!("{header}.{claims}"))
}

/// Signs the first two parts as they stand.
fn sealed(key: &str, parts: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(parts.as_bytes());
    let signature = mac.finalize().into_bytes();
    format!("{parts}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn valid() -> String {
    signed(CURRENT, HEADER, &claims().to_string())
}

fn verdict(token: &str) -> Result<(), SignatureError> {
    let body = Bytes::from_static(BODY);
    receiver()
        .verify(PATH, Some(token.as_bytes()), body)
        .map(drop)
}

#[test]
fn a_delivery_signed_with_the_current_or_the_next_key_is_believed() {
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
fn what_the_protocol_leaves_open_is_accepted() {
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
fn an_empty_body_is_signed_too() {
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
fn no_token_that_is_malformed_is_believed() {
    use SignatureError::{Malformed, Missing, TooLong};
    let token = valid();
    let parts: Vec<&str> = token.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let cut = &token[..token.len() - 1];
    let padded = sealed(
        CURRENT,
        &format!("{}.{body}", URL_SAFE.encode(format!("{HEADER} "))),
    );
    let table = [
        (String::new(), Missing),
        ("x".repeat(MAX_TOKEN_BYTES + 1), TooLong),
        ("garbage".into(), Malformed(Part::Shape)),
        ("..".into(), Malformed(Part::Header)),
        ("...".into(), Malformed(Part::Shape)),
        (format!("{head}.{body}"), Malformed(Part::Shape)),
        (format!("{token}."), Malformed(Part::Shape)),
        (format!(".{token}"), Malformed(Part::Shape)),
        (format!("{token}.{signature}"), Malformed(Part::Shape)),
        (format!(" {token}"), Malformed(Part::Header)),
        (format!("Bearer {token}"), Malformed(Part::Header)),
        (
            format!("{head}\n.{body}.{signature}"),
            Malformed(Part::Header),
        ),
        (padded, Malformed(Part::Header)),
        (format!("{token} "), Malformed(Part::Signature)),
        (format!("{token}\n"), Malformed(Part::Signature)),
        (format!("{token}="), Malformed(Part::Signature)),
        (format!("{token}A"), Malformed(Part::Signature)),
        (format!("{token}AAAA"), Malformed(Part::Signature)),
        (cut.into(), Malformed(Part::Signature)),
        (format!("{head}.{body}."), Malformed(Part::Signature)),
        (format!("{token}, {token}"), Malformed(Part::Shape)),
    ];
    for (token, expected) in table {
        assert_eq!(verdict(&token), Err(expected), "{token:.120}");
    }
    let missing = receiver().verify(PATH, None, Bytes::from_static(BODY));
    assert_eq!(missing.map(drop), Err(Missing));
    let binary = receiver().verify(PATH, Some(b"\xff.\xff.\xff"), Bytes::new());
    assert_eq!(binary.map(drop), Err(Malformed(Part::Header)));
}

#[test]
fn no_header_opens_another_way_in_even_when_it_is_signed() {
    use SignatureError::{Algorithm, Critical, Malformed, Type};
    let table = [
        (r#"{"alg":"none","typ":"JWT"}"#, Algorithm),
        (r#"{"alg":"None"}"#, Algorithm),
        (r#"{"alg":"hs256"}"#, Algorithm),
        (r#"{"alg":"HS256 "}"#, Algorithm),
        (r#"{"alg":"HS384"}"#, Algorithm),
        (r#"{"alg":"HS512"}"#, Algorithm),
        (r#"{"alg":"RS256"}"#, Algorithm),
        (r#"{"alg":"ES256"}"#, Algorithm),
        (r#"{"alg":""}"#, Algorithm),
        ("{}", Algorithm),
        (r#"{"typ":"JWT"}"#, Algorithm),
        (r#"{"ALG":"HS256"}"#, Algorithm),
        (r#"{"alg":null}"#, Malformed(Part::Header)),
        (r#"{"alg":["HS256"]}"#, Malformed(Part::Header)),
        (r#"{"alg":"none","alg":"HS256"}"#, Malformed(Part::Header)),
        (r#"{"alg":"HS256","alg":"HS256"}"#, Malformed(Part::Header)),
        (
            r#"{"alg":"HS256","\u0061lg":"none"}"#,
            Malformed(Part::Header),
        ),
        (
            r#"{"alg":"HS256","kid":"1","kid":"2"}"#,
            Malformed(Part::Header),
        ),
        (r#"{"alg":"HS256"} {}"#, Malformed(Part::Header)),
        (r#"{"alg":"HS256""#, Malformed(Part::Header)),
        (r#"["HS256"]"#, Malformed(Part::Header)),
        (r#""HS256""#, Malformed(Part::Header)),
        ("null", Malformed(Part::Header)),
        ("", Malformed(Part::Header)),
        (r#"{"alg":"HS256","typ":"JWE"}"#, Type),
        (r#"{"alg":"HS256","typ":"jwt"}"#, Type),
        (r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, Critical),
        (r#"{"alg":"HS256","crit":null}"#, Critical),
    ];
    for (header, expected) in table {
        let token = signed(CURRENT, header, &claims().to_string());
        assert_eq!(verdict(&token), Err(expected), "{header}");
    }
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        URL_SAFE_NO_PAD.encode(claims().to_string())
    );
    assert_eq!(verdict(&unsigned), Err(Algorithm));
}

#[test]
fn no_key_but_ours_signs() {
    let claims = claims().to_string();
    let public = URL_SAFE_NO_PAD.encode(CURRENT);
    for key in [
        "",
        "\0",
        "sig_curren",
        "SIG_CURRENT",
        &CURRENT[4..],
        &public,
    ] {
        assert_eq!(
            verdict(&signed(key, HEADER, &claims)),
            Err(SignatureError::Key),
            "{key:?}"
        );
    }
    let mut parts = valid();
    parts.truncate(parts.rfind('.').expect("a dot"));
    for signature in [[0; 32], [0xff; 32], Sha256::digest(&parts).into()] {
        let token = format!("{parts}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(verdict(&token), Err(SignatureError::Key));
    }
    // The signature of one token does not carry the claims of another, however true they are.
    let other = signed("sig_other", HEADER, &claims_with("exp", json!(NOW + 301)));
    let (claims, _) = other.rsplit_once('.').expect("a dot");
    let token = valid();
    let (_, signature) = token.rsplit_once('.').expect("a dot");
    let grafted = format!("{claims}.{signature}");
    assert_eq!(verdict(&grafted), Err(SignatureError::Key));
}

#[test]
fn claims_are_not_believed_beyond_what_they_say() {
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
        (
            "body",
            json!(
                hash.iter()
                    .map(|it| format!("{it:02x}"))
                    .collect::<String>()
            ),
            Body,
        ),
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
fn the_leeway_ends_where_it_says() {
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
fn another_body_or_the_same_body_written_otherwise_is_refused() {
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
fn a_token_for_one_job_does_not_open_another() {
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
fn the_address_is_compared_as_a_published_url_is_spelled() {
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
fn a_receiver_without_a_real_key_is_not_built() {
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

/// One change to a token: where, what kind, and which byte.
fn mutated(token: &[u8], (at, kind, byte): (usize, u8, u8)) -> Vec<u8> {
    let mut token = token.to_vec();
    let length = token.len();
    let at = at % length;
    match kind % 6 {
        0 => token[at] = byte,
        1 => token.insert(at, byte),
        2 => drop(token.remove(at)),
        3 => token.truncate(at),
        4 => token[at] ^= 1 << (byte % 8),
        _ => token.swap(at, usize::from(byte) % length),
    }
    if token.is_empty() { vec![byte] } else { token }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_token_is_believed(
        changes in prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4)
    ) {
        let valid = valid().into_bytes();
        let token = changes.into_iter().fold(valid.clone(), |token, change| mutated(&token, change));
        let verdict = receiver().verify(PATH, Some(&token), Bytes::from_static(BODY));
        prop_assert_eq!(verdict.is_ok(), token == valid, "{}", String::from_utf8_lossy(&token));
    }

    #[test]
    fn no_noise_makes_the_receiver_panic(token in prop::collection::vec(any::<u8>(), 0..200), dots in any::<[u8; 2]>()) {
        let mut token = token;
        for dot in dots {
            token.insert(usize::from(dot) % (token.len() + 1), b'.');
        }
        prop_assert!(receiver().verify(PATH, Some(&token), Bytes::new()).is_err());
    }
}
