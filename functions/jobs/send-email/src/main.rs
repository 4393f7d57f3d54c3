//! `POST /api/jobs/send-email`: sends queued e-mails.
//!
//! Called by QStash, signed. Each mail to each recipient is counted in the budgets in Redis and goes through the ledger
//! in Postgres to Amazon SES or Resend. Claims the job's record in Redis before the work and commits it after. Outages
//! are retried, limits are waited for, and permanent rejections are final. No sent mail is sent again.

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
