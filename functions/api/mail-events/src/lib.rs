//! `/api/mail-events`: what mail providers report, and what became of each mail.

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

/// The largest body that POST reads, in bytes. A message of SNS holds 256 KB, which JSON's escapes may double.
const MAX_BODY: usize = 512 << 10;

/// What the routes need: who is believed, and where events go.
#[derive(Clone, Debug)]
pub struct AppState {
    sources: Arc<Sources>,
    events: MailEvents,
}

impl AppState {
    /// Events of `sources` go to `events`.
    #[must_use]
    pub fn new(sources: Sources, events: MailEvents) -> Self {
        let sources = Arc::new(sources);
        Self { sources, events }
    }
}

/// The routes: reading behind the guard, reporting behind the provider's signature.
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
