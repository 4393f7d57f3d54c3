//! `/api/mail-events`: takes what mail providers report of mails, and tells what became of them.
//!
//! POST is called by Amazon SNS with SES's events and by Resend's webhooks; each signs, and nothing is read before its
//! signature is verified. GET is called by the web app for its administrators and by the person on call, with the
//! service token, counted in Redis. Reads and writes the ledger, its events and the suppression list in Postgres; fetches
//! the topic's certificate and confirms its subscription at SNS's own host.

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
