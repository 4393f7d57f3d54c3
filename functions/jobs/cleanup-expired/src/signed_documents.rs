//! Deletes the signed document of a request after its retention, from the bucket of signed documents.
//!
//! `final_pdf_url` holds its location: an object key or a URL, depending on the writer of the row. An object is deleted
//! only if its key names the request, so that no row can delete another request's evidence.

use percent_encoding::percent_decode_str;
use shared::base::env;
use shared::protocol::object_storage::{Bucket, Error};
use shared::service::cleanup::EndedRequest;
use url::Url;

/// The bucket, if one is configured.
pub(crate) struct SignedDocuments(Option<(String, Bucket)>);

impl SignedDocuments {
    /// Reads the bucket from `SIGNED_BUCKET`. Without it, signed documents are kept.
    pub(crate) fn from_env() -> Result<Self, env::Error> {
        let Some(name) = env::optional("SIGNED_BUCKET") else {
            return Ok(Self(None));
        };
        Ok(Self(Some((name, Bucket::from_env("SIGNED_BUCKET")?))))
    }

    /// Deletes a request's signed document. Returns false if there may be a document that is not ours to delete.
    pub(crate) async fn remove(&self, request: &EndedRequest) -> Result<bool, Error> {
        let Some(url) = request.final_pdf_url.as_deref().filter(|it| !it.is_empty()) else {
            return Ok(true);
        };
        let Some((name, bucket)) = &self.0 else {
            return Ok(false);
        };
        if let Some(key) = key(name, url).filter(|key| key.contains(&request.id)) {
            bucket.delete(&key).await.map(|()| true)
        } else {
            tracing::warn!(
                request = request.id,
                "signed document kept: final_pdf_url names no object of this request"
            );
            Ok(false)
        }
    }
}

/// Returns the object key that a text names in a bucket: the text itself, or the part after the bucket in its URL.
fn key(bucket: &str, text: &str) -> Option<String> {
    if !text.contains("://") {
        return Some(text.trim_start_matches('/').to_owned());
    }
    let url = Url::parse(text).ok()?;
    let path = url.path().trim_start_matches('/');
    let is_host = url.host_str()?.starts_with(&format!("{bucket}.s3"));
    let key = if is_host {
        path
    } else {
        // The path is at an endpoint, or after Supabase's `/storage/v1/object/public/`.
        let (_, key) = url.path().split_once(&format!("/{bucket}/"))?;
        key
    };
    let key = percent_decode_str(key).decode_utf8().ok()?;
    Some(key.into_owned())
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn object_key_is_found_in_a_key_or_a_url_of_its_bucket_only() {
        for (text, found) in [
            ("r-1/final.pdf", Some("r-1/final.pdf")),
            (
                "https://signed.s3.eu-west-1.amazonaws.com/r-1/a%20b.pdf",
                Some("r-1/a b.pdf"),
            ),
            ("http://127.0.0.1:9000/signed/r-1.pdf", Some("r-1.pdf")),
            (
                "https://x.supabase.co/storage/v1/object/public/signed/r-1.pdf?token=t",
                Some("r-1.pdf"),
            ),
            (
                "https://x.supabase.co/storage/v1/object/public/avatars/r-1.pdf",
                None,
            ),
            ("https://signed.example.com/r-1.pdf", None),
            ("data://", None),
        ] {
            assert_eq!(key("signed", text).as_deref(), found, "{text}");
        }
    }
}
