//! Checks the token of every call: `Authorization: Bearer` or `?qstash_token=`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;

use crate::broker::Broker;

use super::refusal::Refusal;

/// Counts the call, and accepts it if it has the token.
pub(super) async fn require_token(
    State(broker): State<Arc<Broker>>,
    request: Request,
    next: Next,
) -> Response {
    broker.count_request();
    let presented = bearer(&request).or_else(|| parameter(request.uri().query()));
    let known =
        presented.is_some_and(|token| bool::from(token.as_bytes().ct_eq(broker.token.as_bytes())));
    if known {
        next.run(request).await
    } else {
        Refusal::Unauthorized.into_response()
    }
}

fn bearer(request: &Request) -> Option<String> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

fn parameter(query: Option<&str>) -> Option<String> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(name, _)| name == "qstash_token")
        .map(|(_, token)| token.into_owned())
}
