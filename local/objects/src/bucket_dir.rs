//! The folder of a bucket: a file for each object, named by its key, and its metadata beside it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use tokio::fs;

/// The longest file name from a key. File systems allow 255 bytes; longer keys are named by their hash.
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
    /// Opens the bucket in a folder, which is created if missing.
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

    /// Writes an object atomically: under another name first, so that no reader sees a partial object.
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

    /// Returns the object of a key, if there is one.
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

/// Returns the file name of a key: readable if possible, and never a path.
fn name(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for (place, byte) in key.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_')
            || (byte == b'.' && place > 0);
        if plain {
            name.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    if name.len() > MAX_NAME_LEN {
        name = hex(digest(&SHA256, key.as_bytes()).as_ref());
    }
    name
}

/// Returns bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
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
