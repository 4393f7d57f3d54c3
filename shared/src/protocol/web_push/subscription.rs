//! A subscription as a browser returns it (Push API, `PushSubscription.toJSON()`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use url::Url;

use super::services::PushServices;

/// The longest accepted address, in bytes. Those of current push services have 150 to 600.
const MAX_ENDPOINT_LEN: usize = 2048;

/// Why a subscription is rejected. It does not quote it: the address is a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubscription {
    /// Not an absolute URL of at most 2,048 characters, or one with a user or a fragment.
    #[error("must be the URL of a push subscription")]
    Endpoint,
    /// The host is not a known push service.
    #[error("must be the URL of a known push service")]
    Unknown,
    /// Not the base64 text of an uncompressed P-256 point.
    #[error("p256dh must be a base64-encoded P-256 key")]
    Key,
    /// Not the base64 text of 16 bytes.
    #[error("auth must be 16 base64-encoded bytes")]
    Auth,
}

/// The address of a subscription at a known push service.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Parses an address and checks its push service.
    pub fn parse(text: &str, services: &PushServices) -> Result<Self, InvalidSubscription> {
        if text.len() > MAX_ENDPOINT_LEN || text.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(InvalidSubscription::Endpoint);
        }
        let url = Url::parse(text).map_err(|_| InvalidSubscription::Endpoint)?;
        let is_plain =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !is_plain {
            return Err(InvalidSubscription::Endpoint);
        }
        if !services.know(&url) {
            return Err(InvalidSubscription::Unknown);
        }
        Ok(Self(url))
    }

    /// Returns the address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the push service's origin, which VAPID tokens name.
    pub(super) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

/// Shows only the origin: knowing the address is enough to send.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}/[redacted])", self.origin())
    }
}

/// The keys of a subscription. Only its browser can decrypt messages encrypted with them.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    p256dh: [u8; 65],
    auth: [u8; 16],
}

impl Keys {
    /// Reads both keys, base64url or standard base64, with or without padding: libraries differ.
    pub fn parse(p256dh: &str, auth: &str) -> Result<Self, InvalidSubscription> {
        let p256dh = decoded(p256dh)
            .filter(|point: &[u8; 65]| point[0] == UNCOMPRESSED)
            .ok_or(InvalidSubscription::Key)?;
        let auth = decoded(auth).ok_or(InvalidSubscription::Auth)?;
        Ok(Self { p256dh, auth })
    }

    pub(super) fn p256dh(&self) -> &[u8] {
        &self.p256dh
    }

    pub(super) fn auth(&self) -> &[u8] {
        &self.auth
    }

    /// Returns the public key as text.
    #[must_use]
    pub fn p256dh_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.p256dh)
    }

    /// Returns the secret that authenticates messages, as text.
    #[must_use]
    pub fn auth_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.auth)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([redacted])")
    }
}

/// The first byte of an uncompressed point (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// The address of a browser, and the keys to encrypt for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The address.
    pub endpoint: Endpoint,
    /// The keys.
    pub keys: Keys,
}

/// Decodes exactly `N` bytes from base64 of either alphabet, with or without padding.
pub(super) fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.replace('+', "-").replace('/', "_");
    let bytes = if text.ends_with('=') {
        URL_SAFE.decode(&text)
    } else {
        URL_SAFE_NO_PAD.decode(&text)
    };
    bytes.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, InvalidSubscription, Keys, PushServices};

    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn keys_are_read_with_and_without_padding() {
        let plain = Keys::parse(P256DH, AUTH).unwrap();
        let padded = Keys::parse(&format!("{P256DH}="), &format!("{AUTH}==")).unwrap();
        assert_eq!(plain, padded);
        assert_eq!(
            (plain.p256dh_text(), plain.auth_text()),
            (P256DH.into(), AUTH.into())
        );
    }

    #[test]
    fn keys_are_read_in_standard_base64() {
        let standard = |text: &str| text.replace('-', "+").replace('_', "/");
        let plain = Keys::parse(P256DH, AUTH).unwrap();
        let p256dh = standard(P256DH);
        assert_ne!(p256dh, P256DH);
        assert_eq!(Keys::parse(&p256dh, &standard(AUTH)), Ok(plain.clone()));
        let padded = Keys::parse(&format!("{p256dh}="), &format!("{}==", standard(AUTH)));
        assert_eq!(padded, Ok(plain));
    }

    #[test]
    fn keys_of_another_length_or_kind_are_refused() {
        for p256dh in ["", AUTH, &P256DH[1..], "%%%"] {
            assert_eq!(Keys::parse(p256dh, AUTH), Err(InvalidSubscription::Key));
        }
        let compressed = format!("A{}", &P256DH[1..]);
        assert_eq!(
            Keys::parse(&compressed, AUTH),
            Err(InvalidSubscription::Key)
        );
        assert_eq!(Keys::parse(P256DH, P256DH), Err(InvalidSubscription::Auth));
    }

    #[test]
    fn endpoint_is_checked_and_not_printed() {
        let services = PushServices::default();
        let endpoint =
            Endpoint::parse("https://fcm.googleapis.com/fcm/send/hush", &services).unwrap();
        let printed = format!("{endpoint:?}");
        assert!(!printed.contains("hush"), "{printed}");
        for text in [
            "https://u:p@fcm.googleapis.com/x",
            "https://fcm.googleapis.com/x#y",
            "/x",
            "https://fcm.googleapis.com/\r\nx",
            &format!("https://fcm.googleapis.com/{}", "x".repeat(2048)),
        ] {
            assert_eq!(
                Endpoint::parse(text, &services),
                Err(InvalidSubscription::Endpoint)
            );
        }
    }
}
