//! `POST /api/jobs/send-notification`: writes notifications and sends them to their users.
//!
//! Called by QStash, signed. Each notification becomes one row of the user's inbox in Postgres, unless the user's
//! preferences exclude it. Then an event and the new unread count go to Redis, and messages go to the user's browsers
//! through their push services. Claims the job's record in Redis before the work and commits it after.

mod announce;
mod deliver;
mod outcome;
mod push;

use deliver::SendNotificationHandler;
use serde_json::Value;
use shared::edge::job::{Attempt, Work, Worker};
use shared::edge::{Fatal, start};
use shared::protocol::upstash::Redis;
use shared::service::job::{JobType, Stop};
use shared::service::notification::{Bulk, Notification, TYPES};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let worker = Worker::from_env(JobType::Notification, &redis)?.supporting(&TYPES);
    let handler = SendNotificationHandler::from_env(&redis)?;
    redis.connect().await;
    worker.serve(&handler).await
}

impl Work for SendNotificationHandler {
    type Payload = Notification;

    async fn run(&self, attempt: &Attempt<'_>, notification: Notification) -> Result<Value, Stop> {
        let notification = match notification {
            Notification::BulkNotification(bulk) if bulk.notifications.len() > Bulk::PER_JOB => {
                let parts = bulk.split().into_iter();
                return attempt
                    .split(parts.map(Notification::BulkNotification))
                    .await;
            }
            notification => notification,
        };
        let outcome = self.deliver(attempt, &notification).await?;
        serde_json::to_value(outcome).map_err(Stop::retry)
    }
}
