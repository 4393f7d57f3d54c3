//! `/api/mail-events`: events from mail providers, and the delivery state of each mail.

pub mod list;
mod parse;
pub mod receive;
mod resend;
mod ses;
mod sources;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use shared::base::env;
use shared::edge::{Guard, limiter, unlimited};
use shared::service::mail::event::MailEvents;
use utoipa::OpenApi;

pub use sources::{SetupError, Sources};

/// The largest body that POST accepts, in bytes. An SNS message holds 256 KB, which JSON escapes may double.
const MAX_BODY: usize = 512 << 10;

/// The state of the routes: the trusted providers and the store of events.
#[derive(Clone, Debug)]
pub struct AppState {
    sources: Arc<Sources>,
    events: MailEvents,
}

impl AppState {
    /// Creates the state: events from `sources` are written to `events`.
    #[must_use]
    pub fn new(sources: Sources, events: MailEvents) -> Self {
        let sources = Arc::new(sources);
        Self { sources, events }
    }
}

/// Returns the routes: GET behind the guard, POST behind the provider's signature.
pub fn router(state: AppState, guard: &Guard) -> Result<Router, env::Error> {
    let receive = post(receive::receive).layer(DefaultBodyLimit::max(MAX_BODY));
    let receive = unlimited(
        "a bulk makes thousands of reports from a few addresses, and a forged one costs nothing but its own check",
        receive,
    );
    let list = guard.service(limiter::API.before(), get(list::list))?;
    Ok(Router::new()
        .route("/api/mail-events", list.merge(receive))
        .with_state(state))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(list::list, receive::receive),
    components(schemas(shared::service::mail::payload::Reference))
)]
pub struct Documentation;
