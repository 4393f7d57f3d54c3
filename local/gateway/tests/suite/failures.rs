//! Functions that fail in every possible way.

use std::time::Duration;

use local_gateway::{Error, InvokeError, Settings};
use serde_json::json;

use crate::client::get;
use crate::harness::{binaries, is_alive, start, template, until};

#[tokio::test]
async fn panic_and_error_are_internal_errors_and_the_instance_survives() {
    let running = start(1).await;
    let url = running.gateway.url();
    let pid = get(&url, "/echo?do=pid").await.text();
    get(&url, "/echo?do=panic")
        .await
        .assert_refusal(500, "Internal Server Error");
    get(&url, "/echo?do=fail")
        .await
        .assert_refusal(500, "Internal Server Error");
    assert_eq!(get(&url, "/echo?do=pid").await.text(), pid);
    running.gateway.stop().await;
}

#[tokio::test]
async fn instance_that_exits_during_a_call_is_replaced() {
    let running = start(1).await;
    let url = running.gateway.url();
    let pid = get(&url, "/echo?do=pid").await.text();
    get(&url, "/echo?do=exit")
        .await
        .assert_refusal(500, "Internal Server Error");
    assert_eq!(running.gateway.instances("echo"), 0);
    assert_ne!(get(&url, "/echo?do=pid").await.text(), pid);
    running.gateway.stop().await;
}

#[tokio::test]
async fn kill_fails_the_running_calls_and_not_the_queued_ones() {
    let running = start(2).await;
    let gateway = &running.gateway;
    let url = gateway.url();
    let call = |target: &'static str| {
        let url = url.clone();
        tokio::spawn(async move { get(&url, target).await })
    };
    let first = call("/echo?do=sleep&ms=15000");
    let second = call("/echo?do=sleep&ms=15000");
    until("both run", || gateway.invocations("echo") == 2).await;
    let queued = call("/echo?do=pid");
    let pids = gateway.pids("echo");
    // Enough time for the queued call to arrive; a later arrival would only weaken the test.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let switch = gateway.kill_switch();
    assert_eq!(switch.kill("echo"), 2);
    assert_eq!(switch.kill("nobody"), 0);
    first
        .await
        .unwrap()
        .assert_refusal(500, "Internal Server Error");
    second
        .await
        .unwrap()
        .assert_refusal(500, "Internal Server Error");
    assert_eq!(queued.await.unwrap().status, 200);
    until("they are dead", || pids.iter().all(|pid| !is_alive(*pid))).await;
    running.gateway.stop().await;
}

#[tokio::test]
async fn function_over_its_timeout_is_killed() {
    let running = start(1).await;
    let url = running.gateway.url();
    let pid: u32 = get(&url, "/brisk?do=pid").await.text().parse().unwrap();
    get(&url, "/brisk?do=sleep&ms=20000")
        .await
        .assert_refusal(503, "Service Unavailable");
    until("it is dead", || !is_alive(pid)).await;
    assert_eq!(get(&url, "/brisk").await.status, 200);
    running.gateway.stop().await;
}

#[tokio::test]
async fn function_that_cannot_start_fails_only_its_own_calls() {
    let running = start(2).await;
    let url = running.gateway.url();
    for _ in 0..3 {
        get(&url, "/broken")
            .await
            .assert_refusal(500, "Internal Server Error");
    }
    assert_eq!(running.gateway.instances("broken"), 0);
    assert!(running.gateway.init_durations("broken").is_empty());
    let failed = running.gateway.invoke("broken", json!({})).await;
    assert!(matches!(failed, Err(InvokeError::Init(_))), "{failed:?}");
    assert_eq!(get(&url, "/echo").await.status, 200);
    running.gateway.stop().await;
}

#[tokio::test]
async fn direct_call_returns_the_reason_of_its_failure() {
    let running = start(1).await;
    let unknown = running.gateway.invoke("nobody", json!({})).await;
    assert!(
        matches!(unknown, Err(InvokeError::UnknownFunction(_))),
        "{unknown:?}"
    );
    let malformed = running.gateway.invoke("echo", json!({"no": "event"})).await;
    assert!(
        matches!(malformed, Err(InvokeError::Function { .. })),
        "{malformed:?}"
    );
    running.gateway.stop().await;
}

#[tokio::test]
async fn missing_program_and_occupied_port_are_reported_at_start() {
    let folder = binaries();
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        template: template(),
        bin_dir: folder.path().to_owned(),
        environment: std::collections::BTreeMap::new(),
        parameters: std::collections::BTreeMap::new(),
        max_instances: 0,
        log: None,
    };
    let running = local_gateway::start(settings.clone()).await.unwrap();
    let taken = Settings {
        listen: running
            .url()
            .strip_prefix("http://")
            .unwrap()
            .parse()
            .unwrap(),
        ..settings.clone()
    };
    assert!(matches!(
        local_gateway::start(taken).await,
        Err(Error::Listen { .. })
    ));
    let no_template = Settings {
        template: "nowhere.yaml".into(),
        ..settings.clone()
    };
    assert!(matches!(
        local_gateway::start(no_template).await,
        Err(Error::Template(_))
    ));
    std::fs::remove_file(folder.path().join("brisk")).unwrap();
    let refused = local_gateway::start(settings).await;
    assert!(
        matches!(&refused, Err(Error::Program { function, .. }) if function == "brisk"),
        "{refused:?}"
    );
    running.stop().await;
}

#[tokio::test]
async fn variables_over_4_kb_are_refused_at_start() {
    let folder = binaries();
    let start = |length: usize| {
        local_gateway::start(Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            template: template(),
            bin_dir: folder.path().to_owned(),
            environment: [("NAMED".to_owned(), "x".repeat(length))].into(),
            parameters: std::collections::BTreeMap::new(),
            max_instances: 1,
            log: None,
        })
    };
    // The function `broken` has the longest names: variables that the environment lacks count with an empty value.
    let rest = r#"{"NAMED":"","REFUSE_TO_START":""}"#.len();
    start(4096 - rest).await.unwrap().stop().await;
    let refused = start(4096 - rest + 1).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Environment { function, .. } if function == "broken"),
        "{refused:?}"
    );
    let sentence = refused.to_string();
    assert!(
        sentence.contains("broken have 4097 bytes") && sentence.contains("SECRETS_ARN"),
        "{sentence}"
    );
}
