//! The inbox page. It is compiled in and loads nothing from other hosts.

use axum::response::{Html, IntoResponse};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};

/// The page may load its own style and script, talk to its own mailbox, and frame its own mails.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    frame-src 'self'; base-uri 'none'; form-action 'none'";

/// `GET /`.
pub(super) async fn html() -> impl IntoResponse {
    (
        [
            (CONTENT_SECURITY_POLICY, PAGE_POLICY),
            (REFERRER_POLICY, "no-referrer"),
        ],
        Html(include_str!("../../assets/inbox.html")),
    )
}

/// `GET /inbox.css`.
pub(super) async fn css() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("../../assets/inbox.css"),
    )
}

/// `GET /inbox.js`.
pub(super) async fn js() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/javascript; charset=utf-8")],
        include_str!("../../assets/inbox.js"),
    )
}
