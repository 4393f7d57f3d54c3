//! One HTTP request to a receiver, with a new signature.
//!
//! Headers: <https://upstash.com/docs/qstash/howto/receiving>.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use rustls::{ClientConfig, RootCertStore};

use crate::error::causes;
use crate::event::Response;
use crate::header_map::Headers;
use crate::headers::is_framing;
use crate::hosts::Hosts;
use crate::message::Message;
use crate::outcome::Attempt;
use crate::signature;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The stored part of a response, at most.
const MAX_ANSWER: usize = 1024 * 1024;

/// The region name of the real server in Europe.
const REGION: &str = "EU-CENTRAL-1";

/// Creates the client for deliveries. It follows no redirect, which is a response like any other, and uses no proxy.
#[expect(
    clippy::disallowed_methods,
    reason = "the one client of this crate: own timeouts per message, no redirects"
)]
pub(crate) fn client() -> Result<reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let tls =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .build()?;
    Ok(client)
}

/// Delivers `message` once, at `wall_ms`, to a receiver with this `timeout`.
pub(crate) async fn attempt(
    sender: &Sender<'_>,
    message: &Message,
    body: Vec<u8>,
    wall_ms: u64,
    timeout: Duration,
) -> Attempt {
    let sent = tokio::time::timeout(timeout, sender.send(message, body, wall_ms)).await;
    let (response, headers) = match sent {
        Ok(Ok((response, headers))) => (response, Some(headers)),
        Ok(Err(error)) => (
            Response {
                error: Some(causes(&error)),
                ..Response::default()
            },
            None,
        ),
        Err(_) => {
            let error = format!("no answer within {} ms", timeout.as_millis());
            (
                Response {
                    error: Some(error),
                    ..Response::default()
                },
                None,
            )
        }
    };
    Attempt {
        started_ms: wall_ms,
        response,
        headers,
    }
}

/// Why a request failed without a response.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the signature cannot be created")]
    Signature(#[from] serde_json::Error),
    #[error("the request failed")]
    Http(#[from] reqwest::Error),
}

/// The context of every delivery.
pub(crate) struct Sender<'a> {
    /// The client.
    pub(crate) client: &'a reqwest::Client,
    /// The key that signs.
    pub(crate) key: &'a str,
    /// The hosts with fixed addresses.
    pub(crate) hosts: &'a Hosts,
}

impl Sender<'_> {
    async fn send(
        &self,
        message: &Message,
        body: Vec<u8>,
        wall_ms: u64,
    ) -> Result<(Response, HeaderMap), Error> {
        let target = &message.target;
        let signature = signature::sign(self.key, target.as_str(), &body, wall_ms)?;
        let mut headers = headers(message, &signature);
        let mut url = target.as_str().to_owned();
        if let Some(address) = self.hosts.address(target.host()) {
            url = format!("http://{address}{}", target.path_and_query());
            headers.extend(
                HeaderValue::from_str(target.host())
                    .ok()
                    .map(|host| (HOST, host)),
            );
        }
        let mut answer = self
            .client
            .request(message.options.method.to_http(), url)
            .headers(headers)
            .body(body)
            .send()
            .await?;
        let mut kept = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            let room = MAX_ANSWER.saturating_sub(kept.len());
            kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if kept.len() >= MAX_ANSWER {
                break;
            }
        }
        let headers = answer.headers().clone();
        let response = Response {
            status: answer.status().as_u16(),
            headers: Headers::from(&headers),
            body: STANDARD.encode(kept),
            error: None,
        };
        Ok((response, headers))
    }
}

fn headers(message: &Message, signature: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static("Upstash-QStash"));
    let mut forwarded: Vec<HeaderName> = Vec::new();
    for (name, value) in message.options.headers.pairs() {
        // A group's own headers, and those of an older store, were not filtered when they were stored.
        if is_framing(name) {
            continue;
        }
        // Both were checked when the message was accepted.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            if forwarded.contains(&name) {
                headers.append(name, value);
            } else {
                forwarded.push(name.clone());
                headers.insert(name, value);
            }
        }
    }
    // Set last: a publisher cannot forge the headers that receivers trust.
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("upstash-message-id", message.id.as_str());
    set("upstash-signature", signature);
    set("upstash-retried", &message.retried.to_string());
    set("upstash-caller-ip", &message.caller_ip);
    set("upstash-region", REGION);
    if let Some(schedule) = &message.schedule_id {
        set("upstash-schedule-id", schedule.as_str());
    }
    if let Some(group) = &message.url_group {
        set("upstash-topic-name", group.as_str());
    }
    headers
}
