//! Tests of the receiver: accepted and rejected tokens. Tokens are built by hand.

mod accepted;
mod content;
mod form;
mod mutations;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Receiver, SignatureError};
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

/// Returns the usual claims with one replaced; `Value::Null` removes it.
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

/// Signs the first two parts unchanged.
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
