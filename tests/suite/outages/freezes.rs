//! Instances that were idle or frozen while their connections were closed at the other end.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{ANN, Gates, assert_one_mail_each, gated, warm};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

const FUNCTIONS: [&str; 4] = ["queue", "queue-jobs", "send-email", "health"];

/// Starts every function with open connections to all its dependencies.
async fn in_use() -> (TestCloud, Gates) {
    let (cloud, gates) = gated().await;
    warm(&cloud).await;
    let id = cloud.enqueue(&signature_request("first@example.com")).await;
    cloud.wait_for(&id, "completed").await;
    assert_eq!(health(&cloud).await["status"], "healthy");
    (cloud, gates)
}

async fn health(cloud: &TestCloud) -> Value {
    cloud.get("/api/health/redis").await.body
}

/// Sends a signal to every instance, as Lambda freezes and thaws them.
fn signal(cloud: &TestCloud, signal: Signal) {
    for function in FUNCTIONS {
        for pid in cloud.gateway().pids(function) {
            kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
        }
    }
}

/// Asserts that every function works at once, as before.
async fn assert_all_answer(cloud: &TestCloud, why: &str) {
    let id = cloud.enqueue(&signature_request(ANN)).await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "{why}: {job:#}");
    let health = health(cloud).await;
    assert_eq!(health["status"], "healthy", "{why}: {health:#}");
    assert_one_mail_each(cloud, &["first@example.com", ANN], why);
}

fn sever_all(gates: &Gates) {
    for gate in [&gates.redis, &gates.qstash, &gates.postgres] {
        gate.sever();
    }
}

#[tokio::test]
async fn instance_with_connections_closed_while_idle_answers_at_once() {
    let (cloud, gates) = in_use().await;
    sever_all(&gates);
    assert_all_answer(&cloud, "closed while idle").await;
}

#[tokio::test]
async fn instance_with_connections_closed_while_frozen_answers_at_once() {
    let (cloud, gates) = in_use().await;
    signal(&cloud, Signal::SIGSTOP);
    sever_all(&gates);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    signal(&cloud, Signal::SIGCONT);
    assert_all_answer(&cloud, "closed while frozen").await;
}

#[tokio::test]
async fn instance_with_half_open_connections_answers_over_new_ones() {
    let (cloud, gates) = in_use().await;
    for gate in [&gates.redis, &gates.qstash] {
        gate.silence_open_connections();
    }
    assert_all_answer(&cloud, "half-open").await;
}
