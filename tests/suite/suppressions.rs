//! The addresses that get no mail: the list's effect on the ledger, and its management over HTTP.

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use shared::protocol::mail::{EmailAddress, MessageId};
use shared::service::mail::ledger::Begun;
use shared::service::mail::suppression::{Entry, Reason};

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::ledger::{LedgerDatabase, REMINDER, Reminder};
use crate::support::proxy::Proxy;

const PATH: &str = "/api/suppressions";

async fn list(database: &LedgerDatabase, address: &str, reason: Reason) {
    let entry = Entry {
        email: &EmailAddress::parse(address).unwrap(),
        reason,
        note: None,
        created_by: None,
    };
    database.suppressions().put(&entry).await.unwrap();
}

async fn lift(database: &LedgerDatabase, reason: Option<Reason>) {
    let ann = EmailAddress::parse(REMINDER.to).unwrap();
    let list = database.suppressions();
    list.remove(&ann, reason).await.unwrap();
}

#[track_caller]
fn assert_held_back(begun: &Begun, by: Reason) {
    assert!(
        matches!(begun, Begun::Suppressed { reason } if *reason == by),
        "not suppressed by {by}: {begun:?}"
    );
}

#[tokio::test]
async fn listed_address_gets_no_mail_and_an_unsubscribed_one_only_required_mail() {
    let database = LedgerDatabase::fresh().await;
    for (n, reason) in Reason::ALL.into_iter().enumerate() {
        let to = format!("Ann-{n}@example.com");
        list(&database, &to, reason).await;
        for optional in [true, false] {
            let job_id = format!("{reason} {optional}");
            let mail = Reminder {
                to: &to,
                job_id: &job_id,
                occurrence: &job_id,
                optional,
                ..REMINDER
            };
            match mail.begin(&database).await {
                Begun::Send(_) => assert_eq!((reason, optional), (Reason::Unsubscribed, false)),
                begun => {
                    assert_held_back(&begun, reason);
                    let row = database.row(&mail.key()).await;
                    let columns = [&row["state"], &row["reason"], &row["attempts"]];
                    assert_eq!(columns, [&json!("suppressed"), &json!(reason), &json!(0)]);
                }
            }
        }
    }
    REMINDER.sending(&database).await;
}

#[tokio::test]
async fn removing_one_reason_keeps_the_others_and_removing_all_releases_the_mail() {
    let database = LedgerDatabase::fresh().await;
    for reason in [Reason::Unsubscribed, Reason::Manual, Reason::Bounced] {
        list(&database, REMINDER.to, reason).await;
    }
    assert_held_back(&REMINDER.begin(&database).await, Reason::Bounced);
    lift(&database, Some(Reason::Bounced)).await;
    assert_held_back(&REMINDER.begin(&database).await, Reason::Manual);
    lift(&database, Some(Reason::Manual)).await;
    assert_held_back(&REMINDER.begin(&database).await, Reason::Unsubscribed);
    lift(&database, None).await;
    let sending = REMINDER.sending(&database).await;
    assert!(!sending.in_doubt(), "it was never sent");
    let row = database.row(&REMINDER.key()).await;
    assert_eq!(
        (&row["reason"], &row["attempts"]),
        (&Value::Null, &json!(1))
    );
}

#[tokio::test]
async fn suppression_list_keeps_sent_mail_and_doubt_unchanged() {
    let database = LedgerDatabase::fresh().await;
    REMINDER.sending(&database).await;
    list(&database, REMINDER.to, Reason::Manual).await;
    assert_held_back(&REMINDER.begin(&database).await, Reason::Manual);
    lift(&database, None).await;
    let again = REMINDER.sending(&database).await;
    assert!(again.in_doubt(), "its first attempt ended without a word");
    let id = MessageId::new("a".to_owned());
    let ledger = database.ledger();
    ledger.accepted(&again, "ses", &id).await.unwrap();
    list(&database, REMINDER.to, Reason::Manual).await;
    let begun = REMINDER.begin(&database).await;
    assert!(
        matches!(begun, Begun::AlreadyAccepted { in_doubt: true }),
        "{begun:?}"
    );
}

/// Puts an address on the list, as this caller.
async fn put(cloud: &TestCloud, body: &Value) -> Answer {
    answer(with_json(cloud.request(Method::PUT, PATH), body)).await
}

async fn delete(cloud: &TestCloud, query: &str) -> Answer {
    answer(cloud.request(Method::DELETE, &format!("{PATH}?{query}"))).await
}

/// Returns the list's entries, as `address reason`.
async fn listed(cloud: &TestCloud, query: &str) -> Vec<String> {
    let page = cloud.get(&format!("{PATH}?{query}")).await;
    assert_eq!(page.status, 200, "{query}: {page:?}");
    let items = page.body["items"].as_array().unwrap().iter();
    let text = |item: &Value, member: &str| item[member].as_str().unwrap().to_owned();
    items
        .map(|item| format!("{} {}", text(item, "email"), text(item, "reason")))
        .collect()
}

#[tokio::test]
async fn address_is_added_found_and_removed() {
    let cloud = TestCloud::start().await;
    let ann = json!({ "email": "Ann@Example.com", "note": "asked by telephone" });
    let first = put(&cloud, &ann).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.body["email"], "ann@example.com");
    assert_eq!(first.body["reason"], "manual");
    assert_eq!(first.body["note"], "asked by telephone");
    assert_eq!(
        first.body.get("createdBy"),
        None,
        "the service itself did it"
    );
    assert_eq!(
        put(&cloud, &ann).await.body,
        first.body,
        "again is the same"
    );
    let unsubscribed = json!({ "email": "ann@example.com", "reason": "unsubscribed" });
    put(&cloud, &unsubscribed).await;
    put(&cloud, &json!({ "email": "bob@example.com" })).await;

    let all = [
        "bob@example.com manual",
        "ann@example.com unsubscribed",
        "ann@example.com manual",
    ];
    assert_eq!(listed(&cloud, "").await, all, "newest first");
    assert_eq!(listed(&cloud, "email=ANN@example.com").await, all[1..]);
    assert_eq!(listed(&cloud, "reason=unsubscribed").await, all[1..2]);
    assert_eq!(listed(&cloud, "email=eve@example.com").await, [""; 0]);
    let mut seen = Vec::new();
    let mut query = "limit=1".to_owned();
    while seen.len() < 4 {
        seen.extend(listed(&cloud, &query).await);
        let page = cloud.get(&format!("{PATH}?{query}")).await;
        let Some(cursor) = page.body["cursor"].as_str() else {
            break;
        };
        query = format!("limit=1&cursor={cursor}");
    }
    assert_eq!(seen, all);

    for _ in 0..2 {
        let removed = delete(&cloud, "email=ann@EXAMPLE.com&reason=manual").await;
        assert_eq!(removed.status, 204, "{removed:?}");
        assert_eq!(listed(&cloud, "email=ann@example.com").await, all[1..2]);
    }
    assert_eq!(delete(&cloud, "email=ann@example.com").await.status, 204);
    assert_eq!(listed(&cloud, "").await, all[..1]);
}

#[tokio::test]
async fn only_service_and_admin_manage_the_list() {
    let cloud = TestCloud::start().await;
    let body = json!({ "email": "ann@example.com" });
    let calls = |role: Option<&'static str>| -> Vec<RequestBuilder> {
        let requests = [
            cloud.request(Method::GET, PATH),
            with_json(cloud.request(Method::PUT, PATH), &body),
            cloud.request(Method::DELETE, "/api/suppressions?email=ann@example.com"),
        ];
        let acting = |request: RequestBuilder| match role {
            Some(role) => request
                .header("x-user-id", "u1")
                .header("x-user-role", role),
            None => request.header("x-user-id", "u1"),
        };
        requests.into_iter().map(acting).collect()
    };
    for role in [None, Some("user"), Some("domain_admin"), Some("root")] {
        for call in calls(role) {
            let refused = answer(call).await;
            refused.assert_problem(403, "role_insufficient", &format!("{role:?}"));
        }
    }
    assert_eq!(listed(&cloud, "").await, [""; 0]);
    let mut admin = calls(Some("admin")).into_iter();
    assert_eq!(answer(admin.next().unwrap()).await.status, 200);
    let put = answer(admin.next().unwrap()).await;
    assert_eq!(put.body["createdBy"], "u1", "{put:?}");
    assert_eq!(answer(admin.next().unwrap()).await.status, 204);

    let stranger = cloud.bare(Method::GET, PATH);
    answer(stranger)
        .await
        .assert_problem(401, "token_invalid", "no token");
    let reading = cloud.variable("API_TOKEN_READONLY");
    let read = answer(cloud.bare(Method::GET, PATH).bearer_auth(reading)).await;
    assert_eq!(read.status, 200, "{read:?}");
    let write = with_json(cloud.bare(Method::PUT, PATH), &body).bearer_auth(reading);
    answer(write)
        .await
        .assert_problem(403, "token_readonly", "the reading token");
}

#[tokio::test]
async fn invalid_input_is_named_and_changes_nothing() {
    let cloud = TestCloud::start().await;
    for (body, pointer) in [
        (json!({}), ""),
        (json!({ "email": "ann" }), "/email"),
        (
            json!({ "email": "ann@example.com\r\nBcc: b@example.com" }),
            "/email",
        ),
        (json!({ "email": ["ann@example.com"] }), "/email"),
        (
            json!({ "email": "a@example.com", "reason": "hated" }),
            "/reason",
        ),
        (
            json!({ "email": "a@example.com", "note": "a\u{0}b" }),
            "/note",
        ),
        (
            json!({ "email": "a@example.com", "note": "x".repeat(5001) }),
            "/note",
        ),
    ] {
        put(&cloud, &body)
            .await
            .assert_invalid(pointer, &body.to_string());
    }
    let huge = json!({ "email": "a@example.com", "note": "x".repeat(4 << 20) });
    put(&cloud, &huge)
        .await
        .assert_problem(413, "body_too_large", "5 MB");
    let plain = cloud.request(Method::PUT, PATH).body("{}");
    answer(plain)
        .await
        .assert_problem(415, "unsupported_media_type", "no type");
    for query in [
        "limit=-1",
        "limit=0",
        "limit=101",
        "reason=hated",
        "email=ann",
        "email=a%00@example.com",
        "cursor=",
        "cursor=%00",
        "cursor=OTIyMzM3MjAzNjg1NDc3NTgwNy5h",
        "cursor=';--",
    ] {
        let refused = cloud.get(&format!("{PATH}?{query}")).await;
        refused.assert_problem(400, "malformed_query", query);
    }
    for query in ["", "email=ann", "email=", "email=a@example.com&reason=x"] {
        delete(&cloud, query)
            .await
            .assert_problem(400, "malformed_query", query);
    }
    assert_eq!(listed(&cloud, "limit=100&x=y").await, [""; 0]);
}

#[tokio::test]
async fn list_without_the_database_is_answered_503_with_retry_after() {
    let nowhere = Proxy::start("127.0.0.1:9".parse().unwrap()).await;
    let cloud = TestCloud::start_with(|settings| {
        let local::cloud::Database::Made(database) = &settings.database else {
            panic!("a test has a database of its own");
        };
        let led = nowhere.lead(&database.functions_url);
        settings.overrides.insert("DATABASE_URL".to_owned(), led);
    })
    .await;
    for answer in [
        cloud.get(PATH).await,
        put(&cloud, &json!({ "email": "ann@example.com" })).await,
        delete(&cloud, "email=ann@example.com").await,
    ] {
        answer.assert_problem(503, "unavailable", "postgres is down");
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    }
}
