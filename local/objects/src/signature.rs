//! Signature Version 4, checked: in the headers of a call, or in the query of a presigned one.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>.

use http::request::Parts;
use jiff::{Timestamp, tz::TimeZone};
use percent_encoding::percent_decode_str;
use ring::digest::{SHA256, digest};
use ring::hmac;

use crate::refusal::Refusal;
use crate::shelf::hex;

/// How far the clocks may differ, in seconds.
const SKEW: i64 = 15 * 60;

/// What stands for the hash of a body that nobody has signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Whose calls are taken.
#[derive(Clone)]
pub struct Keys {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What a call says of its signature.
struct Claim {
    credential: String,
    signed_headers: String,
    signature: String,
    at: String,
    /// Seconds for which it holds.
    holds: i64,
    payload_hash: String,
}

/// Checks who calls, and that the call and its body are the ones that were signed.
pub(crate) fn check(
    keys: &Keys,
    parts: &Parts,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Refusal> {
    let claim = Claim::read(parts)?;
    let scope = claim.credential.strip_prefix(&format!("{}/", keys.id));
    let scope = scope.ok_or(Refusal::UnknownKey)?;
    if !scope.ends_with("/s3/aws4_request") {
        return Err(Refusal::Malformed);
    }
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
    // Nothing is worth guessing on loopback; the comparison need not take the same time each time.
    if hex(&mac(&secret, &text)) == claim.signature {
        Ok(())
    } else {
        Err(Refusal::WrongSignature)
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
            })
        };
        read().ok_or(Refusal::Malformed)
    }
}

/// The query's names and values, as they came.
fn pairs(parts: &Parts) -> impl Iterator<Item = (&str, &str)> {
    let query = parts.uri.query().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The call in the form that is signed.
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

/// `20261125T193000Z`.
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

    /// `GET Object`, as Amazon's own guide signs it.
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

    fn keys(secret: &str) -> Keys {
        Keys {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: secret.to_owned(),
        }
    }

    #[test]
    fn amazons_own_example_is_taken_and_nothing_that_differs_from_it() {
        let right = keys("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let at: Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
        let call = example("bytes=0-9");
        assert_eq!(check(&right, &call, b"", at), Ok(()));
        let late: Timestamp = "2013-05-24T00:16:00Z".parse().unwrap();
        for (refused, why) in [
            (
                check(&keys("another"), &call, b"", at),
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
