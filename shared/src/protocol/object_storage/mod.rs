//! Object storage over S3's REST API: Amazon S3 or a compatible service (Supabase, `MinIO`, R2).
//!
//! Five calls, signed with AWS Signature Version 4; the SDK would be larger than all of them. Every call is safe to
//! repeat: an object is written completely, and deleting an absent object succeeds.

mod address;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::Timestamp;
use reqwest::Response;
use sha2::{Digest as _, Sha256};
use url::Url;

use self::address::Address;
use super::http as transport;
use super::sigv4::{self, Call, Credentials, Scope};
use crate::base::clock::Clock;
use crate::base::env;
use crate::base::hex::hex;
use crate::base::secret::Secret;

/// The time limit of one call, including its answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The payload hash of a presigned URL, whose body is not known yet.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The number of bytes of an error body that are searched for its code, which is near the start.
const REFUSAL: usize = 4096;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store did not answer, or cannot at the moment. A retry may succeed.
    #[error("the object store is unavailable: {0}")]
    Unavailable(String),
    /// There is no such object.
    #[error("the object does not exist")]
    Missing,
    /// The store rejected the call, and a retry cannot succeed: a missing right, a missing bucket, a wrong key.
    #[error("the object store rejected {action}: {status} {code}")]
    Refused {
        /// The action, as IAM policies name it.
        action: &'static str,
        /// The HTTP status.
        status: u16,
        /// The store's code, such as `AccessDenied`.
        code: String,
    },
}

/// A bucket. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    address: Address,
    region: String,
    credentials: Credentials,
    clock: Clock,
    http: reqwest::Client,
}

/// The metadata of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its size in bytes.
    pub size: u64,
}

/// One call.
struct ObjectRequest<'a> {
    action: &'static str,
    method: Method,
    key: &'a str,
    body: Bytes,
    content_type: Option<&'a str>,
}

impl<'a> ObjectRequest<'a> {
    fn new(action: &'static str, method: Method, key: &'a str) -> Self {
        Self {
            action,
            method,
            key,
            body: Bytes::new(),
            content_type: None,
        }
    }
}

impl Bucket {
    /// Returns the bucket of a variable, such as `DOCUMENTS_BUCKET`: at AWS with the function's own role, or at
    /// `DOCUMENTS_ENDPOINT` with `DOCUMENTS_ACCESS_KEY` and `DOCUMENTS_SECRET_KEY`.
    pub fn from_env(variable: &'static str) -> Result<Self, env::Error> {
        let endpoint: Option<Url> = match env::optional("DOCUMENTS_ENDPOINT") {
            Some(_) => Some(env::parsed("DOCUMENTS_ENDPOINT")?),
            None => None,
        };
        let region = env::optional("DOCUMENTS_REGION").or_else(|| env::optional("AWS_REGION"));
        let credentials = match env::optional("DOCUMENTS_ACCESS_KEY") {
            Some(access_key_id) => Credentials {
                access_key_id,
                secret_access_key: env::secret("DOCUMENTS_SECRET_KEY")?,
                session_token: None,
            },
            None => Credentials::from_env()?,
        };
        let bucket = env::required(variable)?;
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        Self::with(endpoint.as_ref(), &bucket, region, credentials).map_err(|reason| {
            env::Error::Malformed {
                name: "DOCUMENTS_ENDPOINT",
                reason,
            }
        })
    }

    /// Returns a bucket at an endpoint, with permanent keys.
    pub fn at(endpoint: &Url, bucket: &str, key_id: &str, key: Secret) -> Result<Self, String> {
        let credentials = Credentials {
            access_key_id: key_id.to_owned(),
            secret_access_key: key,
            session_token: None,
        };
        Self::with(Some(endpoint), bucket, "us-east-1".to_owned(), credentials)
    }

    /// Returns a bucket at AWS with its own host, and the temporary keys of a role.
    pub fn at_aws(
        bucket: &str,
        region: &str,
        key_id: &str,
        key: Secret,
        session_token: Secret,
    ) -> Result<Self, String> {
        let credentials = Credentials {
            access_key_id: key_id.to_owned(),
            secret_access_key: key,
            session_token: Some(session_token),
        };
        Self::with(None, bucket, region.to_owned(), credentials)
    }

    fn with(
        endpoint: Option<&Url>,
        bucket: &str,
        region: String,
        credentials: Credentials,
    ) -> Result<Self, String> {
        Ok(Self {
            address: Address::new(endpoint, bucket, &region)?,
            region,
            credentials,
            clock: Clock::system(),
            http: transport::client(TIMEOUT).map_err(|error| error.to_string())?,
        })
    }

    /// Writes a complete object, replacing one with this key.
    pub async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<(), Error> {
        let ask = ObjectRequest {
            body,
            content_type: Some(content_type),
            ..ObjectRequest::new("s3:PutObject", Method::PUT, key)
        };
        self.call(ask).await.map(drop)
    }

    /// Reads a complete object.
    pub async fn get(&self, key: &str) -> Result<Bytes, Error> {
        let answer = self
            .call(ObjectRequest::new("s3:GetObject", Method::GET, key))
            .await?;
        answer.bytes().await.map_err(|error| unavailable(&error))
    }

    /// Returns an object's metadata without reading it.
    pub async fn head(&self, key: &str) -> Result<ObjectInfo, Error> {
        let answer = self
            .call(ObjectRequest::new("s3:GetObject", Method::HEAD, key))
            .await?;
        let length = answer.headers().get(http::header::CONTENT_LENGTH);
        let size = length.and_then(|length| length.to_str().ok()?.parse().ok());
        Ok(ObjectInfo {
            size: size.unwrap_or_default(),
        })
    }

    /// Deletes an object. Succeeds if it does not exist.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let ask = ObjectRequest::new("s3:DeleteObject", Method::DELETE, key);
        match self.call(ask).await {
            Ok(_) | Err(Error::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns a URL that gives anyone read access to the object for `life`, at most seven days. None for a key that a
    /// URL cannot represent.
    #[must_use]
    pub fn presigned_get(&self, key: &str, life: Duration) -> Option<Url> {
        let mut url = self.address.url(key)?;
        let query = sigv4::presign(
            &self.credentials,
            self.scope(),
            self.now(),
            life,
            &Call {
                method: "GET",
                path: url.path(),
                query: "",
                headers: &[("host", self.address.host())],
                payload_hash: UNSIGNED,
            },
        );
        url.set_query(Some(&query));
        Some(url)
    }

    async fn call(&self, ask: ObjectRequest<'_>) -> Result<Response, Error> {
        let url = self.address.url(ask.key).ok_or_else(|| Error::Refused {
            action: ask.action,
            status: 400,
            code: "InvalidKey".to_owned(),
        })?;
        let hash = hex(&Sha256::digest(&ask.body));
        let mut headers = vec![
            ("host", self.address.host()),
            ("x-amz-content-sha256", hash.as_str()),
        ];
        headers.extend(ask.content_type.map(|kind| ("content-type", kind)));
        let signed = sigv4::sign_call(
            &self.credentials,
            self.scope(),
            self.now(),
            &Call {
                method: ask.method.as_str(),
                path: url.path(),
                query: "",
                headers: &headers,
                payload_hash: &hash,
            },
        );
        let mut request = self.http.request(ask.method.clone(), url.clone());
        for (name, value) in headers.iter().skip(1) {
            request = request.header(*name, *value);
        }
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let answer = request.body(ask.body).send().await;
        check_status(ask.action, answer.map_err(|error| unavailable(&error))?).await
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            region: &self.region,
            service: "s3",
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("host", &self.address.host())
            .finish_non_exhaustive()
    }
}

/// Returns the answer, or the error that its status means.
async fn check_status(action: &'static str, answer: Response) -> Result<Response, Error> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    // An answer to HEAD has no body; only its status is known.
    let body = answer.bytes().await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body[..body.len().min(REFUSAL)]).into_owned();
    let code = code(&text).unwrap_or_default().to_owned();
    if status == StatusCode::NOT_FOUND && code != "NoSuchBucket" {
        return Err(Error::Missing);
    }
    let passes = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || matches!(
            code.as_str(),
            "RequestTimeout" | "SlowDown" | "OperationAborted"
        );
    if passes {
        return Err(Error::Unavailable(format!("{status} {code}")));
    }
    Err(Error::Refused {
        action,
        status: status.as_u16(),
        code,
    })
}

/// Returns the code of an error's XML.
fn code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}

/// Returns a transport error without the URL, which names the object.
fn unavailable(error: &reqwest::Error) -> Error {
    let what = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection broke"
    };
    Error::Unavailable(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn error_code_is_read_from_the_xml_answer() {
        let text = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Key>a</Key></Error>";
        assert_eq!(code(text), Some("NoSuchKey"));
        assert_eq!(code("<html>"), None);
    }
}
