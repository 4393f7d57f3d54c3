//! The number of instances.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::client::get;
use crate::harness::{is_alive, start, until};

#[tokio::test]
async fn twenty_overlapping_calls_on_three_instances_are_all_answered() {
    let running = start(3).await;
    let gateway = &running.gateway;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let url = gateway.url();
            tokio::spawn(async move { get(&url, "/echo?do=sleep&ms=100").await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().text(), "slept");
    }
    assert_eq!(gateway.instances("echo"), 3);
    assert_eq!(gateway.invocations("echo"), 20);
    assert_eq!(gateway.init_durations("echo").len(), 3);
    let distinct: BTreeSet<u32> = gateway.pids("echo").into_iter().collect();
    assert_eq!(distinct.len(), 3);
    running.gateway.stop().await;
}

#[tokio::test]
async fn sequential_calls_use_one_instance() {
    let running = start(8).await;
    let url = running.gateway.url();
    for _ in 0..50 {
        assert_eq!(get(&url, "/echo?do=pid").await.status, 200);
    }
    assert_eq!(running.gateway.instances("echo"), 1);
    running.gateway.stop().await;
}

#[tokio::test]
async fn duration_is_that_of_the_latest_answered_call() {
    let running = start(1).await;
    let gateway = &running.gateway;
    assert_eq!(gateway.last_duration("echo"), None);
    get(&gateway.url(), "/echo?do=sleep&ms=200").await;
    let slept = gateway.last_duration("echo").unwrap();
    assert!(slept >= Duration::from_millis(200), "{slept:?}");
    get(&gateway.url(), "/echo?do=pid").await;
    assert_ne!(gateway.last_duration("echo"), Some(slept));
    running.gateway.stop().await;
}

#[tokio::test]
async fn call_of_a_disconnected_caller_runs_to_completion() {
    let running = start(1).await;
    let gateway = &running.gateway;
    let url = gateway.url();
    let caller = tokio::spawn(async move { get(&url, "/echo?do=sleep&ms=300").await });
    until("it runs", || gateway.invocations("echo") == 1).await;
    let pid = gateway.pids("echo")[0];
    caller.abort();
    assert_eq!(
        get(&gateway.url(), "/echo?do=pid").await.text(),
        pid.to_string()
    );
    running.gateway.stop().await;
}

#[tokio::test]
async fn stopped_or_dropped_gateway_leaves_no_process() {
    for stop in [true, false] {
        let running = start(2).await;
        let url = running.gateway.url();
        assert_eq!(get(&url, "/echo").await.status, 200);
        assert_eq!(get(&url, "/brisk").await.status, 200);
        let pids = [running.gateway.pids("echo"), running.gateway.pids("brisk")].concat();
        assert_eq!(pids.len(), 2);
        if stop {
            running.gateway.stop().await;
            assert!(
                pids.iter().all(|pid| !is_alive(*pid)),
                "stop waits for their end"
            );
        } else {
            drop(running.gateway);
            until("they are dead", || pids.iter().all(|pid| !is_alive(*pid))).await;
        }
    }
}
