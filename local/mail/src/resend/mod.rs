//! Resend: sends one mail or a batch, and retrieves one.
//!
//! <https://resend.com/docs/api-reference/introduction>. Differences: addresses at example.com are accepted (Resend
//! blocks them), the API key may always read, and scheduled mails are rejected.

mod authorization;
mod email;
mod idempotency;
mod refusal;
mod request;
mod retrieve;
mod send;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub use refusal::Code;

use self::idempotency::InFlight;
use self::refusal::Refusal;
use crate::account::Account;

/// The longest accepted body: 40 MB of mail after base64, inside JSON.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The state of the operations.
#[derive(Clone, Debug)]
struct Resend {
    account: Arc<Account>,
    in_flight: InFlight,
}

impl Resend {
    /// Counts a call against the rate limit, which all calls of a team share.
    fn count(&self) -> Result<(), Refusal> {
        let rate = &self.account.rates.resend;
        match rate.per_second() {
            Some(limit) if !rate.take(1) => Err(Refusal::too_many(limit)),
            _ => Ok(()),
        }
    }
}

/// Returns the routes of Resend.
pub(crate) fn router(account: Arc<Account>) -> Router {
    let resend = Resend {
        account,
        in_flight: InFlight::default(),
    };
    Router::new()
        .route("/emails", post(send::one))
        .route("/emails/batch", post(send::batch))
        .route("/emails/{id}", get(retrieve::retrieve))
        .fallback(async || Refusal::from(Code::NotFound))
        .method_not_allowed_fallback(async || Refusal::from(Code::MethodNotAllowed))
        .with_state(resend)
}
