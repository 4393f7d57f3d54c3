//! Access rights on sessions.

use http::Method;
use serde_json::json;
use uuid::Uuid;

use super::stage::Stage;
use crate::support::cloud::{Answer, answer, with_json};

/// Makes a request as a user who acts for himself or herself.
async fn as_user(
    stage: &Stage,
    who: (&str, &str, &str),
    method: Method,
    path: &str,
    body: Option<&serde_json::Value>,
) -> Answer {
    let (user, role, domain) = who;
    let mut request = stage
        .request(method, path)
        .header("x-user-id", user)
        .header("x-user-role", role);
    if !domain.is_empty() {
        request = request.header("x-user-domain", domain);
    }
    match body {
        Some(body) => answer(with_json(request, body)).await,
        None => answer(request).await,
    }
}

#[tokio::test]
async fn user_can_neither_see_nor_change_another_users_session() {
    let stage = Stage::start().await;
    let (ann, bob) = (Uuid::new_v4(), Uuid::new_v4().to_string());
    let id = stage.login(ann).await;
    let path = format!("/api/sessions/{id}");
    let bobs = (bob.as_str(), "user", "example.com");
    let exchange = json!({ "refreshToken": "t0", "newRefreshToken": "t1" });
    let proof = json!({ "verified": true, "context": "login" });
    for known in ["redis", "only postgres"] {
        for (method, path, body) in [
            (Method::GET, path.clone(), None),
            (Method::DELETE, path.clone(), None),
            (Method::POST, format!("{path}/refresh"), Some(&exchange)),
            (Method::PUT, format!("{path}/totp"), Some(&proof)),
        ] {
            let refused = as_user(&stage, bobs, method.clone(), &path, body).await;
            refused.assert_problem(
                404,
                "session_not_found",
                &format!("{known}: {method} {path}"),
            );
        }
        stage.redis(&["FLUSHALL"]).await;
    }
    let own = ann.to_string();
    let owner = (own.as_str(), "user", "");
    let seen = as_user(&stage, owner, Method::GET, &path, None).await;
    assert_eq!(seen.body["totp"]["verified"], false, "{seen:?}");

    let all = format!("/api/users/{ann}/sessions");
    for method in [Method::GET, Method::DELETE] {
        let refused = as_user(&stage, bobs, method, &all, None).await;
        refused.assert_problem(403, "user_differs", "the list of another");
    }
    let body = Stage::login_body(ann, "s1", "t");
    let refused = as_user(&stage, bobs, Method::POST, "/api/sessions", Some(&body)).await;
    refused.assert_problem(403, "user_differs", "a login of another");
    assert_eq!(
        as_user(&stage, owner, Method::DELETE, &path, None)
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn domain_admin_accesses_only_sessions_of_the_domains_addresses() {
    let stage = Stage::start().await;
    let id = stage.login(Uuid::new_v4()).await;
    let path = format!("/api/sessions/{id}");
    let boss = Uuid::new_v4().to_string();
    let of = |domain| (boss.as_str(), "domain_admin", domain);
    for domain in ["elsewhere.example", "ample.com", ""] {
        let refused = as_user(&stage, of(domain), Method::DELETE, &path, None).await;
        refused.assert_problem(404, "session_not_found", domain);
    }
    let seen = as_user(&stage, of("Example.COM"), Method::GET, &path, None).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    stage.redis(&["FLUSHALL"]).await;
    let gone = as_user(&stage, of("example.com"), Method::DELETE, &path, None).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(stage.read(&id).await.status, 404);
}
