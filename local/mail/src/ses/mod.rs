//! Amazon SES, API version 2: the send operation.

mod authorization;
mod refusal;
mod send_email;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;

pub use refusal::Code;

use crate::account::Account;

/// Returns the routes of SES.
pub(crate) fn router(account: Arc<Account>) -> Router {
    Router::new()
        .route("/v2/email/outbound-emails", post(send_email::send_email))
        .fallback(send_email::unknown_operation)
        .method_not_allowed_fallback(send_email::unknown_operation)
        .with_state(account)
}
