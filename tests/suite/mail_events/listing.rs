//! `GET /api/mail-events`: the delivery state of mails, for callers with the right to see it.

use http::Method;
use local_mail::events::MailEvent;

use super::{ROUTE, Stage, assert_taken};
use crate::support::cloud::answer;
use crate::support::ledger::{REMINDER, Reminder};

#[tokio::test]
async fn mail_events_are_listed_by_request_job_and_address() {
    let stage = Stage::set().await;
    let taken = stage.notify(&stage.event(MailEvent::Opened)).await;
    assert_taken(&taken, "applied", "opened");
    for query in [
        "",
        "?requestId=request",
        "?jobId=job-1",
        "?email=ANN@example.com",
    ] {
        let page = stage.cloud.get(&format!("{ROUTE}{query}")).await;
        assert_eq!(page.status, 200, "{query}: {page:?}");
        let item = &page.body["items"][0];
        for (name, value) in [
            ("kind", "reminder"),
            ("recipient", REMINDER.to),
            ("requestId", "request"),
            ("signerId", "signer"),
            ("occurrence", "1"),
            ("jobId", "job-1"),
            ("state", "accepted"),
            ("delivery", "opened"),
            ("provider", "ses"),
            ("messageId", "message-1"),
        ] {
            assert_eq!(item[name], value, "{query}: {item:#}");
        }
        assert_eq!(item["inDoubt"], false, "{item:#}");
        for name in ["createdAt", "acceptedAt", "deliveredAt", "openedAt"] {
            assert!(item[name].is_string(), "{name}: {item:#}");
        }
        assert!(item.get("bouncedAt").is_none(), "{item:#}");
        assert!(page.body.get("cursor").is_none(), "{page:?}");
    }
    for query in ["?requestId=other", "?jobId=other", "?email=bob@example.com"] {
        let page = stage.cloud.get(&format!("{ROUTE}{query}")).await;
        assert_eq!(page.body["items"].as_array().unwrap().len(), 0, "{query}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let stage = Stage::set().await;
    for occurrence in ["2", "3", "4", "5"] {
        let reminder = Reminder {
            occurrence,
            ..REMINDER
        };
        reminder.sending(&stage.database).await;
    }
    let mut seen = Vec::new();
    let mut next = Some(format!("{ROUTE}?limit=2"));
    while let Some(path) = next {
        let page = stage.cloud.get(&path).await;
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 2, "{page:?}");
        seen.extend(
            items
                .iter()
                .map(|item| item["occurrence"].as_str().unwrap().to_owned()),
        );
        let cursor = page.body["cursor"].as_str();
        next = cursor.map(|cursor| format!("{ROUTE}?limit=2&cursor={cursor}"));
    }
    assert_eq!(seen, ["5", "4", "3", "2", "1"]);
}

#[tokio::test]
async fn only_service_and_admin_may_list_mail_events() {
    let stage = Stage::set().await;
    let anonymous = answer(stage.cloud.bare(Method::GET, ROUTE)).await;
    anonymous.assert_problem(401, "token_invalid", "no token");
    for (user, role, status) in [
        (None, None, 200),
        (Some("u1"), Some("admin"), 200),
        (Some("u1"), Some("domain_admin"), 403),
        (Some("u1"), Some("user"), 403),
        (Some("u1"), None, 403),
        (Some(""), None, 400),
        (None, Some("admin"), 400),
    ] {
        let mut request = stage.cloud.request(Method::GET, ROUTE);
        for (name, value) in [("x-user-id", user), ("x-user-role", role)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let seen = answer(request).await;
        assert_eq!(seen.status, status, "{user:?} {role:?}: {seen:?}");
        assert_eq!(seen.body.get("items").is_some(), status == 200);
    }
    let readonly = stage.cloud.variable("API_TOKEN_READONLY");
    let request = stage.cloud.bare(Method::GET, ROUTE).bearer_auth(readonly);
    assert_eq!(answer(request).await.status, 200);
}

#[tokio::test]
async fn invalid_query_is_refused() {
    let stage = Stage::set().await;
    let long = "x".repeat(2000);
    for query in [
        "limit=-1",
        "limit=0",
        "limit=101",
        "limit=",
        "limit=abc",
        "limit=1&limit=2",
        "email=",
        "email=ann",
        "email=%00",
        "requestId=",
        "requestId=%00",
        "jobId=%0a",
        "cursor=",
        "cursor=%00",
        "cursor=abc",
        &format!("requestId={long}"),
        &format!("cursor={long}"),
    ] {
        let refused = stage.cloud.get(&format!("{ROUTE}?{query}")).await;
        refused.assert_problem(400, "malformed_query", query);
    }
    for query in ["limit=1", "limit=100", "x=y", "&&"] {
        let page = stage.cloud.get(&format!("{ROUTE}?{query}")).await;
        assert_eq!(page.status, 200, "{query}: {page:?}");
    }
}

#[tokio::test]
async fn other_methods_are_answered_405() {
    let stage = Stage::set().await;
    for method in ["PUT", "PATCH", "DELETE"] {
        let call = crate::support::event::event(method, ROUTE);
        let refused = stage.cloud.invoke("mail-events", call).await;
        refused.assert_problem(405, "method_not_allowed", method);
    }
}
