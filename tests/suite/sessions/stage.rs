//! A cloud with users, and short methods for their actions.

use std::ops::Deref;

use http::Method;
use local::cloud::Settings;
use serde_json::{Value, json};
use shared::base::secret::Secret;
use shared::protocol::postgres::{Postgres, Type, column};
use shared::protocol::qstash::Client;
use shared::service::job::Publisher;
use shared::service::session::Sessions;
use uuid::Uuid;

use crate::support::TestCloud;
use crate::support::cloud::{Answer, TIMEOUT, answer, with_json};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";

/// A cloud in which users log in.
pub(super) struct Stage(pub(super) TestCloud);

impl Stage {
    pub(super) async fn start() -> Self {
        Self(TestCloud::start().await)
    }

    pub(super) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self(TestCloud::start_with(change).await)
    }

    /// Returns a login's body; `token` is the first refresh token.
    pub(super) fn login_body(user: Uuid, id: &str, token: &str) -> Value {
        json!({
            "sessionId": id,
            "userId": user,
            "email": "ann@example.com",
            "refreshToken": token,
            "userAgent": FIREFOX,
            "ipAddress": "192.0.2.7",
        })
    }

    /// Creates a session with the first refresh token `t0`, and returns its id.
    pub(super) async fn login(&self, user: Uuid) -> String {
        let id = Uuid::new_v4().to_string();
        let body = Self::login_body(user, &id, "t0");
        let begun = self.post("/api/sessions", &body).await;
        assert_eq!(begun.status, 201, "{begun:?}");
        id
    }

    pub(super) async fn read(&self, id: &str) -> Answer {
        self.get(&format!("/api/sessions/{id}")).await
    }

    pub(super) async fn revoke(&self, id: &str) -> Answer {
        self.delete(&format!("/api/sessions/{id}")).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }

    pub(super) async fn refresh(&self, id: &str, given: &str, next: &str) -> Answer {
        let body = json!({ "refreshToken": given, "newRefreshToken": next });
        let path = format!("/api/sessions/{id}/refresh");
        self.post(&path, &body).await
    }

    pub(super) async fn set_totp(&self, id: &str, body: &Value) -> Answer {
        let path = format!("/api/sessions/{id}/totp");
        answer(with_json(self.request(Method::PUT, &path), body)).await
    }

    /// Returns the ids of a user's sessions from the API.
    pub(super) async fn listed(&self, user: Uuid) -> Vec<String> {
        let list = self.get(&format!("/api/users/{user}/sessions")).await;
        assert_eq!(list.status, 200, "{list:?}");
        let items = list.body["items"].as_array().unwrap().iter();
        items
            .map(|item| item["sessionId"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Runs a command directly at redis-server.
    pub(super) async fn redis(&self, words: &[&str]) -> redis::Value {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        let mut connection = self.redis_connection().await;
        command.query_async(&mut connection).await.unwrap()
    }

    /// Returns a field of a session's hash, as text.
    pub(super) async fn field(&self, id: &str, name: &str) -> Option<String> {
        let value = self.redis(&["HGET", &format!("session:{id}"), name]).await;
        redis::from_redis_value(value).unwrap()
    }

    /// Lets time pass for one session: every instant in its hash moves back, so that later calls seem that much later.
    pub(super) async fn pass_time(&self, id: &str, millis: i64) {
        for name in [
            "createdAt",
            "lastUsedAt",
            "endsAt",
            "savedAt",
            "rotatedAt",
            "totpVerifiedAt",
        ] {
            if let Some(at) = self.field(id, name).await {
                let earlier = at.parse::<i64>().unwrap() - millis;
                let key = format!("session:{id}");
                self.redis(&["HSET", &key, name, &earlier.to_string()])
                    .await;
            }
        }
    }

    /// Returns the database, as its owner.
    pub(super) fn owner(&self) -> Postgres {
        Postgres::at(self.migrations_database_url(), None).unwrap()
    }

    /// Returns the number of rows that a table has for a session.
    pub(super) async fn rows(&self, table: &str, id: &str) -> i64 {
        let sql = format!("select count(*) from {table} where session_id = $1");
        let rows = self.owner().query(&sql, &[(&id, Type::TEXT)]).await;
        column(&rows.unwrap()[0], "count").unwrap()
    }

    /// Returns an instance of the service in this process, with new connections.
    pub(super) fn service(&self) -> Sessions {
        let postgres = Postgres::at(self.database_url(), None).unwrap();
        Sessions::new(self.redis_client(), postgres, self.publisher())
    }

    /// Returns a publisher to this cloud's queue.
    pub(super) fn publisher(&self) -> Publisher {
        let token = Secret::new(self.variable("QSTASH_TOKEN").to_owned());
        let client = Client::new(self.variable("QSTASH_URL"), &token, TIMEOUT).unwrap();
        Publisher::new(client, self.functions_url().parse().unwrap())
    }
}

impl Deref for Stage {
    type Target = TestCloud;

    fn deref(&self) -> &TestCloud {
        &self.0
    }
}
