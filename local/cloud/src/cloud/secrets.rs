//! The cloud's own secrets: random, created once, in a file that only its owner can read.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use uuid::Uuid;

use super::Error;
use super::private_file;

/// A P-256 key pair in the base64url form of Web Push libraries.
pub(super) struct VapidKeys {
    /// The uncompressed public point.
    pub(super) public: String,
    /// The private number.
    pub(super) private: String,
}

/// The ranges of the number and the point in a new PKCS #8 document of a P-256 key (RFC 5958, RFC 5915).
const NUMBER: std::ops::Range<usize> = 36..68;
const POINT: std::ops::Range<usize> = 73..138;

impl VapidKeys {
    fn fresh() -> Result<Self, io::Error> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|error| io::Error::other(error.to_string()))?;
        let part = |range| document.as_ref().get(range).unwrap_or_default();
        Ok(Self {
            public: URL_SAFE_NO_PAD.encode(part(POINT)),
            private: URL_SAFE_NO_PAD.encode(part(NUMBER)),
        })
    }
}

/// The secrets by name.
pub(super) struct Secrets {
    path: PathBuf,
    named: BTreeMap<String, String>,
}

impl Secrets {
    /// Reads the secrets under `data`. An unreadable file is an error and is not replaced, because the database uses
    /// the old secrets.
    pub(super) fn open(data: &Path) -> Result<Self, Error> {
        let path = data.join("secrets.json");
        let named = match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| Error::write(&path, error.into()))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Error::write(&path, error)),
        };
        Ok(Self { path, named })
    }

    /// Returns the secret of this name: 64 letters and digits. The first call creates it.
    pub(super) fn get(&mut self, name: &str) -> String {
        let fresh = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.named
            .entry(name.to_owned())
            .or_insert_with(fresh)
            .clone()
    }

    /// Returns the key pair of Web Push. The first call creates it.
    pub(super) fn vapid(&mut self) -> Result<VapidKeys, Error> {
        let [public, private] = ["vapid_public", "vapid_private"];
        if !self.named.contains_key(private) {
            let keys = VapidKeys::fresh().map_err(|error| Error::write(&self.path, error))?;
            self.named.insert(public.to_owned(), keys.public);
            self.named.insert(private.to_owned(), keys.private);
        }
        Ok(VapidKeys {
            public: self.get(public),
            private: self.get(private),
        })
    }

    /// Saves the new secrets.
    pub(super) fn save(&self) -> Result<(), Error> {
        let failed = |error| Error::write(&self.path, error);
        let bytes = serde_json::to_vec_pretty(&self.named).map_err(|error| failed(error.into()))?;
        private_file::write(&self.path, &bytes).map_err(failed)
    }
}
