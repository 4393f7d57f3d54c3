//! Web Push through the binaries: accepted endpoints, the life of subscriptions, and the number of messages to a
//! browser. Another implementation checks the payload: `tests/sdk/push`.

use http::{Method, StatusCode};
use local_push::PushMessage;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{SEND_NOTIFICATION, Stage, general, new_user};
use crate::support::cloud::Answer;

const PATH: &str = "/api/notifications/subscriptions";

/// The key of RFC 8291's example, and its secret.
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

impl Stage {
    async fn subscribe(&self, user: Uuid, endpoint: &str) -> Answer {
        let body = json!({ "endpoint": endpoint, "expirationTime": null, "keys": { "p256dh": P256DH, "auth": AUTH } });
        self.ask(user, Method::POST, PATH, Some(&body)).await
    }

    /// Returns a user with a browser at the local push service.
    async fn with_browser(&self, name: &str) -> Uuid {
        let user = new_user();
        let endpoint = self.cloud.push().endpoint(name);
        let subscribed = self.subscribe(user, &endpoint).await;
        assert_eq!(subscribed.status, 201, "{subscribed:?}");
        user
    }

    /// Returns the messages that a browser's push service accepted.
    fn taken(&self, name: &str) -> Vec<PushMessage> {
        let taken = self.cloud.push().taken().into_iter();
        taken.filter(|message| message.name == name).collect()
    }

    async fn subscriptions(&self, user: Uuid) -> Value {
        let sql = format!(
            "select to_jsonb(count(*)) as value from signtusk.push_subscriptions where user_id = '{user}'"
        );
        self.database.read(&sql).await
    }
}

#[tokio::test]
async fn push_is_sent_once_and_its_message_is_replaceable() {
    let stage = Stage::start().await;
    let user = stage.with_browser("one").await;
    let again = stage
        .subscribe(user, &stage.cloud.push().endpoint("one"))
        .await;
    assert_eq!(again.status, 200, "{again:?}");
    let mut payload = general(user);
    payload["type"] = "signature_request".into();
    let job = stage.notify(&payload).await;
    assert_eq!(job["result"]["pushed"], 1, "{job:#}");
    let taken = stage.taken("one");
    assert_eq!(taken.len(), 1);
    let id: Uuid = stage.inbox(user).await[0]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(taken[0].topic, id.simple().to_string());
    assert_eq!((taken[0].ttl, taken[0].urgency.as_str()), (86_400, "high"));

    // A delivery whose commit was lost does not notify the browser again.
    let mut redelivered = payload.clone();
    redelivered["jobId"] = job["jobId"].clone();
    let mut redis = stage.cloud.redis_connection().await;
    let key = format!("job:{}", job["jobId"].as_str().unwrap());
    let () = redis::cmd("HSET")
        .arg(key)
        .arg("status")
        .arg("failed")
        .query_async(&mut redis)
        .await
        .unwrap();
    let response = stage.cloud.deliver(SEND_NOTIFICATION, &redelivered).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(stage.taken("one").len(), 1);
}

#[tokio::test]
async fn unknown_push_service_url_is_refused() {
    let stage = Stage::start().await;
    let user = new_user();
    for endpoint in [
        "http://127.0.0.1/x",
        "http://127.0.0.1:9/push/x",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://192.168.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://2130706433/x",
        "https://push.example.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://fcm.googleapis.com@evil.example/x",
        "http://fcm.googleapis.com/x",
        "file:///etc/passwd",
        "x",
    ] {
        let refused = stage.subscribe(user, endpoint).await;
        refused.assert_invalid("/endpoint", endpoint);
    }
    for (keys, pointer) in [
        (json!({ "p256dh": "x", "auth": AUTH }), "/keys/p256dh"),
        (json!({ "p256dh": P256DH, "auth": "x" }), "/keys/auth"),
        (json!({ "p256dh": P256DH }), "/keys"),
    ] {
        let body = json!({ "endpoint": "https://fcm.googleapis.com/x", "keys": keys });
        let refused = stage.ask(user, Method::POST, PATH, Some(&body)).await;
        refused.assert_invalid(pointer, &body.to_string());
    }
    assert_eq!(stage.subscriptions(user).await, 0);
    let keys = json!({
        "p256dh": P256DH.replace('-', "+").replace('_', "/"),
        "auth": format!("{}==", AUTH.replace('-', "+").replace('_', "/")),
    });
    let standard = json!({ "endpoint": "https://jmt17.google.com/fcm/send/abc", "keys": keys });
    let taken = stage.ask(user, Method::POST, PATH, Some(&standard)).await;
    assert_eq!(taken.status, 201, "keys in standard base64: {taken:?}");
    let other = stage.subscribe(user, "https://jmt18.google.com/x").await;
    other.assert_invalid("/endpoint", "no wildcard");
    stage
        .database
        .execute("delete from signtusk.push_subscriptions")
        .await;
    let taken = stage
        .subscribe(user, "https://fcm.googleapis.com/fcm/send/abc")
        .await;
    assert_eq!(taken.status, 201, "{taken:?}");

    // A disallowed endpoint in the database is not called either.
    let stray = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stray_url = format!("http://{}/x", stray.local_addr().unwrap());
    let insert = format!(
        "update signtusk.push_subscriptions set endpoint = '{stray_url}' where user_id = '{user}'"
    );
    stage.database.execute(&insert).await;
    let job = stage.notify(&general(user)).await;
    assert_eq!(
        (&job["result"]["pushed"], &job["result"]["notPushed"]),
        (&json!(0), &json!(1))
    );
    let called = tokio::time::timeout(std::time::Duration::from_millis(1), stray.accept()).await;
    assert!(called.is_err(), "the stray endpoint was called");
}

#[tokio::test]
async fn expired_subscription_is_removed_and_a_redirect_is_not_followed() {
    let stage = Stage::start().await;
    for status in [StatusCode::NOT_FOUND, StatusCode::GONE] {
        let name = format!("gone-{}", status.as_u16());
        let user = stage.with_browser(&name).await;
        stage.cloud.push().answer_with(&name, Some(status));
        let job = stage.notify(&general(user)).await;
        assert_eq!(job["result"]["pushed"], 0, "{job:#}");
        assert_eq!(stage.subscriptions(user).await, 0, "{status}");
        assert_eq!(stage.unread(user).await, 1, "the inbox has it all the same");
    }
    for (name, status) in [
        ("moved", StatusCode::TEMPORARY_REDIRECT),
        ("forbidden", StatusCode::FORBIDDEN),
    ] {
        let user = stage.with_browser(name).await;
        stage.cloud.push().answer_with(name, Some(status));
        let job = stage.notify(&general(user)).await;
        assert_eq!(job["result"]["notPushed"], 1, "{name}: {job:#}");
        assert_eq!(stage.subscriptions(user).await, 1, "{name}");
    }
    assert!(
        stage.taken("elsewhere").is_empty(),
        "a redirect was followed"
    );
}

#[tokio::test]
async fn busy_push_service_is_retried_only_for_missing_messages() {
    let stage = Stage::start_with(|settings| settings.qstash_speed = 600.0).await;
    let user = stage.with_browser("quick").await;
    let busy = stage.cloud.push().endpoint("busy");
    assert_eq!(stage.subscribe(user, &busy).await.status, 201);
    stage
        .cloud
        .push()
        .answer_first_with("busy", StatusCode::TOO_MANY_REQUESTS);
    let job = stage.notify(&general(user)).await;
    assert_eq!(job["attempts"], 2, "{job:#}");
    assert_eq!(job["result"]["pushed"], 1, "{job:#}");
    assert_eq!(
        (stage.taken("quick").len(), stage.taken("busy").len()),
        (1, 1)
    );
    assert_eq!(stage.inbox(user).await.len(), 1);

    // A browser that stays unavailable loses its message, but the job succeeds.
    stage
        .cloud
        .push()
        .answer_with("busy", Some(StatusCode::SERVICE_UNAVAILABLE));
    let job = stage.notify(&general(user)).await;
    assert_eq!(job["attempts"], 3, "{job:#}");
    assert_eq!(job["result"]["notPushed"], 1, "{job:#}");
    assert_eq!(stage.taken("quick").len(), 2);
}

#[tokio::test]
async fn oversized_push_is_shortened_to_at_most_4096_bytes() {
    let stage = Stage::start().await;
    let user = stage.with_browser("long").await;
    let mut payload = general(user);
    payload["message"] = "\u{1f58b}".repeat(5000).into();
    payload["data"] = json!({ "long": "x".repeat(10_000) });
    let job = stage.notify(&payload).await;
    assert_eq!(job["result"]["pushed"], 1, "{job:#}");
    // In base64: at most 4,096 bytes.
    assert!(stage.taken("long")[0].body.len() <= 5462);

    stage
        .cloud
        .push()
        .answer_with("long", Some(StatusCode::PAYLOAD_TOO_LARGE));
    let before = stage.cloud.push().requests();
    let job = stage.notify(&general(user)).await;
    assert_eq!(job["result"]["notPushed"], 1, "{job:#}");
    assert_eq!(
        stage.cloud.push().requests(),
        before + 2,
        "once in full, once shorter"
    );
}

#[tokio::test]
async fn disabled_or_unsubscribed_user_gets_no_push() {
    let stage = Stage::start().await;
    let user = stage.with_browser("off").await;
    let off = format!(
        "insert into public.notification_preferences (user_id, push_notifications) values ('{user}', false)"
    );
    stage.database.execute(&off).await;
    let job = stage.notify(&general(user)).await;
    assert_eq!(
        (&job["result"]["created"], &job["result"]["pushed"]),
        (&json!(1), &json!(0))
    );
    stage
        .database
        .execute("update public.notification_preferences set push_notifications = true")
        .await;

    let endpoint = stage.cloud.push().endpoint("off");
    let path = format!("{PATH}?endpoint={endpoint}");
    let stranger = stage.ask(new_user(), Method::DELETE, &path, None).await;
    assert_eq!(stranger.status, 204);
    assert_eq!(
        stage.subscriptions(user).await,
        1,
        "a stranger took it away"
    );
    assert_eq!(
        stage.ask(user, Method::DELETE, &path, None).await.status,
        204
    );
    assert_eq!(
        stage.ask(user, Method::DELETE, &path, None).await.status,
        204
    );
    stage.notify(&general(user)).await;
    assert!(stage.taken("off").is_empty());

    // If another user logs in with a browser, it belongs to that user.
    let [ann, bob] = [new_user(), new_user()];
    for user in [ann, bob] {
        assert_eq!(stage.subscribe(user, &endpoint).await.status, 201);
    }
    stage.notify(&general(ann)).await;
    assert!(
        stage.taken("off").is_empty(),
        "Bob's browser showed Ann's notification"
    );
    stage.notify(&general(bob)).await;
    assert_eq!(stage.taken("off").len(), 1);
}

#[tokio::test]
async fn user_has_at_most_twenty_browsers() {
    let stage = Stage::start().await;
    let user = new_user();
    for number in 0..22 {
        let endpoint = format!("https://fcm.googleapis.com/fcm/send/{number}");
        assert_eq!(stage.subscribe(user, &endpoint).await.status, 201);
    }
    assert_eq!(stage.subscriptions(user).await, 20);
}
