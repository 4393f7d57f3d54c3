//! `/api/mail-events`: what mail providers report, and what became of each mail.

pub mod list;
mod reading;
mod resend;
mod ses;
mod sources;
pub mod take;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use shared::base::env;
use shared::edge::{Guard, limiter, unlimited};
use shared::service::mail_event::MailEvents;
use utoipa::OpenApi;

pub use sources::{SetupError, Sources};

/// The largest body that POST reads, in bytes. A message of SNS holds 256 KB, which JSON's escapes may double.
const LARGEST_BODY: usize = 512 << 10;

/// What the routes need: who is believed, and where events go.
#[derive(Clone, Debug)]
pub struct Desk {
    sources: Arc<Sources>,
    events: MailEvents,
}

impl Desk {
    /// Events of `sources` go to `events`.
    #[must_use]
    pub fn new(sources: Sources, events: MailEvents) -> Self {
        let sources = Arc::new(sources);
        Self { sources, events }
    }
}

/// The routes: reading behind the guard, reporting behind the provider's signature.
pub fn router(desk: Desk, guard: &Guard) -> Result<Router, env::Error> {
    let take = post(take::take).layer(DefaultBodyLimit::max(LARGEST_BODY));
    let take = unlimited(
        "a bulk makes thousands of reports from a few addresses, and a forged one costs nothing but its own check",
        take,
    );
    let list = guard.service(limiter::API.ahead(), get(list::list))?;
    Ok(Router::new()
        .route("/api/mail-events", list.merge(take))
        .with_state(desk))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(list::list, take::take),
    components(schemas(shared::service::email::Reference))
)]
pub struct Documentation;
