//! The encrypted body of a message for one browser: RFC 8291 in one record of RFC 8188 (`aes128gcm`).

use ring::aead::{self, AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::subscription::Keys;

/// The largest body that every push service must accept (RFC 8030 section 7.2), in bytes.
const LARGEST_BODY: usize = 4096;

/// The size that the header, the padding's delimiter and the tag add to a payload.
const OVERHEAD: usize = SALT + 4 + 1 + PUBLIC_KEY + 1 + TAG;

/// The longest payload that fits into a body, in bytes.
pub const LARGEST_PAYLOAD: usize = LARGEST_BODY - OVERHEAD;

const SALT: usize = 16;
const PUBLIC_KEY: usize = 65;
const TAG: usize = 16;

/// The header contains the sender's key as the key id.
const KEY_ID_LENGTH: u8 = 65;

/// The record size: the whole body is one record.
const RECORD: u32 = 4096;

/// The delimiter of the last record (RFC 8188 section 2).
const LAST: u8 = 2;

/// Why a payload could not be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    /// The payload is longer than [`LARGEST_PAYLOAD`].
    #[error("the payload is longer than {LARGEST_PAYLOAD} bytes")]
    TooLong,
    /// The subscription's key is not a point of the curve, or the system has no random numbers.
    #[error("the payload cannot be encrypted for this subscription")]
    Key,
}

impl From<Unspecified> for Error {
    fn from(_: Unspecified) -> Self {
        Self::Key
    }
}

/// Encrypts a payload for one subscription, with a fresh key and a fresh salt.
pub(super) fn encrypt(payload: &[u8], receiver: &Keys) -> Result<Vec<u8>, Error> {
    if payload.len() > LARGEST_PAYLOAD {
        return Err(Error::TooLong);
    }
    let random = SystemRandom::new();
    let private = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let public = private.compute_public_key()?;
    let mut salt = [0; SALT];
    random.fill(&mut salt)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, receiver.p256dh());
    agree_ephemeral(private, &theirs, |secret| {
        seal(payload, receiver, public.as_ref(), secret, salt)
    })?
}

/// Returns the body for a given shared secret.
fn seal(
    payload: &[u8],
    receiver: &Keys,
    sender: &[u8],
    secret: &[u8],
    salt: [u8; SALT],
) -> Result<Vec<u8>, Error> {
    let context = [b"WebPush: info\0", receiver.p256dh(), sender];
    let material = expanded::<32>(receiver.auth(), secret, &context)?;
    let key = expanded::<16>(&salt, &material, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = expanded::<12>(&salt, &material, &[b"Content-Encoding: nonce\0"])?;

    let mut record = payload.to_vec();
    record.push(LAST);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        &mut record,
    )?;

    let mut body = Vec::with_capacity(OVERHEAD + payload.len());
    body.extend_from_slice(&salt);
    body.extend_from_slice(&RECORD.to_be_bytes());
    body.push(KEY_ID_LENGTH);
    body.extend_from_slice(sender);
    body.extend_from_slice(&record);
    Ok(body)
}

/// Computes HKDF with SHA-256 (RFC 5869): extracted with `salt`, expanded to `N` bytes.
fn expanded<const N: usize>(
    salt: &[u8],
    secret: &[u8],
    info: &[&[u8]],
) -> Result<[u8; N], Unspecified> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut output = [0; N];
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(info, Length(N))?
        .fill(&mut output)?;
    Ok(output)
}

/// The tag length that the overhead assumes.
const _: () = assert!(TAG == aead::MAX_TAG_LEN);

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{Error, Keys, LARGEST_BODY, LARGEST_PAYLOAD, encrypt, seal};

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn receiver() -> Keys {
        Keys::parse(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        )
        .unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn rfc_8291_example_is_reproduced_byte_for_byte() {
        let sealed = seal(
            b"When I grow up, I want to be a watermelon",
            &receiver(),
            &bytes(
                "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
            ),
            &bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
        );
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed.unwrap()), expected);
    }

    #[test]
    fn longest_payload_fills_the_largest_body_and_a_longer_one_is_refused() {
        let body = encrypt(&[7; LARGEST_PAYLOAD], &receiver()).unwrap();
        assert_eq!(body.len(), LARGEST_BODY);
        let longer = encrypt(&[7; LARGEST_PAYLOAD + 1], &receiver());
        assert_eq!(longer, Err(Error::TooLong));
    }

    #[test]
    fn messages_do_not_share_a_salt_or_a_key() {
        let [one, other] = [0, 1].map(|_| encrypt(b"same", &receiver()).unwrap());
        assert_ne!(one[..16], other[..16]);
        assert_ne!(one[21..86], other[21..86]);
    }

    #[test]
    fn key_that_is_not_a_curve_point_is_refused() {
        let mut point = receiver().p256dh().to_vec();
        point[64] ^= 1;
        let keys = Keys::parse(&URL_SAFE_NO_PAD.encode(point), "BTBZMqHH6r4Tts7J_aSIgg").unwrap();
        assert_eq!(encrypt(b"x", &keys), Err(Error::Key));
    }
}
