//! The cost of security monitoring and the named limiters.

use http::Method;
use serde_json::{Value, json};

use super::meter::Meter;
use super::nothing;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};

const ATTEMPTS: &str = "/api/security/attempts";
const BLOCKLIST: &str = "/api/security/blocklist";
const LIMITS: &str = "/api/security/rate-limits";

/// Makes a call that must succeed.
async fn call(cloud: &TestCloud, method: Method, path: &str, body: Option<&Value>) {
    let request = cloud.request(method, path);
    let answered = match body {
        Some(body) => answer(with_json(request, body)).await,
        None => answer(request).await,
    };
    assert!(answered.status.is_success(), "{path}: {answered:?}");
}

fn attempt(number: u32, success: bool) -> Value {
    json!({
        "kind": "login", "identifier": format!("budget-{number}@example.com"), "success": success,
        "ip": format!("198.51.100.{number}"), "userAgent": "Mozilla/5.0", "deviceId": "laptop",
    })
}

pub(super) async fn measure(cloud: &TestCloud, meter: &mut Meter<'_>) {
    visitors(cloud, meter).await;
    blocking(cloud, meter).await;
    limits(cloud, meter).await;
}

async fn visitors(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let mut number = 0;
    let mut next = async || {
        number += 1;
        number
    };
    meter
        .check(
            "POST /api/security/attempts, the first failure of an account",
            &mut next,
            async |number| {
                let body = attempt(number, false);
                call(cloud, Method::POST, ATTEMPTS, Some(&body)).await;
            },
        )
        .await;
    let known = async || {
        let number = next().await;
        call(cloud, Method::POST, ATTEMPTS, Some(&attempt(number, true))).await;
        number
    };
    meter
        .check(
            "POST /api/security/attempts, a success of a known device",
            known,
            async |number| {
                let body = attempt(number, true);
                call(cloud, Method::POST, ATTEMPTS, Some(&body)).await;
            },
        )
        .await;
    let visit = json!({
        "identifier": "budget-1@example.com", "ip": "198.51.100.1", "userAgent": "Mozilla/5.0", "path": "/login",
    });
    meter
        .check("POST /api/security/assess", nothing, async |()| {
            call(cloud, Method::POST, "/api/security/assess", Some(&visit)).await;
        })
        .await;
}

async fn blocking(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let block = json!({ "cidr": "192.0.2.0/24", "reason": "budget" });
    let put = async || call(cloud, Method::PUT, BLOCKLIST, Some(&block)).await;
    meter
        .check("PUT /api/security/blocklist", nothing, async |()| {
            put().await;
        })
        .await;
    meter
        .check("GET /api/security/blocklist", nothing, async |()| {
            call(cloud, Method::GET, BLOCKLIST, None).await;
        })
        .await;
    let listed = "/api/security/blocklist?cidr=192.0.2.0/24";
    meter
        .check("DELETE /api/security/blocklist", put, async |()| {
            call(cloud, Method::DELETE, listed, None).await;
        })
        .await;
}

async fn limits(cloud: &TestCloud, meter: &mut Meter<'_>) {
    let totp = format!("{LIMITS}/totp");
    for (operation, cost) in [
        ("POST /api/security/rate-limits/{limiter}", 1),
        (
            "POST /api/security/rate-limits/{limiter}, without counting",
            0,
        ),
    ] {
        let body = json!({ "identifier": "budget", "cost": cost });
        meter
            .check(operation, nothing, async |()| {
                call(cloud, Method::POST, &totp, Some(&body)).await;
            })
            .await;
    }
    meter
        .check("GET /api/security/rate-limits", nothing, async |()| {
            call(cloud, Method::GET, LIMITS, None).await;
        })
        .await;
}
