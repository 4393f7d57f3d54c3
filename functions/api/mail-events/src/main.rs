//! `/api/mail-events`: receives events from mail providers and lists the delivery state of mails.
//!
//! POST is called by Amazon SNS with SES events and by Resend webhooks. Each request is signed, and its signature is
//! verified before the body is read. GET is called with the service token by the web app for its administrators and by
//! the person on call, and is counted in Redis. Reads and writes the ledger, its events and the suppression list in
//! Postgres. Fetches the topic's certificate and confirms its subscription at SNS's own host.

use mail_events::{AppState, Sources, router};
use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Redis;
use shared::service::mail::event::MailEvents;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let sources = Sources::from_env()?;
    let redis = Redis::from_env()?;
    let guard = Guard::from_env(&redis)?;
    let events = MailEvents::new(Postgres::from_env()?);
    let state = AppState::new(sources, events);
    let router = router(state, &guard)?;
    redis.connect().await;
    api::serve("mail-events", router, redis.usage().clone()).await
}
