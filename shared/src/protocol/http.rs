//! The HTTP client: one TLS provider, compiled-in roots, a deadline on every call.
//!
//! Lambda freezes an instance between invocations, so a pooled connection may be dead after a thaw. The pool drops
//! connections that idled longer than most servers allow, and callers repeat calls that are safe to repeat.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use reqwest::dns::Resolve;
use rustls::{ClientConfig, RootCertStore};

/// How long a connection may take to open, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an unused connection stays in the pool: less than the idle limits of the called services.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// The longest accepted wait of an external service. It is also the longest that QStash accepts.
pub(crate) const MAX_WAIT: Duration = Duration::from_hours(24);

/// Returns the seconds of `Retry-After`, one day at most; a date counts as absent.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    bounded_wait(seconds)
}

/// Returns an external number of seconds, one day at most.
pub(super) fn bounded_wait(seconds: &str) -> Option<Duration> {
    let seconds = seconds.trim();
    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = is_number.then(|| seconds.parse().unwrap_or(u64::MAX))?;
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

/// The TLS set-up could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider does not support the required protocol versions.
    #[error("TLS setup failed")]
    Tls(#[from] rustls::Error),
    /// The client rejected its configuration.
    #[error("HTTP client setup failed")]
    Client(#[from] reqwest::Error),
}

/// Returns a client whose calls end within `timeout`. It does not follow redirects: none of the called services sends
/// any.
pub fn client(timeout: Duration) -> Result<reqwest::Client, Error> {
    Ok(builder(timeout)?.build()?)
}

/// Returns such a client that resolves names with `resolver`.
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

/// Returns whether `url` can be the base address of a service: http(s), without query, fragment or user.
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
