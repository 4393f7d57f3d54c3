//! The object of a call, in both forms of S3: the bucket in the path, or in the host's name.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>.

use http::header;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::refusal::Refusal;

/// The longest key, in bytes.
const MAX_KEY: usize = 1024;

/// The host suffixes after a bucket's name: S3's own, and this machine's.
const HOSTS: [&str; 2] = [".amazonaws.com", ".localhost"];

/// Returns the bucket and the key of a call.
pub(crate) fn place(parts: &Parts) -> Result<(String, String), Refusal> {
    let path = parts.uri.path();
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = if let Some(bucket) = bucket_of_host(parts) {
        (bucket.to_owned(), path)
    } else {
        let (bucket, key) = path.split_once('/').unwrap_or_default();
        let bucket = percent_decode_str(bucket).decode_utf8();
        (bucket.map_err(|_| Refusal::NoSuchBucket)?.into(), key)
    };
    let key = percent_decode_str(key).decode_utf8();
    let key = key.map_err(|_| Refusal::BadKey)?.into_owned();
    if (1..=MAX_KEY).contains(&key.len()) {
        Ok((bucket, key))
    } else {
        Err(Refusal::BadKey)
    }
}

/// Returns the bucket of a virtual host: `{bucket}.s3.{region}.amazonaws.com` or `{bucket}.localhost`.
fn bucket_of_host(parts: &Parts) -> Option<&str> {
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    let host = host.split(':').next().unwrap_or_default();
    let suffix = HOSTS.iter().find(|suffix| host.ends_with(**suffix))?;
    let name = host.strip_suffix(suffix)?;
    match *suffix {
        ".localhost" => Some(name),
        _ => name.split_once(".s3").map(|(bucket, _)| bucket),
    }
}

#[cfg(test)]
mod tests {
    use super::place;
    use crate::refusal::Refusal;

    fn found(host: &str, path: &str) -> Result<(String, String), Refusal> {
        let request = http::Request::builder().uri(path).header("host", host);
        place(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn object_is_found_in_either_addressing_form() {
        for (host, path) in [
            ("127.0.0.1:9000", "/documents/a/b%20c"),
            ("localhost:9000", "/documents/a/b%20c"),
            ("s3.us-east-1.amazonaws.com", "/documents/a/b%20c"),
            ("documents.localhost:9000", "/a/b%20c"),
            ("documents.s3.us-east-1.amazonaws.com", "/a/b%20c"),
            ("documents.s3-us-west-2.amazonaws.com", "/a/b%20c"),
        ] {
            let expected = ("documents".to_owned(), "a/b c".to_owned());
            assert_eq!(found(host, path), Ok(expected), "{host}{path}");
        }
        assert_eq!(found("localhost", "/documents"), Err(Refusal::BadKey));
        assert_eq!(found("documents.localhost", "/"), Err(Refusal::BadKey));
    }
}
