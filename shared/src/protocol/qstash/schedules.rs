//! Schedules: QStash publishes a message whenever a cron expression matches.

use std::collections::BTreeMap;

use http::{HeaderName, Method};
use jiff::Timestamp;
use serde::Deserialize;

use super::api::{Api, Call};
use super::builder::printable;
use super::error::Error;
use super::message::Message;
use super::messages::instant;
use super::name::ScheduleId;

const CRON: HeaderName = HeaderName::from_static("upstash-cron");
const SCHEDULE_ID: HeaderName = HeaderName::from_static("upstash-schedule-id");

/// A schedule as QStash reports it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Schedule {
    /// Its id, as given at its creation.
    pub schedule_id: String,
    /// Five fields, in UTC unless `CRON_TZ=Area/City` precedes them.
    pub cron: String,
    /// The destination of its messages.
    pub destination: String,
    /// Whether it is paused: it publishes nothing until it is resumed, and skips the missed runs.
    #[serde(default)]
    pub is_paused: bool,
    /// The number of retries.
    pub retries: Option<u32>,
    /// Its first label.
    pub label: Option<String>,
    /// Its body, if it is text.
    pub body: Option<String>,
    /// The wait before a retry, as an expression.
    pub retry_delay_expression: Option<String>,
    /// The URL that is called when a message has failed for good.
    pub failure_callback: Option<String>,
    /// The states of the last run's messages, by id.
    #[serde(default)]
    pub last_schedule_states: BTreeMap<String, String>,
    #[serde(default)]
    last_schedule_time: Option<i64>,
    #[serde(default)]
    next_schedule_time: Option<i64>,
}

impl Schedule {
    /// Returns the last publication, if there was one.
    #[must_use]
    pub fn last_run(&self) -> Option<Timestamp> {
        self.last_schedule_time.and_then(instant)
    }

    /// Returns the next publication, if QStash reports it.
    #[must_use]
    pub fn next_run(&self) -> Option<Timestamp> {
        self.next_schedule_time.and_then(instant)
    }
}

pub(super) async fn put_schedule(
    api: &Api,
    id: &ScheduleId,
    cron: &str,
    message: &Message,
) -> Result<(), Error> {
    let id = printable(id.as_str()).ok_or(Error::Argument("the schedule's id is not printable"))?;
    let cron = printable(cron.trim()).ok_or(Error::Argument("the cron is not printable"))?;
    let mut headers = message.headers().clone();
    headers.insert(CRON, cron);
    headers.insert(SCHEDULE_ID, id);
    let url = api.towards("schedules", message.destination())?;
    let call = Call::new(Method::POST, url).with(headers, message.body().clone());
    api.send(call.repeatable()).await.map(drop)
}

pub(super) async fn schedules(api: &Api) -> Result<Vec<Schedule>, Error> {
    let call = Call::new(Method::GET, api.at(&["schedules"])?).repeatable();
    api.fetch(call).await
}

pub(super) async fn schedule(api: &Api, id: &str) -> Result<Option<Schedule>, Error> {
    let call = Call::new(Method::GET, api.at(&["schedules", id])?).repeatable();
    api.fetch(call).await.map(Some).or_else(Error::absent)
}

pub(super) async fn delete_schedule(api: &Api, id: &str) -> Result<bool, Error> {
    let call = Call::new(Method::DELETE, api.at(&["schedules", id])?).repeatable();
    let gone = api.send(call).await.map(Some).or_else(Error::absent)?;
    Ok(gone.is_some())
}

pub(super) async fn pause_schedule(api: &Api, id: &str) -> Result<(), Error> {
    change_schedule(api, id, "pause").await
}

pub(super) async fn resume_schedule(api: &Api, id: &str) -> Result<(), Error> {
    change_schedule(api, id, "resume").await
}

async fn change_schedule(api: &Api, id: &str, verb: &str) -> Result<(), Error> {
    // The reference page says POST; the official SDK sends PATCH, which the service is known to accept.
    let url = api.at(&["schedules", id, verb])?;
    let call = Call::new(Method::PATCH, url).repeatable();
    api.send(call).await.map(drop)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;
    use url::Url;

    use crate::protocol::qstash::canned::{Answer, Server};
    use crate::protocol::qstash::{Message, ScheduleId};

    #[tokio::test]
    async fn schedule_is_put_as_a_message_with_a_cron_and_a_fixed_id() {
        let server = Server::answering([
            Answer::Cut,
            Answer::json(200, r#"{"scheduleId":"cleanup-expired"}"#),
        ]);
        let url = Url::parse("https://h.test/api/jobs/cleanup-expired").expect("a url");
        let message = Message::to(url).json(&json!({})).retries(2).build();
        let message = message.expect("a message");
        let client = server.client();
        let id = ScheduleId::parse("cleanup-expired").expect("an id");
        let put = client.put_schedule(&id, " 0 3 * * * ", &message);
        put.await.expect("put, the second time");
        server.request();
        let request = server.request();
        let line = "POST /v2/schedules/https://h.test/api/jobs/cleanup-expired HTTP/1.1";
        assert_eq!(
            (request.line.as_str(), &request.body[..]),
            (line, &b"{}"[..])
        );
        let headers = [
            "upstash-cron: 0 3 * * *",
            "upstash-retries: 2",
            "upstash-schedule-id: cleanup-expired",
        ];
        assert_eq!(request.upstash(), headers);
    }

    #[tokio::test]
    async fn schedules_are_listed_read_paused_resumed_and_deleted() {
        let one = r#"{"scheduleId":"s","cron":"* * * * *","destination":"d","isPaused":true,"createdAt":1,"nextScheduleTime":2000,"lastScheduleTime":0}"#;
        let server = Server::answering([
            Answer::json(200, &format!("[{one}]")),
            Answer::json(200, one),
            Answer::json(404, "{}"),
            Answer::json(200, ""),
            Answer::json(200, ""),
            Answer::json(200, ""),
            Answer::json(404, "{}"),
        ]);
        let client = server.client();
        assert_eq!(client.schedules().await.expect("listed").len(), 1);
        let schedule = client.schedule("s").await.expect("read").expect("there");
        assert!(schedule.is_paused && schedule.last_run().is_none());
        assert_eq!(schedule.next_run().map(Timestamp::as_second), Some(2));
        assert!(client.schedule("s").await.expect("read").is_none());
        client.pause_schedule("s").await.expect("paused");
        client.resume_schedule("s").await.expect("resumed");
        assert!(client.delete_schedule("s").await.expect("deleted"));
        assert!(!client.delete_schedule("s").await.expect("gone"));
        let lines = [(); 6].map(|()| server.request().line);
        assert_eq!(lines[0], "GET /v2/schedules HTTP/1.1");
        assert_eq!(lines[3], "PATCH /v2/schedules/s/pause HTTP/1.1");
        assert_eq!(lines[4], "PATCH /v2/schedules/s/resume HTTP/1.1");
        assert_eq!(lines[5], "DELETE /v2/schedules/s HTTP/1.1");
    }
}
