//! What the topic's host answers: its certificate.

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;

use super::key::TOPIC;
use super::signer::certificate_path;

/// The routes of the topic's host.
pub(crate) fn router() -> Router {
    Router::new().route(
        &certificate_path(),
        get(async || {
            (
                [(CONTENT_TYPE, "application/x-pem-file")],
                TOPIC.certificate,
            )
        }),
    )
}
