//! Fetches SNS's certificates, and keeps the last few of them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use reqwest::Response;
use url::Url;

use super::certificate::Certificate;
use super::error::{Error, Refusal, Unreachable};

/// How many certificates are kept. A region signs with one for about a year.
const MAX_CACHED: usize = 4;

/// The largest certificate that is read, in bytes; SNS's have some two thousand.
const MAX_BYTES: usize = 16 << 10;

/// The certificates that an instance has fetched.
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

    /// The certificate at `url`. Its name holds a hash of it, so what was fetched once stays true.
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

/// The answer, if it is one: trouble of the host may pass, everything else stands for `refusal`. A redirect is not
/// followed, because it could lead anywhere.
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

/// No answer, or not all of it.
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
