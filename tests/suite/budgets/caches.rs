//! The cost of reading and changing cache entries.

use http::Method;
use serde_json::json;

use super::meter::Meter;
use super::nothing;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::ledger::LedgerDatabase;

const USER: &str = "01985c00-0000-7000-8000-000000000001";
const PROFILE: &str = "/api/cache/user-profiles/01985c00-0000-7000-8000-000000000001";
const TOTP: &str = "/api/cache/totp-configs/01985c00-0000-7000-8000-000000000001";

pub(super) async fn caching(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let database = LedgerDatabase::of(cloud);
    let rows = format!(
        "insert into public.user_profiles (id, email) values ('{USER}', 'olivia@acme.example');
         insert into public.user_totp_configs (user_id, enabled) values ('{USER}', true)"
    );
    database.execute(&rows).await;
    reading(cloud, meter).await;
    changing(cloud, meter).await;
}

async fn reading(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let read = async |path: &str, status: u16| {
        let read = cloud.get(path).await;
        assert_eq!(read.status, status, "{path}: {read:?}");
    };
    for (operation, path, status) in [
        (
            "GET /api/cache/{kind}/{id}, display data, hit",
            PROFILE,
            200,
        ),
        ("GET /api/cache/{kind}/{id}, security data, hit", TOTP, 200),
        (
            "GET /api/cache/{kind}/{id}, a known missing id",
            "/api/cache/domain-users/nobody.example",
            404,
        ),
        ("GET /api/cache/stats", "/api/cache/stats", 200),
    ] {
        let again = async || read(path, status).await;
        meter
            .check(operation, again, async |()| read(path, status).await)
            .await;
    }
    let forgotten = async || assert_eq!(delete(cloud, PROFILE).await, 204);
    meter
        .check("GET /api/cache/{kind}/{id}, miss", forgotten, async |()| {
            read(PROFILE, 200).await;
        })
        .await;
    meter
        .check(
            "GET /api/cache/{kind}/{id}, of another user",
            nothing,
            async |()| {
                let request = cloud.request(Method::GET, PROFILE);
                let refused = answer(request.header("x-user-id", "u2")).await;
                assert_eq!(refused.status, 404, "{refused:?}");
            },
        )
        .await;
}

async fn changing(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let forgotten = async || assert_eq!(delete(cloud, PROFILE).await, 204);
    meter
        .check("PUT /api/cache/{kind}/{id}", forgotten, async |()| {
            let request = with_json(cloud.request(Method::PUT, PROFILE), &json!({ "a": 1 }));
            let put = answer(request).await;
            assert_eq!(put.status, 204, "{put:?}");
        })
        .await;
    for (operation, path) in [
        ("DELETE /api/cache/{kind}/{id}", PROFILE),
        (
            "DELETE /api/cache/groups/{group}/{id}",
            "/api/cache/groups/user/u1",
        ),
    ] {
        meter
            .check(operation, nothing, async |()| {
                assert_eq!(delete(cloud, path).await, 204);
            })
            .await;
    }
}

async fn delete(cloud: &TestCloud, path: &str) -> u16 {
    let gone = answer(cloud.request(Method::DELETE, path)).await;
    gone.status.as_u16()
}
