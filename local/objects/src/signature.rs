//! Verifies Signature Version 4, in the headers of a call or in the query of a presigned one.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>.

use http::request::Parts;
use jiff::{Timestamp, tz::TimeZone};
use percent_encoding::percent_decode_str;
use ring::digest::{SHA256, digest};
use ring::hmac;

use crate::bucket_dir::hex;
use crate::refusal::Refusal;

/// The largest difference of the clocks, in seconds.
const SKEW: i64 = 15 * 60;

/// The placeholder for the hash of an unsigned body.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// An accepted access key.
#[derive(Clone)]
pub struct Keys {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token of temporary keys, such as those of a function's role.
    pub session_token: Option<String>,
}

/// The accepted keys and the region.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) region: String,
    pub(crate) keys: Vec<Keys>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The signature data of a call.
struct Claim {
    credential: String,
    signed_headers: String,
    signature: String,
    at: String,
    /// Its validity, in seconds.
    holds: i64,
    payload_hash: String,
    session_token: Option<String>,
}

/// Verifies the caller, the call and its body.
pub(crate) fn check(
    account: &Account,
    parts: &Parts,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Refusal> {
    let claim = Claim::read(parts)?;
    let (id, scope) = claim.credential.split_once('/').ok_or(Refusal::Malformed)?;
    let keys = account.keys.iter().find(|keys| keys.id == id);
    let keys = keys.ok_or(Refusal::UnknownKey)?;
    let [_day, region, "s3", "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Malformed);
    };
    if region != account.region {
        return Err(Refusal::WrongRegion);
    }
    check_token(keys, &claim)?;
    check_signed_headers(parts, &claim)?;
    let signed_at = instant(&claim.at).ok_or(Refusal::Malformed)?;
    let age = now.as_second() - signed_at.as_second();
    if age < -SKEW || age > claim.holds {
        return Err(Refusal::Skewed);
    }
    if claim.payload_hash != UNSIGNED && claim.payload_hash != hex(digest(&SHA256, body).as_ref()) {
        return Err(Refusal::WrongBody);
    }
    let request = canonical(parts, &claim)?;
    let hash = hex(digest(&SHA256, request.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", claim.at);
    let start = format!("AWS4{}", keys.secret).into_bytes();
    let secret = scope.split('/').fold(start, |key, part| mac(&key, part));
    // On loopback a timing attack gains nothing, so the comparison need not be constant-time.
    if hex(&mac(&secret, &text)) == claim.signature {
        Ok(())
    } else {
        Err(Refusal::WrongSignature)
    }
}

/// Checks the session token. Temporary keys require theirs; other keys have none.
fn check_token(keys: &Keys, claim: &Claim) -> Result<(), Refusal> {
    match (&keys.session_token, &claim.session_token) {
        (expected, given) if expected == given => Ok(()),
        (Some(_), None) => Err(Refusal::UnknownKey),
        _ => Err(Refusal::InvalidToken),
    }
}

/// Checks that every `x-amz-` header is signed, including the token.
fn check_signed_headers(parts: &Parts, claim: &Claim) -> Result<(), Refusal> {
    let signed = |name: &str| claim.signed_headers.split(';').any(|it| it == name);
    let mut names = parts.headers.keys().map(http::HeaderName::as_str);
    if signed("host") && names.all(|name| !name.starts_with("x-amz-") || signed(name)) {
        Ok(())
    } else {
        Err(Refusal::AccessDenied)
    }
}

impl Claim {
    fn read(parts: &Parts) -> Result<Self, Refusal> {
        let header = |name: &str| {
            let value = parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.map(ToOwned::to_owned)
        };
        if let Some(authorization) = header("authorization") {
            let named = |name: &str| {
                let (_, rest) = authorization.split_once(&format!("{name}="))?;
                rest.split([',', ' ']).next().map(ToOwned::to_owned)
            };
            let read = || {
                authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
                Some(Self {
                    credential: named("Credential")?,
                    signed_headers: named("SignedHeaders")?,
                    signature: named("Signature")?,
                    at: header("x-amz-date")?,
                    holds: SKEW,
                    payload_hash: header("x-amz-content-sha256")?,
                    session_token: header("x-amz-security-token"),
                })
            };
            return read().ok_or(Refusal::Malformed);
        }
        let query = |name: &str| {
            let (_, value) = pairs(parts).find(|(it, _)| *it == name)?;
            let value = percent_decode_str(value).decode_utf8().ok()?;
            Some(value.into_owned())
        };
        let signature = query("X-Amz-Signature").ok_or(Refusal::AccessDenied)?;
        let read = || {
            Some(Self {
                credential: query("X-Amz-Credential")?,
                signed_headers: query("X-Amz-SignedHeaders")?,
                signature,
                at: query("X-Amz-Date")?,
                holds: query("X-Amz-Expires")?.parse().ok()?,
                payload_hash: UNSIGNED.to_owned(),
                session_token: query("X-Amz-Security-Token"),
            })
        };
        read().ok_or(Refusal::Malformed)
    }
}

/// Returns the query's names and values, still encoded.
fn pairs(parts: &Parts) -> impl Iterator<Item = (&str, &str)> {
    let query = parts.uri.query().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Returns the canonical form of the call, which is signed.
fn canonical(parts: &Parts, claim: &Claim) -> Result<String, Refusal> {
    let mut query: Vec<String> = pairs(parts)
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    query.sort_unstable();
    let mut headers = String::new();
    for name in claim.signed_headers.split(';') {
        let value = parts.headers.get(name).ok_or(Refusal::Malformed)?;
        let value = value.to_str().map_err(|_| Refusal::Malformed)?;
        headers.extend([name, ":", value.trim(), "\n"]);
    }
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        parts.method,
        parts.uri.path(),
        query.join("&"),
        claim.signed_headers,
        claim.payload_hash
    ))
}

/// Parses `20261125T193000Z`.
fn instant(text: &str) -> Option<Timestamp> {
    let read = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text).ok()?;
    TimeZone::UTC.to_timestamp(read.to_datetime().ok()?).ok()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `GET Object`, as signed in Amazon's guide.
    fn example(range: &str) -> Parts {
        let request = http::Request::builder()
            .method("GET")
            .uri("/test.txt")
            .header("host", "examplebucket.s3.amazonaws.com")
            .header("range", range)
            .header("x-amz-content-sha256", hex(digest(&SHA256, b"").as_ref()))
            .header("x-amz-date", "20130524T000000Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                 SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
                 Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            );
        request.body(()).unwrap().into_parts().0
    }

    fn account(secret: &str) -> Account {
        let keys = Keys {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: secret.to_owned(),
            session_token: None,
        };
        Account {
            region: "us-east-1".to_owned(),
            keys: vec![keys],
        }
    }

    /// Returns the signature data of temporary keys, with or without a token, with these signed headers.
    fn temporary(token: Option<&str>, signed_headers: &str) -> Claim {
        Claim {
            credential: String::new(),
            signed_headers: signed_headers.to_owned(),
            signature: String::new(),
            at: String::new(),
            holds: 0,
            payload_hash: String::new(),
            session_token: token.map(str::to_owned),
        }
    }

    #[test]
    fn call_signed_for_another_region_is_refused() {
        let at: Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
        let mut elsewhere = account("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        elsewhere.region = "eu-west-1".to_owned();
        let refused = check(&elsewhere, &example("bytes=0-9"), b"", at);
        assert_eq!(refused, Err(Refusal::WrongRegion));
    }

    #[test]
    fn temporary_keys_without_their_signed_token_are_refused() {
        let keys = Keys {
            id: "ASIAEXAMPLE".to_owned(),
            secret: "secret".to_owned(),
            session_token: Some("token".to_owned()),
        };
        let token = |token| check_token(&keys, &temporary(token, "host"));
        assert_eq!(token(Some("token")), Ok(()));
        assert_eq!(token(None), Err(Refusal::UnknownKey));
        assert_eq!(token(Some("another")), Err(Refusal::InvalidToken));
        let lasting = Keys {
            session_token: None,
            ..keys.clone()
        };
        let refused = check_token(&lasting, &temporary(Some("token"), "host"));
        assert_eq!(refused, Err(Refusal::InvalidToken));

        let request = http::Request::builder().header("x-amz-security-token", "token");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let signed = |headers| check_signed_headers(&parts, &temporary(Some("token"), headers));
        assert_eq!(signed("host;x-amz-security-token"), Ok(()));
        assert_eq!(signed("host"), Err(Refusal::AccessDenied));
        assert_eq!(signed("x-amz-security-token"), Err(Refusal::AccessDenied));
    }

    #[test]
    fn official_example_is_accepted_and_any_change_of_it_is_refused() {
        let right = account("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let at: Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
        let call = example("bytes=0-9");
        assert_eq!(check(&right, &call, b"", at), Ok(()));
        let late: Timestamp = "2013-05-24T00:16:00Z".parse().unwrap();
        for (refused, why) in [
            (
                check(&account("another"), &call, b"", at),
                Refusal::WrongSignature,
            ),
            (
                check(&right, &example("bytes=0-8"), b"", at),
                Refusal::WrongSignature,
            ),
            (check(&right, &call, b"x", at), Refusal::WrongBody),
            (check(&right, &call, b"", late), Refusal::Skewed),
        ] {
            assert_eq!(refused, Err(why));
        }
        let mut unsigned = call;
        unsigned.headers.remove("authorization");
        assert_eq!(
            check(&right, &unsigned, b"", at),
            Err(Refusal::AccessDenied)
        );
    }
}
