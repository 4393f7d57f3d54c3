//! Webhooks that Svix delivers, such as Resend's: HMAC-SHA256 over id, time and body.
//!
//! Sources: <https://docs.svix.com/receiving/verifying-payloads/how-manual>,
//! <https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests>.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::base::clock::Clock;
use crate::base::env;
use crate::base::secret::Secret;

/// The accepted difference between the sender's clock and ours, in seconds and in both directions, as in Svix's own
/// libraries. A retried webhook is signed again, so an older one is never legitimate.
pub const TOLERANCE: u64 = 300;

/// The longest header that is read, in bytes. A signature has 47; there is one for each valid secret.
const MAX_HEADER_LEN: usize = 1024;

/// The prefix of a secret; the key follows in base64.
const PREFIX: &str = "whsec_";

/// The variable of Resend's secret.
const RESEND: &str = "RESEND_WEBHOOK_SECRET";

/// Verifies webhooks. Built once at init; the key is kept as a prepared HMAC state.
#[derive(Clone)]
pub struct Receiver {
    key: Hmac<Sha256>,
    clock: Clock,
}

/// The secret does not have Svix's format.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be whsec_ followed by the base64 of at least 16 bytes")]
pub struct InvalidSecret;

/// Why a webhook is rejected. Each reason is distinct in the log; the caller learns none of them.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// A header is absent, repeated or malformed.
    #[error("the header {0} is missing or malformed")]
    Header(&'static str),
    /// It was signed more than [`TOLERANCE`] ago, or as far in the future.
    #[error("the webhook's timestamp is too old or in the future")]
    Time,
    /// No signature matches our key, this id, this time and this body.
    #[error("no signature matches this webhook")]
    Key,
}

/// A webhook with a valid signature. Only [`Receiver::verify`] creates one.
pub struct Verified {
    id: String,
    body: Bytes,
}

impl Verified {
    /// Returns the webhook's id, the same in each delivery.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the raw body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Shows the id, not the body.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({})", self.id)
    }
}

impl Receiver {
    /// Returns the receiver of Resend's webhooks with `RESEND_WEBHOOK_SECRET`; none if it is not set.
    pub fn of_resend() -> Result<Option<Self>, env::Error> {
        let secret = env::optional_secret(RESEND)?;
        let receiver = secret.map(|secret| Self::new(&secret, Clock::system()));
        receiver.transpose().map_err(|error| env::Error::Malformed {
            name: RESEND,
            reason: error.to_string(),
        })
    }

    /// Returns a receiver of webhooks that are signed with `secret` (`whsec_...`).
    pub fn new(secret: &Secret, clock: Clock) -> Result<Self, InvalidSecret> {
        let key = secret.expose().strip_prefix(PREFIX).ok_or(InvalidSecret)?;
        let key = STANDARD.decode(key).map_err(|_| InvalidSecret)?;
        if key.len() < 16 {
            return Err(InvalidSecret);
        }
        let key = Hmac::new_from_slice(&key).map_err(|_| InvalidSecret)?;
        Ok(Self { key, clock })
    }

    /// Verifies a webhook, or returns why it is rejected. `body` is the raw body.
    pub fn verify(&self, headers: &HeaderMap, body: Bytes) -> Result<Verified, SignatureError> {
        let id = one(headers, "svix-id", is_id)?;
        let time = one(headers, "svix-timestamp", is_number)?;
        let signatures = one(headers, "svix-signature", |_| true)?;
        let mut mac = self.key.clone();
        mac.update(format!("{id}.{time}.").as_bytes());
        mac.update(&body);
        if !any(signatures, &mac.finalize().into_bytes()) {
            return Err(SignatureError::Key);
        }
        let now = u64::try_from(self.clock.now().as_second());
        let (now, then) = (now.unwrap_or_default(), time.parse().unwrap_or(u64::MAX));
        if now.abs_diff(then) > TOLERANCE {
            return Err(SignatureError::Time);
        }
        let id = id.to_owned();
        Ok(Verified { id, body })
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver([redacted])")
    }
}

/// Returns a header that is present once and valid.
fn one<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
    fits: impl Fn(&str) -> bool,
) -> Result<&'a str, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(SignatureError::Header(name));
    };
    let value = value.to_str().unwrap_or_default();
    let is_fit = (1..=MAX_HEADER_LEN).contains(&value.len()) && fits(value);
    is_fit.then_some(value).ok_or(SignatureError::Header(name))
}

/// Returns whether an id has no dot: with one, a part of the id could be read as the time, and the time as a part of
/// the body.
fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() <= 256 && text.bytes().all(plain)
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether one of the signatures (`v1,<base64>`, separated by spaces) is `expected`, in time that does not
/// depend on the position of a difference. Other signature versions are ignored.
fn any(signatures: &str, expected: &[u8]) -> bool {
    let mut found = Choice::from(0);
    for signature in signatures.split(' ') {
        let decoded = signature.strip_prefix("v1,").map(|it| STANDARD.decode(it));
        if let Some(Ok(decoded)) = decoded {
            found |= decoded.ct_eq(expected);
        }
    }
    found.into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::{InvalidSecret, Receiver, SignatureError, TOLERANCE};
    use crate::base::clock::Clock;
    use crate::base::secret::Secret;

    // The example of Svix's documentation.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: i64 = 1_614_265_330;
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn receiver(late: i64) -> Receiver {
        let now = Timestamp::from_second(TIME + late).unwrap();
        Receiver::new(&Secret::new(SECRET.into()), Clock::fixed(now)).unwrap()
    }

    fn headers(id: &str, time: &str, signature: &str) -> HeaderMap {
        [
            ("svix-id", id),
            ("svix-timestamp", time),
            ("svix-signature", signature),
        ]
        .into_iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        })
        .collect()
    }

    fn judged(headers: &HeaderMap, body: &[u8], late: i64) -> Result<(), SignatureError> {
        let verified = receiver(late).verify(headers, Bytes::copy_from_slice(body))?;
        assert_eq!((verified.id(), verified.body()), (ID, BODY));
        Ok(())
    }

    fn genuine() -> HeaderMap {
        headers(ID, &TIME.to_string(), SIGNATURE)
    }

    #[test]
    fn documented_example_is_verified() {
        assert_eq!(judged(&genuine(), BODY, 0), Ok(()));
    }

    #[test]
    fn one_valid_signature_among_several_is_enough() {
        let wrong = format!("v1,{}=", "A".repeat(43));
        for signatures in [
            format!("{wrong} {SIGNATURE}"),
            format!("{SIGNATURE} {wrong}"),
            format!("v1a,x v2,y {SIGNATURE} v1,%"),
        ] {
            let headers = headers(ID, &TIME.to_string(), &signatures);
            assert_eq!(judged(&headers, BODY, 0), Ok(()), "{signatures}");
        }
        let hash = SIGNATURE.strip_prefix("v1,").unwrap();
        for signatures in [
            wrong.clone(),
            hash.to_owned(),
            format!("v2,{hash}"),
            format!("v1a,{hash}"),
            format!("v1, {hash}"),
            format!("V1,{hash}"),
            format!("v1,{}", &hash[..20]),
            "v1,".to_owned(),
            ",".to_owned(),
        ] {
            let headers = headers(ID, &TIME.to_string(), &signatures);
            let refused = judged(&headers, BODY, 0);
            assert_eq!(refused, Err(SignatureError::Key), "{signatures}");
        }
    }

    #[test]
    fn webhook_is_accepted_within_five_minutes_of_its_time() {
        let edge = i64::try_from(TOLERANCE).unwrap();
        for late in [-edge, edge] {
            assert_eq!(judged(&genuine(), BODY, late), Ok(()), "{late}");
        }
        for late in [-edge - 1, edge + 1, 86_400, -TIME, -TIME - 10] {
            let refused = judged(&genuine(), BODY, late);
            assert_eq!(refused, Err(SignatureError::Time), "{late}");
        }
    }

    #[test]
    fn missing_malformed_or_repeated_header_is_refused() {
        let time = TIME.to_string();
        let long = "a".repeat(1025);
        for (id, at, signature, name) in [
            ("", time.as_str(), SIGNATURE, "svix-id"),
            ("msg.1", &time, SIGNATURE, "svix-id"),
            ("msg 1", &time, SIGNATURE, "svix-id"),
            ("m\u{fc}", &time, SIGNATURE, "svix-id"),
            (&long, &time, SIGNATURE, "svix-id"),
            (ID, "", SIGNATURE, "svix-timestamp"),
            (ID, "-1", SIGNATURE, "svix-timestamp"),
            (ID, "+1614265330", SIGNATURE, "svix-timestamp"),
            (ID, "1614265330.0", SIGNATURE, "svix-timestamp"),
            (ID, "now", SIGNATURE, "svix-timestamp"),
            (ID, &time, "", "svix-signature"),
            (ID, &time, &long, "svix-signature"),
        ] {
            let refused = judged(&headers(id, at, signature), BODY, 0);
            assert_eq!(refused, Err(SignatureError::Header(name)), "{id} {at}");
        }
        for name in ["svix-id", "svix-timestamp", "svix-signature"] {
            let mut without = genuine();
            without.remove(name);
            let refused = judged(&without, BODY, 0);
            assert_eq!(refused, Err(SignatureError::Header(name)));
            let mut twice = genuine();
            twice.append(name, twice[name].clone());
            let refused = judged(&twice, BODY, 0);
            assert_eq!(refused, Err(SignatureError::Header(name)));
        }
    }

    #[test]
    fn time_out_of_range_is_refused() {
        let headers = headers(ID, &"9".repeat(40), SIGNATURE);
        assert!(judged(&headers, BODY, 0).is_err());
    }

    #[test]
    fn invalid_secret_is_refused() {
        let bare = SECRET.strip_prefix("whsec_").unwrap();
        for secret in ["", "whsec_", bare, "whsec_%", "whsec_c2hvcnQ=", "WHSEC_"] {
            let refused = Receiver::new(&Secret::new(secret.into()), Clock::system());
            assert_eq!(refused.err(), Some(InvalidSecret), "{secret}");
        }
    }

    #[test]
    fn debug_output_hides_key_and_body() {
        let shown = format!("{:?}", receiver(0));
        assert_eq!(shown, "Receiver([redacted])");
        let verified = receiver(0).verify(&genuine(), BODY.into()).unwrap();
        assert_eq!(format!("{verified:?}"), format!("Verified({ID})"));
    }

    proptest! {
        #[test]
        fn webhook_with_a_changed_byte_is_refused(at in 0_usize..BODY.len(), change in 1_u8..) {
            let mut body = BODY.to_vec();
            body[at] ^= change;
            prop_assert_eq!(judged(&genuine(), &body, 0), Err(SignatureError::Key));
        }

        #[test]
        fn webhook_with_a_changed_header_is_refused(which in 0_usize..3, at in 0_usize..60, to in "[0-9a-zA-Z]") {
            let mut values = [ID.to_owned(), TIME.to_string(), SIGNATURE.to_owned()];
            let at = at % values[which].len();
            values[which].replace_range(at..=at, &to);
            let [id, time, signature] = &values;
            let is_changed = [id.as_str(), signature] != [ID, SIGNATURE] || *time != TIME.to_string();
            prop_assert_eq!(judged(&headers(id, time, signature), BODY, 0).is_err(), is_changed);
        }
    }
}
