//! Tokens that are rejected before a claim is read: shape, encoding, header, and foreign keys.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{BODY, CURRENT, HEADER, NOW, PATH};
use super::{claims, claims_with, receiver, sealed, signed, valid, verdict};
use crate::protocol::qstash::{MAX_TOKEN_BYTES, Part, SignatureError};

#[test]
fn malformed_token_is_refused() {
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
fn token_with_another_header_is_refused_even_if_signed() {
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
fn token_of_another_key_is_refused() {
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
    // The signature of one token does not cover the claims of another, even if they are true.
    let other = signed("sig_other", HEADER, &claims_with("exp", json!(NOW + 301)));
    let (claims, _) = other.rsplit_once('.').expect("a dot");
    let token = valid();
    let (_, signature) = token.rsplit_once('.').expect("a dot");
    let grafted = format!("{claims}.{signature}");
    assert_eq!(verdict(&grafted), Err(SignatureError::Key));
}
