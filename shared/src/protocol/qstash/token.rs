//! The token of a delivery: a compact JSON Web Signature (RFC 7515, section 7.1). Only HS256 is accepted.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use sha2::Sha256;

/// The longest accepted token, in bytes. QStash's have about 450; only the destination's length varies. Without a
/// bound, anyone could make the function hash megabytes.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// Why a delivery is rejected. Each reason is distinct in the log; the caller learns none of them.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// There is no token.
    #[error("the signature is missing")]
    Missing,
    /// The token is longer than [`MAX_TOKEN_BYTES`].
    #[error("the signature is too long")]
    TooLong,
    /// A part of the token does not follow RFC 7515 or 7519.
    #[error("the signature's {0} is malformed")]
    Malformed(Part),
    /// The header names another algorithm than HS256.
    #[error("the signature's algorithm is not HS256")]
    Algorithm,
    /// The header's type is not JWT.
    #[error("the signature is not a JWT")]
    Type,
    /// The header has critical extensions (RFC 7515, section 4.1.11); none is supported.
    #[error("the signature has critical extensions")]
    Critical,
    /// Neither the current nor the next key signed it.
    #[error("the signature matches no signing key")]
    Key,
    /// A required claim is missing.
    #[error("the signature lacks the claim {0}")]
    MissingClaim(&'static str),
    /// The issuer is not Upstash.
    #[error("the signature was not issued by Upstash")]
    Issuer,
    /// It is for another URL.
    #[error("the signature is for another URL")]
    Subject,
    /// It has expired.
    #[error("the signature has expired")]
    Expired,
    /// It is not valid yet, or was issued in the future.
    #[error("the signature is not valid yet")]
    NotYetValid,
    /// It is for another body.
    #[error("the signature is for another body")]
    Body,
}

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Three parts with a dot in between.
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

/// A well-formed token that is not verified yet.
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

    /// Returns whether `key` made the signature, in time that does not depend on the position of a difference.
    pub(super) fn is_signed_by(&self, key: &Hmac<Sha256>) -> bool {
        let mut mac = key.clone();
        mac.update(self.signed);
        mac.verify_slice(&self.signature).is_ok()
    }

    /// Returns the claims as JSON. Call it only after the signature was verified.
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

/// The relevant members of the header. Others are ignored, as RFC 7515 section 4 requires; none may appear twice.
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

/// Reads the header's members. A derived deserializer would accept a repeated unknown member.
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
                return Err(A::Error::custom("a member is repeated"));
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
