//! `POST /api/jobs/send-email`: delivers queued e-mails.
//!
//! Called by QStash, signed. Each mail to each recipient is taken out of the budgets in Redis and goes through the
//! ledger in Postgres to Amazon SES or Resend; the job's record in Redis is claimed before and committed after. Outages
//! are delivered again, limits are waited for, and what the provider will never take is given up; nothing that has gone
//! is sent twice.

mod deliver;
mod dispatcher;
mod failures;
mod outcome;
mod pace;
mod run;
mod template;

use deliver::SendEmailHandler;
use serde_json::Value;
use shared::edge::job::{Attempt, Work, Worker};
use shared::edge::{Fatal, start};
use shared::protocol::upstash::Redis;
use shared::service::job::{JobType, Stop};
use shared::service::mail::payload::{Bulk, Email, TYPES};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let worker = Worker::from_env(JobType::Email, &redis)?.supporting(&TYPES);
    let handler = SendEmailHandler::from_env(&redis).await?;
    redis.connect().await;
    worker.serve(&handler).await
}

impl Work for SendEmailHandler {
    type Payload = Email;

    async fn run(&self, attempt: &Attempt<'_>, email: Email) -> Result<Value, Stop> {
        let email = match email {
            Email::Bulk(bulk) if bulk.emails.len() > Bulk::PER_JOB => {
                return attempt
                    .split(bulk.split().into_iter().map(Email::Bulk))
                    .await;
            }
            email => email,
        };
        let delivered = self.deliver(attempt, &email).await?;
        serde_json::to_value(delivered).map_err(Stop::retry)
    }
}
