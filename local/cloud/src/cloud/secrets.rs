//! The cloud's own secrets: random, made once, kept in a file that only its owner can read.

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

/// A P-256 key pair as Web Push libraries write it, in base64url.
pub(super) struct VapidKeys {
    /// The uncompressed point.
    pub(super) public: String,
    /// The number.
    pub(super) private: String,
}

/// Where the number and the point stand in a fresh PKCS #8 document of a P-256 key (RFC 5958, RFC 5915).
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
    /// Reads what is kept under `data`. A file that is no longer readable as secrets is an error, not a reason for new
    /// ones: the database knows the old.
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

    /// The secret of this name, made when it is asked for the first time: 64 letters and digits.
    pub(super) fn get(&mut self, name: &str) -> String {
        let fresh = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.named
            .entry(name.to_owned())
            .or_insert_with(fresh)
            .clone()
    }

    /// The key pair of Web Push, made when it is asked for the first time.
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

    /// Writes what was made.
    pub(super) fn save(&self) -> Result<(), Error> {
        let failed = |error| Error::write(&self.path, error);
        let bytes = serde_json::to_vec_pretty(&self.named).map_err(|error| failed(error.into()))?;
        private_file::write(&self.path, &bytes).map_err(failed)
    }
}
