//! The health check while a dependency is unavailable: it answers itself, and in time.

use super::gate::{Gate, Verdict, http_answer};
use super::{assert_no_panic, gated};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer};

async fn health(cloud: &TestCloud) -> Answer {
    answer(cloud.bare(http::Method::GET, "/api/health/redis")).await
}

#[track_caller]
fn assert_report(report: &Answer, code: u16, status: &str, why: &str) {
    assert_eq!(report.status, code, "{why}: {report:?}");
    assert_eq!(report.body["status"], status, "{why}: {:#}", report.body);
    assert!(
        report.body["responseTime"].is_u64(),
        "{why}: {:#}",
        report.body
    );
    assert!(
        report.body["services"]["jobQueue"]["stats"].is_object(),
        "{why}"
    );
}

/// Returns the report while a dependency closes every connection.
async fn without(cloud: &TestCloud, gate: &Gate) -> Answer {
    gate.fail(Verdict::Cut);
    gate.sever();
    let report = health(cloud).await;
    gate.open();
    report
}

#[tokio::test]
async fn health_is_degraded_without_postgres_or_qstash_and_unhealthy_without_redis() {
    let (cloud, gates) = gated().await;
    assert_report(&health(&cloud).await, 200, "healthy", "everything is there");

    let report = without(&cloud, &gates.postgres).await;
    assert_report(&report, 200, "degraded", "postgres is down");
    assert_eq!(report.body["services"]["database"]["status"], "unhealthy");
    assert_eq!(report.body["services"]["redis"]["status"], "healthy");

    let report = without(&cloud, &gates.qstash).await;
    assert_report(&report, 200, "degraded", "qstash is down");
    assert_eq!(report.body["services"]["qstash"]["status"], "unhealthy");

    let report = without(&cloud, &gates.redis).await;
    assert_report(&report, 503, "unhealthy", "redis is down");
    assert_eq!(report.body["services"]["redis"]["status"], "unhealthy");
    assert_eq!(report.body["services"]["database"]["status"], "healthy");
    assert_report(&health(&cloud).await, 200, "healthy", "everything is back");
    assert_no_panic(&cloud, "health");
}

#[tokio::test]
async fn health_answers_even_if_postgres_or_every_dependency_is_silent() {
    let (cloud, gates) = gated().await;
    gates.postgres.fail(Verdict::Silence);
    assert_report(
        &health(&cloud).await,
        200,
        "degraded",
        "postgres never answers",
    );
    for gate in [&gates.redis, &gates.qstash, &gates.postgres] {
        gate.fail(Verdict::Silence);
    }
    let report = health(&cloud).await;
    assert_report(&report, 503, "unhealthy", "nothing answers");
    assert_no_panic(&cloud, "health");
}

#[tokio::test]
async fn health_reports_a_refused_token_and_a_spent_plan_as_unhealthy() {
    let (cloud, gates) = gated().await;
    for (status, why) in [
        ("401 Unauthorized", "the token"),
        ("429 Too Many Requests", "the plan"),
    ] {
        gates
            .redis
            .fail(http_answer(status, "", r#"{"error":"no"}"#));
        assert_report(&health(&cloud).await, 503, "unhealthy", why);
    }
    gates.redis.open();
    for fault in [
        local_redis_rest::Fault::Loading,
        local_redis_rest::Fault::ReadOnly,
    ] {
        cloud.redis().faults().set(Some(fault));
        let report = health(&cloud).await;
        assert_eq!(
            report.body["services"]["cache"]["status"], "unhealthy",
            "{fault:?}"
        );
        assert_ne!(
            report.body["status"], "healthy",
            "{fault:?}: {:#}",
            report.body
        );
        cloud.redis().faults().set(None);
    }
    assert_no_panic(&cloud, "health");
}
