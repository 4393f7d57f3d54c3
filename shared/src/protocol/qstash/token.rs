//! The token of a delivery: a JSON Web Signature in its compact form (RFC 7515, section 7.1), HS256 and nothing else.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use sha2::Sha256;

/// The longest token that is looked at, in bytes. QStash's have some 450; only the destination's length varies.
/// Without a bound, whoever finds the address could have megabytes hashed.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// Why a delivery is not believed. Each reason is its own, for the log; a caller is told none of them.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// There is no token.
    #[error("the signature is missing")]
    Missing,
    /// The token is longer than [`MAX_TOKEN_BYTES`].
    #[error("the signature is too long")]
    TooLong,
    /// A part of the token is not what RFC 7515 or 7519 says.
    #[error("the signature's {0} is malformed")]
    Malformed(Part),
    /// The header names another algorithm than HS256.
    #[error("the signature's algorithm is not HS256")]
    Algorithm,
    /// The header says that this is something else than a JWT.
    #[error("the signature is not a JWT")]
    Type,
    /// The header has extensions that must be understood (RFC 7515, section 4.1.11), and none is.
    #[error("the signature has critical extensions")]
    Critical,
    /// Neither the current nor the next key signed it.
    #[error("the signature matches no signing key")]
    Key,
    /// A claim that must be there is not.
    #[error("the signature lacks the claim {0}")]
    MissingClaim(&'static str),
    /// It was issued by somebody else.
    #[error("the signature was not issued by Upstash")]
    Issuer,
    /// It was made for another URL.
    #[error("the signature is for another URL")]
    Subject,
    /// Its time is over.
    #[error("the signature has expired")]
    Expired,
    /// Its time has not come, or it was issued in the future.
    #[error("the signature is not valid yet")]
    NotYetValid,
    /// It was made for another body.
    #[error("the signature is for another body")]
    Body,
}

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Three parts with a dot between each.
    Shape,
    /// The first part: base64url of a JSON object.
    Header,
    /// The second part: base64url of a JSON object.
    Claims,
    /// The third part: base64url of 32 bytes.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "shape",
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Signature => "signature",
        })
    }
}

/// A token whose form is right and of which nothing is believed.
pub(super) struct Token<'a> {
    signed: &'a [u8],
    claims: &'a [u8],
    signature: [u8; 32],
}

impl<'a> Token<'a> {
    pub(super) fn parse(token: &'a [u8]) -> Result<Self, SignatureError> {
        if token.is_empty() {
            return Err(SignatureError::Missing);
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(SignatureError::TooLong);
        }
        let mut dots = (0..token.len()).filter(|&at| token[at] == b'.');
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(SignatureError::Malformed(Part::Shape));
        };
        Header::parse(&token[..first])?.check()?;
        Ok(Self {
            signed: &token[..second],
            claims: &token[first + 1..second],
            signature: signature(&token[second + 1..])
                .ok_or(SignatureError::Malformed(Part::Signature))?,
        })
    }

    /// Whether `key` made the signature, in time that does not depend on where the two differ.
    pub(super) fn is_signed_by(&self, key: &Hmac<Sha256>) -> bool {
        let mut mac = key.clone();
        mac.update(self.signed);
        mac.verify_slice(&self.signature).is_ok()
    }

    /// The claims as JSON. To be asked for once the signature is known to be right.
    pub(super) fn claims(&self) -> Result<Vec<u8>, SignatureError> {
        URL_SAFE_NO_PAD
            .decode(self.claims)
            .map_err(|_| SignatureError::Malformed(Part::Claims))
    }
}

fn signature(encoded: &[u8]) -> Option<[u8; 32]> {
    let mut decoded = [0; 33];
    let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut decoded).ok()?;
    decoded[..length].try_into().ok()
}

/// The members of the header that matter. Others are ignored, as section 4 of RFC 7515 asks; none may come twice.
#[derive(Default)]
struct Header {
    alg: Option<String>,
    typ: Option<String>,
    critical: bool,
}

impl Header {
    fn parse(encoded: &[u8]) -> Result<Self, SignatureError> {
        let malformed = SignatureError::Malformed(Part::Header);
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| malformed)?;
        serde_json::from_slice(&json).map_err(|_| malformed)
    }

    fn check(&self) -> Result<(), SignatureError> {
        if self.alg.as_deref() != Some("HS256") {
            return Err(SignatureError::Algorithm);
        }
        if self.typ.as_deref().is_some_and(|typ| typ != "JWT") {
            return Err(SignatureError::Type);
        }
        if self.critical {
            return Err(SignatureError::Critical);
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// Reads the header's members. A derived reader would let an unknown member come twice.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        let mut seen: Vec<Cow<'de, str>> = Vec::with_capacity(2);
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom("a member comes twice"));
            }
            match name.as_ref() {
                "alg" => header.alg = Some(map.next_value()?),
                "typ" => header.typ = Some(map.next_value()?),
                "crit" => {
                    header.critical = true;
                    map.next_value::<IgnoredAny>()?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
            seen.push(name);
        }
        Ok(header)
    }
}
