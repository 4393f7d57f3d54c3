//! The RSA keys of the local topic. They are public, in the source tree. Only loopback trusts their signatures, because
//! no other address serves their certificate.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SigningKey;

use super::Error;

/// A key and its certificate, both as PEM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    key: &'static str,
    pub(super) certificate: &'static str,
}

/// The topic's key.
pub(super) const TOPIC: Identity = Identity {
    key: include_str!("../../../assets/sns/local-test.key.pem"),
    certificate: include_str!("../../../assets/sns/local-test.certificate.pem"),
};

/// A foreign key, for forgeries.
pub(super) const STRANGER: Identity = Identity {
    key: include_str!("../../../assets/sns/stranger.key.pem"),
    certificate: include_str!("../../../assets/sns/stranger.certificate.pem"),
};

/// A key that signs with `SignatureVersion` 2: RSA PKCS #1 v1.5 over SHA-256.
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
