//! The RSA keys of the local topic. They lie in the source tree for anybody to read: what they sign is believed on
//! loopback only, because nothing else names their certificate's address.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SigningKey;

use super::Error;

/// A key and the certificate that speaks for it, both as PEM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    key: &'static str,
    pub(super) certificate: &'static str,
}

/// The topic's own.
pub(super) const TOPIC: Identity = Identity {
    key: include_str!("../../../assets/sns/local-test.key.pem"),
    certificate: include_str!("../../../assets/sns/local-test.certificate.pem"),
};

/// Somebody else's, for forgeries.
pub(super) const STRANGER: Identity = Identity {
    key: include_str!("../../../assets/sns/stranger.key.pem"),
    certificate: include_str!("../../../assets/sns/stranger.certificate.pem"),
};

/// A key that signs as `SignatureVersion` 2 does: RSA PKCS #1 v1.5 over SHA-256.
#[derive(Clone, Debug)]
pub(super) struct Key(Arc<dyn SigningKey>);

impl Key {
    pub(super) fn of(identity: Identity) -> Result<Self, Error> {
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(|_| Error::Key)?;
        Ok(Self(any_supported_type(&key).map_err(|_| Error::Key)?))
    }

    pub(super) fn sign(&self, text: &str) -> Result<Vec<u8>, Error> {
        let signer = self
            .0
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
            .ok_or(Error::Key)?;
        signer.sign(text.as_bytes()).map_err(|_| Error::Key)
    }
}
