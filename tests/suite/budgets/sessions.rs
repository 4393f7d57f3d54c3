//! The cost of sessions and tokens.

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::meter::Meter;
use super::nothing;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};

/// Creates a session with the token `t0` for a new user; returns the paths of both.
async fn begun(cloud: &TestCloud) -> (String, String) {
    let (id, user) = (Uuid::new_v4(), Uuid::new_v4());
    let begun = cloud.post("/api/sessions", &login(id, user)).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    (
        format!("/api/sessions/{id}"),
        format!("/api/users/{user}/sessions"),
    )
}

fn login(id: Uuid, user: Uuid) -> Value {
    json!({ "sessionId": id, "userId": user, "email": "ann@example.com", "refreshToken": "t0" })
}

/// Makes a call that must get this status.
async fn call(cloud: &TestCloud, method: Method, path: &str, body: Option<Value>, status: u16) {
    let request = cloud.request(method, path);
    let answered = match body {
        Some(body) => answer(with_json(request, &body)).await,
        None => answer(request).await,
    };
    assert_eq!(answered.status, status, "{path}: {answered:?}");
}

pub(super) async fn measure(cloud: &TestCloud, meter: &mut Meter<'_>) {
    reading(cloud, meter).await;
    changing(cloud, meter).await;
    tokens(cloud, meter).await;
}

async fn reading(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let new = async || login(Uuid::new_v4(), Uuid::new_v4());
    meter
        .check(
            "POST /api/sessions, the first of a user",
            new,
            async |body| call(cloud, Method::POST, "/api/sessions", Some(body), 201).await,
        )
        .await;
    let (one, all) = begun(cloud).await;
    for (operation, path) in [
        ("GET /api/sessions/{sessionId}", &one),
        ("GET /api/users/{userId}/sessions, of one", &all),
    ] {
        meter
            .check(operation, nothing, async |()| {
                call(cloud, Method::GET, path, None, 200).await;
            })
            .await;
    }
    let only_kept = async || {
        let (one, _) = begun(cloud).await;
        let key = one.replace("/api/sessions/", "session:");
        let mut redis = cloud.redis_connection().await;
        redis::cmd("DEL")
            .arg(key)
            .exec_async(&mut redis)
            .await
            .unwrap();
        one
    };
    meter
        .check(
            "GET /api/sessions/{sessionId}, only in Postgres",
            only_kept,
            async |path: String| call(cloud, Method::GET, &path, None, 200).await,
        )
        .await;
}

async fn changing(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let new = async || begun(cloud).await;
    meter
        .check(
            "POST /api/sessions/{sessionId}/refresh",
            new,
            async |(one, _)| {
                let body = json!({ "refreshToken": "t0", "newRefreshToken": "t1" });
                call(
                    cloud,
                    Method::POST,
                    &format!("{one}/refresh"),
                    Some(body),
                    200,
                )
                .await;
            },
        )
        .await;
    meter
        .check(
            "PUT /api/sessions/{sessionId}/totp",
            new,
            async |(one, _)| {
                let body = json!({ "verified": true, "context": "login" });
                call(cloud, Method::PUT, &format!("{one}/totp"), Some(body), 200).await;
            },
        )
        .await;
    meter
        .check("DELETE /api/sessions/{sessionId}", new, async |(one, _)| {
            call(cloud, Method::DELETE, &one, None, 204).await;
        })
        .await;
    meter
        .check(
            "DELETE /api/users/{userId}/sessions, of one",
            new,
            async |(_, all)| call(cloud, Method::DELETE, &all, None, 204).await,
        )
        .await;
    let mut next = 0;
    let message = async || {
        next += 1;
        let (one, _) = begun(cloud).await;
        let id = one.replace("/api/sessions/", "");
        let body = json!({ "kind": "revoke", "sessionIds": [id] });
        (format!("msg_session_{next}"), body)
    };
    meter
        .check(
            "POST /api/jobs/persist-session, a revocation",
            message,
            async |(message, body): (String, Value)| {
                let delivered = cloud.deliver_as(&message, "persist-session", &body).await;
                assert_eq!(delivered.status, 200, "{delivered:?}");
            },
        )
        .await;
}

async fn tokens(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let wanted = async || json!({ "purpose": "password-reset", "email": format!("{}@example.com", Uuid::new_v4()) });
    meter
        .check(
            "POST /api/tokens, the first of an address",
            wanted,
            async |body| call(cloud, Method::POST, "/api/tokens", Some(body), 201).await,
        )
        .await;
    let issued = async || {
        let issued = cloud.post("/api/tokens", &wanted().await).await;
        json!({ "purpose": "password-reset", "token": issued.body["token"] })
    };
    meter
        .check("POST /api/tokens/redeem", issued, async |body| {
            call(cloud, Method::POST, "/api/tokens/redeem", Some(body), 200).await;
        })
        .await;
    let code = async || json!({ "userId": Uuid::new_v4(), "code": "123456" });
    meter
        .check("POST /api/totp/claims", code, async |body| {
            call(cloud, Method::POST, "/api/totp/claims", Some(body), 201).await;
        })
        .await;
}
