//! Notifications through the real binaries: recipients, rows, unread counts and push messages.

mod bulk;
mod delivery;
mod inbox;
mod locks;
mod preferences;
mod push;
mod refused;
mod unread;
mod web_app;

use http::Method;
use local::cloud::Settings;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::ledger::LedgerDatabase;

const NOTIFICATIONS: &str = "/api/queue/notifications";
const SEND_NOTIFICATION: &str = "send-notification";

/// A cloud, and direct access to its database.
struct Stage {
    cloud: TestCloud,
    database: LedgerDatabase,
}

impl Stage {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let cloud = TestCloud::start_with(change).await;
        let database = LedgerDatabase::of(&cloud);
        Self { cloud, database }
    }

    /// Enqueues a notification and returns its finished job.
    async fn notify(&self, payload: &Value) -> Value {
        let taken = self.cloud.post(NOTIFICATIONS, payload).await;
        assert_eq!(taken.status, 202, "{payload}: {taken:?}");
        let id = taken.body["jobId"].as_str().unwrap();
        self.cloud.wait_for(id, "completed").await
    }

    /// Calls a route as a user.
    async fn ask(&self, user: Uuid, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.cloud.request(method, path);
        let request = request.header("x-user-id", user.to_string());
        answer(match body {
            Some(body) => with_json(request, body),
            None => request,
        })
        .await
    }

    /// Returns the first page of a user's inbox.
    async fn inbox(&self, user: Uuid) -> Vec<Value> {
        let path = "/api/notifications?limit=100";
        let page = self.ask(user, Method::GET, path, None).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.body["items"].as_array().unwrap().clone()
    }

    /// Returns the API's count of a user's unread notifications.
    async fn unread(&self, user: Uuid) -> i64 {
        let path = "/api/notifications/unread-count";
        let count = self.ask(user, Method::GET, path, None).await;
        assert_eq!(count.status, 200, "{count:?}");
        count.body["unreadCount"].as_i64().unwrap()
    }

    /// Marks notifications of a user as read.
    async fn read(&self, user: Uuid, body: &Value) -> Answer {
        let path = "/api/notifications/read";
        self.ask(user, Method::POST, path, Some(body)).await
    }

    /// Returns the events of a user's channel, oldest first: type and data.
    async fn events(&self, user: Uuid) -> Vec<(String, Value)> {
        let mut redis = self.cloud.redis_connection().await;
        let key = format!("events:user:{user}:notifications");
        let entries: Vec<(String, Vec<String>)> = redis::cmd("XRANGE")
            .arg(key)
            .arg("-")
            .arg("+")
            .query_async(&mut redis)
            .await
            .unwrap();
        let entries = entries.into_iter();
        entries
            .map(|(_, fields)| {
                let text = |name: &str| {
                    let place = fields.iter().step_by(2).position(|field| field == name);
                    fields[2 * place.unwrap() + 1].clone()
                };
                (text("type"), serde_json::from_str(&text("data")).unwrap())
            })
            .collect()
    }
}

/// Returns a user that no other test uses.
fn new_user() -> Uuid {
    Uuid::new_v4()
}

/// Returns a notification with all its content.
fn general(user: Uuid) -> Value {
    json!({ "type": "general", "userId": user, "title": "News", "message": "There are some." })
}
