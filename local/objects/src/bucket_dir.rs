//! The folder: a file for each object, whose name is its key, and beside it what the object is.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use tokio::fs;

/// File systems take names of 255 bytes; longer keys are named by their hash.
const MAX_NAME_LEN: usize = 200;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// One bucket's folder.
#[derive(Debug)]
pub(crate) struct BucketDir {
    objects: PathBuf,
    types: PathBuf,
    unfinished: PathBuf,
    next: AtomicU64,
}

impl BucketDir {
    /// The shelf in a folder, which is made where it is missing.
    pub(crate) async fn open(folder: &Path) -> io::Result<Self> {
        let bucket_dir = Self {
            objects: folder.join("objects"),
            types: folder.join("types"),
            unfinished: folder.join("unfinished"),
            next: AtomicU64::new(0),
        };
        for folder in [
            &bucket_dir.objects,
            &bucket_dir.types,
            &bucket_dir.unfinished,
        ] {
            fs::create_dir_all(folder).await?;
        }
        Ok(bucket_dir)
    }

    /// Writes an object whole: under another name first, so that nobody ever reads half of it.
    pub(crate) async fn put(&self, key: &str, object: &Object) -> io::Result<()> {
        let name = name(key);
        self.write(&self.types.join(&name), object.content_type.as_bytes())
            .await?;
        self.write(&self.objects.join(&name), &object.body).await
    }

    async fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.unfinished.join(number.to_string());
        fs::write(&unfinished, content).await?;
        fs::rename(&unfinished, path).await
    }

    /// The object of a key, if there is one.
    pub(crate) async fn get(&self, key: &str) -> io::Result<Option<Object>> {
        let name = name(key);
        let body = match fs::read(self.objects.join(&name)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?.into(),
        };
        let content_type = fs::read_to_string(self.types.join(&name)).await;
        Ok(Some(Object {
            content_type: content_type.unwrap_or_else(|_| "binary/octet-stream".to_owned()),
            body,
        }))
    }

    /// Removes an object, if there is one.
    pub(crate) async fn remove(&self, key: &str) -> io::Result<()> {
        let name = name(key);
        for folder in [&self.objects, &self.types] {
            match fs::remove_file(folder.join(&name)).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The file of a key: readable where it can be, and never a path.
fn name(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for (place, byte) in key.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_')
            || (byte == b'.' && place > 0);
        if plain {
            name.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    if name.len() > MAX_NAME_LEN {
        name = hex(digest(&SHA256, key.as_bytes()).as_ref());
    }
    name
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn key_cannot_leave_the_folder_and_has_its_own_file() {
        assert_eq!(name("tmp/a b.pdf"), "tmp%2Fa%20b.pdf");
        assert_eq!(name(".."), "%2E.");
        assert_eq!(name(&"x".repeat(201)).len(), 64);
        assert_ne!(name("a/b"), name("a%2Fb"));
    }
}
