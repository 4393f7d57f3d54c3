//! Fetches SNS's certificates, and caches the last few of them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use reqwest::Response;
use url::Url;

use super::certificate::Certificate;
use super::error::{Error, Refusal, Unreachable};

/// The number of cached certificates. A region signs with one for about a year.
const MAX_CACHED: usize = 4;

/// The largest certificate that is read, in bytes; SNS's have about two thousand.
const MAX_BYTES: usize = 16 << 10;

/// The certificate cache of an instance.
pub(super) struct Certificates {
    http: reqwest::Client,
    known: Mutex<VecDeque<(Url, Arc<Certificate>)>>,
}

impl Certificates {
    pub(super) fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            known: Mutex::default(),
        }
    }

    /// Returns the certificate at `url`. Its name contains its hash, so a cached certificate stays valid.
    pub(super) async fn get(&self, url: &Url) -> Result<Arc<Certificate>, Error> {
        if let Some(certificate) = self.kept(url) {
            return Ok(certificate);
        }
        let answer = self.http.get(url.clone()).send().await;
        let answer = answered(answer.map_err(lost)?, Refusal::Certificate)?;
        let pem = read(answer).await?;
        let certificate = Arc::new(Certificate::parse(&pem).ok_or(Refusal::Certificate)?);
        self.keep(url, &certificate);
        Ok(certificate)
    }

    fn kept(&self, url: &Url) -> Option<Arc<Certificate>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = known.iter();
        let (_, certificate) = known.find(|(known, _)| known == url)?;
        Some(Arc::clone(certificate))
    }

    fn keep(&self, url: &Url, certificate: &Arc<Certificate>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == MAX_CACHED {
            known.pop_front();
        }
        known.push_back((url.clone(), Arc::clone(certificate)));
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

/// Returns the answer if it is a success. Server errors may be temporary; any other status becomes `refusal`. A
/// redirect is not followed, because its target is not trusted.
pub(super) fn answered(answer: Response, refusal: Refusal) -> Result<Response, Error> {
    let status = answer.status();
    if status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        )
    {
        return Err(Unreachable::Status(status.as_u16()).into());
    }
    if status == StatusCode::OK {
        Ok(answer)
    } else {
        Err(refusal.into())
    }
}

/// Maps a missing or incomplete answer.
pub(super) fn lost(error: reqwest::Error) -> Error {
    Unreachable::Transport(error.without_url().into()).into()
}

async fn read(mut answer: Response) -> Result<Vec<u8>, Error> {
    let mut pem = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(lost)? {
        if pem.len() + chunk.len() > MAX_BYTES {
            return Err(Refusal::Certificate.into());
        }
        pem.extend_from_slice(&chunk);
    }
    Ok(pem)
}
