//! The address of an object.

use std::fmt::Write as _;

use url::Url;

use super::transport;

/// A bucket's address: its own host at AWS, a folder of the endpoint elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Address {
    base: Url,
    host: String,
}

impl Address {
    pub(super) fn new(endpoint: Option<&Url>, bucket: &str, region: &str) -> Result<Self, String> {
        let base = match endpoint {
            Some(endpoint) if !transport::is_base(endpoint) => {
                return Err("it is not an http(s) address".to_owned());
            }
            Some(endpoint) => {
                let base = endpoint.as_str().trim_end_matches('/');
                format!("{base}/{}/", encoded(bucket))
            }
            None => format!("https://{bucket}.s3.{region}.amazonaws.com/"),
        };
        let base: Url = base
            .parse()
            .map_err(|error: url::ParseError| error.to_string())?;
        let host = base.host_str().ok_or("it names no host")?.to_owned();
        let host = match base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Self { base, host })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the URL of a key, whose path is signed. None for a key with dot segments (`..`): a URL parser would
    /// resolve them to another object.
    pub(super) fn url(&self, key: &str) -> Option<Url> {
        let is_step = |segment: &str| segment == "." || segment == "..";
        if key.is_empty() || key.starts_with('/') || key.split('/').any(is_step) {
            return None;
        }
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path(), encoded(key)));
        Some(url)
    }
}

/// Returns the text percent-encoded for the signature: all characters except unreserved ones and slashes.
fn encoded(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn bucket_is_a_host_at_aws_and_a_path_at_other_endpoints() {
        let aws = Address::new(None, "docs", "eu-west-1").unwrap();
        assert_eq!(
            aws.url("a/b c+ü.pdf").unwrap().as_str(),
            "https://docs.s3.eu-west-1.amazonaws.com/a/b%20c%2B%C3%BC.pdf"
        );
        let endpoint = "http://localhost:9000/storage/v1/s3".parse().unwrap();
        let own = Address::new(Some(&endpoint), "docs", "x").unwrap();
        assert_eq!(
            own.url("a").unwrap().as_str(),
            "http://localhost:9000/storage/v1/s3/docs/a"
        );
        assert_eq!(own.host(), "localhost:9000");
        for key in ["", "/a", "..", "a/../b", "./a"] {
            assert!(own.url(key).is_none(), "{key:?} leads elsewhere");
        }
        let query = "http://localhost/?a".parse().unwrap();
        assert!(Address::new(Some(&query), "docs", "x").is_err());
    }
}
