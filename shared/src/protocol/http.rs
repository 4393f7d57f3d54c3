//! The one HTTP client: one TLS provider, compiled-in roots, a deadline on every call.
//!
//! Lambda freezes an instance between invocations, so a pooled connection may be dead after a thaw; the pool drops
//! what has idled longer than most peers keep it, and callers repeat what is safe to repeat.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use reqwest::dns::Resolve;
use rustls::{ClientConfig, RootCertStore};

/// How long a connection may take to open, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an unused connection stays in the pool; below the idle limits of the services that are called.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// The longest wait that is taken from outside. A day is also the most that QStash takes from us.
pub(crate) const MAX_WAIT: Duration = Duration::from_hours(24);

/// The seconds of `Retry-After`, a day at the most; a date counts as absent.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    bounded_wait(seconds)
}

/// A number of seconds from outside, a day at the most.
pub(super) fn bounded_wait(seconds: &str) -> Option<Duration> {
    let seconds = seconds.trim();
    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = is_number.then(|| seconds.parse().unwrap_or(u64::MAX))?;
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

/// The TLS set-up could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider does not offer the protocol versions that are asked for.
    #[error("TLS setup failed")]
    Tls(#[from] rustls::Error),
    /// The client refused its configuration.
    #[error("HTTP client setup failed")]
    Client(#[from] reqwest::Error),
}

/// A client whose calls end after `timeout` at the latest. Redirects are not followed: no service here sends any.
pub fn client(timeout: Duration) -> Result<reqwest::Client, Error> {
    Ok(builder(timeout)?.build()?)
}

/// The same, with names looked up by `resolver`.
pub(super) fn client_with_resolver<R: Resolve + 'static>(
    timeout: Duration,
    resolver: Arc<R>,
) -> Result<reqwest::Client, Error> {
    Ok(builder(timeout)?.dns_resolver(resolver).build()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that builds a client"
)]
fn builder(timeout: Duration) -> Result<reqwest::ClientBuilder, Error> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .tcp_nodelay(true))
}

/// Whether `url` can be the address under which a service's paths lie: http(s), with neither query, fragment nor user.
pub(super) fn is_base(url: &url::Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::bounded_wait;

    #[test]
    fn retry_after_is_capped_at_a_day() {
        let seconds = |text| bounded_wait(text).map(|wait| wait.as_secs());
        for (text, expected) in [
            ("7", Some(7)),
            (" 86400 ", Some(86_400)),
            ("86401", Some(86_400)),
            ("18446744073709551615", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("-1", None),
            ("", None),
            ("Tue, 01 Dec 2026 00:00:00 GMT", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
        assert_eq!(bounded_wait("86401"), Some(Duration::from_hours(24)));
    }
}
