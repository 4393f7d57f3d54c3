//! Reserved concurrency: calls beyond the template's number are rejected at once.

use std::time::{Duration, Instant};

use local_gateway::InvokeError;
use serde_json::json;

use crate::client::get;
use crate::harness::{start_with, until};

/// The target of the calls that occupy the function.
const BUSY: &str = "/narrow?do=sleep&ms=3000";

#[tokio::test]
async fn call_beyond_reserved_concurrency_is_refused_at_once() {
    for (parameters, reserved) in [(vec![], 2), (vec![("Reserved", "1")], 1)] {
        let running = start_with(8, &parameters).await;
        let gateway = &running.gateway;
        let busy: Vec<_> = (0..reserved)
            .map(|_| {
                let url = gateway.url();
                tokio::spawn(async move { get(&url, BUSY).await })
            })
            .collect();
        until("all run", || gateway.invocations("narrow") == reserved).await;
        let asked = Instant::now();
        let refused = get(&gateway.url(), "/narrow").await;
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "it waits for nothing"
        );
        refused.assert_refusal(503, "Service Unavailable");
        let direct = gateway.invoke("narrow", json!({})).await;
        assert!(
            matches!(direct, Err(InvokeError::Throttled(_))),
            "{direct:?}"
        );
        assert_eq!(gateway.throttles("narrow"), 2);
        for call in busy {
            assert_eq!(
                call.await.unwrap().text(),
                "slept",
                "calls within it continue"
            );
        }
        assert_eq!(get(&gateway.url(), "/narrow").await.status, 200);
        assert_eq!(gateway.invocations("narrow"), reserved + 1);
        running.gateway.stop().await;
    }
}

#[tokio::test]
async fn call_waiting_for_a_process_counts_against_concurrency() {
    let running = start_with(1, &[]).await;
    let gateway = &running.gateway;
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let url = gateway.url();
            tokio::spawn(async move { get(&url, "/narrow?do=sleep&ms=500").await.status.as_u16() })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers.sort_unstable();
    assert_eq!(answers, [200, 200, 503, 503, 503, 503]);
    assert_eq!(gateway.instances("narrow"), 1);
    running.gateway.stop().await;
}

#[tokio::test]
async fn function_without_a_reservation_accepts_all_calls() {
    let running = start_with(2, &[("Reserve", "false")]).await;
    let gateway = &running.gateway;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let url = gateway.url();
            tokio::spawn(async move { get(&url, "/narrow?do=sleep&ms=50").await.status })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(gateway.throttles("narrow"), 0);
    running.gateway.stop().await;
}
