//! The schedules.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use shared::service::job::SCHEDULES;

use super::acting;
use crate::support::TestCloud;
use crate::support::cloud::{Answer, TIMEOUT, answer, with_json};
use crate::support::moto::Moto;
use crate::support::waiting::eventually;

const SCHEDULES_ROUTE: &str = "/api/queue/schedules";

async fn put(cloud: &TestCloud, request_body: &Value) -> Answer {
    answer(with_json(
        cloud.request(Method::PUT, SCHEDULES_ROUTE),
        request_body,
    ))
    .await
}

/// Returns QStash's schedules, by id.
async fn at_qstash(cloud: &TestCloud) -> BTreeMap<String, Value> {
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    let request = http
        .get(format!("{}/v2/schedules", cloud.qstash().url()))
        .bearer_auth(cloud.variable("QSTASH_TOKEN"));
    let schedules = answer(request).await.body;
    let schedules = schedules.as_array().unwrap().iter();
    schedules
        .map(|schedule| {
            (
                schedule["scheduleId"].as_str().unwrap().to_owned(),
                schedule.clone(),
            )
        })
        .collect()
}

/// Returns the ids of the schedules whose functions are built.
fn built() -> Vec<&'static str> {
    let mut ids: Vec<&str> = SCHEDULES
        .iter()
        .filter(|schedule| schedule.job().is_some())
        .map(|schedule| schedule.id)
        .collect();
    ids.sort_unstable();
    ids
}

/// Defect 40: a schedule was one immediate message, and each registration would have made another.
#[tokio::test]
async fn repeated_registration_creates_one_schedule_per_built_function() {
    let cloud = TestCloud::start().await;
    let first = put(&cloud, &json!({})).await;
    assert_eq!(first.status, 200, "{first:?}");
    let once = at_qstash(&cloud).await;
    assert_eq!(once.keys().collect::<Vec<_>>(), built());
    assert!(built().contains(&"outbox-sweep"));
    let second = put(&cloud, &json!({})).await;
    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!(at_qstash(&cloud).await.len(), once.len());
    let sweep = &once["outbox-sweep"];
    assert_eq!(
        (&sweep["cron"], &sweep["destination"]),
        (
            &json!("*/5 * * * *"),
            &json!(cloud.url("/api/jobs/relay-outbox"))
        )
    );
    let listed = cloud.get(SCHEDULES_ROUTE).await.body;
    for item in listed["items"].as_array().unwrap() {
        assert_eq!(item["registered"], true, "{item:#}");
        assert!(item["nextRun"].is_string(), "{item:#}");
    }
}

#[tokio::test]
async fn schedule_runs_by_itself_and_its_result_is_shown() {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 600.0).await;
    let before = cloud.get(SCHEDULES_ROUTE).await.body;
    assert_eq!(before["items"][0]["registered"], false, "{before:#}");
    put(&cloud, &json!({})).await;
    let database = crate::support::ledger::LedgerDatabase::of(&cloud);
    let payload = crate::support::payloads::signature_request("ann@example.com");
    let call = format!("select public.signtusk_enqueue_job('email', '{payload}')");
    database.execute(&call).await;
    eventually("the sweep finds the mail by itself", async || {
        cloud.mails().contains_key("ann@example.com")
    })
    .await;
    eventually("the last run is shown with its result", async || {
        let shown = cloud.get(SCHEDULES_ROUTE).await.body;
        let items = shown["items"].as_array().unwrap().iter();
        let mut sweeps = items.filter(|item| item["scheduleId"] == "outbox-sweep");
        sweeps.next().is_some_and(|sweep| {
            sweep["lastRun"].is_string()
                && sweep["lastResult"]["status"] == "completed"
                && sweep["lastResult"]["result"]["setAside"] == 0
        })
    })
    .await;
}

#[tokio::test]
async fn paused_schedule_stays_paused_until_resumed() {
    let cloud = TestCloud::start().await;
    let pause = json!({ "scheduleId": "outbox-sweep", "paused": true });
    let paused = put(&cloud, &pause).await;
    assert_eq!(paused.status, 200, "{paused:?}");
    let is_paused = async || at_qstash(&cloud).await["outbox-sweep"]["isPaused"] == true;
    assert!(is_paused().await);
    assert_eq!(
        at_qstash(&cloud).await["dead-letter-reconciliation"]["isPaused"],
        false
    );
    put(&cloud, &json!({})).await;
    assert!(is_paused().await, "registering again does not resume it");

    // Also if its definition has changed since.
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    let url = format!(
        "{}/v2/schedules/{}",
        cloud.qstash().url(),
        cloud.url("/api/jobs/relay-outbox")
    );
    let older = http
        .post(url)
        .bearer_auth(cloud.variable("QSTASH_TOKEN"))
        .header("upstash-schedule-id", "outbox-sweep")
        .header("upstash-cron", "0 0 1 1 *");
    assert_eq!(answer(older).await.status, 200);
    assert!(!is_paused().await, "QStash resumes an overwritten schedule");
    put(&cloud, &pause).await;
    let stands = at_qstash(&cloud).await;
    assert_eq!(stands["outbox-sweep"]["cron"], "*/5 * * * *");
    assert!(is_paused().await);

    let all = put(&cloud, &json!({ "paused": false })).await;
    let items = all.body["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["paused"] == false), "{all:?}");
}

#[tokio::test]
async fn only_service_and_admin_see_and_change_schedules() {
    let cloud = TestCloud::start().await;
    let request_body = json!({});
    for (role, status) in [("user", 403), ("domain_admin", 403), ("admin", 200)] {
        let who = ("u-1", role, "acme.example");
        let seen = acting(&cloud, who, Method::GET, SCHEDULES_ROUTE, None).await;
        let changed = acting(
            &cloud,
            who,
            Method::PUT,
            SCHEDULES_ROUTE,
            Some(&request_body),
        )
        .await;
        assert_eq!(
            (seen.status.as_u16(), changed.status.as_u16()),
            (status, status),
            "{role}"
        );
    }
    for (request_body, pointer) in [
        (
            json!({ "scheduleId": "lunch", "paused": true }),
            "/scheduleId",
        ),
        (json!({ "scheduleId": "outbox-sweep" }), "/paused"),
        (json!({ "paused": "yes" }), "/paused"),
    ] {
        put(&cloud, &request_body)
            .await
            .assert_invalid(pointer, &request_body.to_string());
    }
}

/// Starts `local up` as a developer does, on a new folder and free ports.
async fn up(folder: &std::path::Path) -> local::process::Process {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().unwrap();
    let data = folder.join("data");
    let mut arguments: Vec<std::ffi::OsString> = vec!["up".into(), "--data".into(), data.into()];
    for (flag, path) in [
        ("--bin-dir", "target/debug"),
        ("--template", "template.yaml"),
    ] {
        arguments.extend([flag.into(), root.join(path).into()]);
    }
    for part in ["functions", "redis-rest", "qstash", "mailbox"] {
        arguments.extend([format!("--{part}-port").into(), "0".into()]);
    }
    let log = folder.join("up.log");
    let mut process = local::process::Process::start(&local::process::Program {
        name: "local",
        path: root.join("target/debug/local"),
        arguments,
        folder: folder.to_owned(),
        user: None,
        log: log.clone(),
        stop_signal: "INT",
    })
    .await
    .unwrap();
    let has_registered = async || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.contains("schedules are")
    };
    process
        .answers(std::time::Duration::from_mins(1), has_registered)
        .await
        .unwrap();
    process
}

#[tokio::test]
async fn local_cloud_has_each_schedule_once_after_every_start() {
    let folder = tempfile::tempdir().unwrap();
    for start in ["first", "second"] {
        let _ = std::fs::remove_file(folder.path().join("up.log"));
        let process = up(folder.path()).await;
        let env = std::fs::read_to_string(folder.path().join("data/env")).unwrap();
        let variable = |name: &str| {
            let line = env
                .lines()
                .find(|line| line.starts_with(&format!("{name}=")));
            line.unwrap()[name.len() + 1..]
                .trim_matches('\'')
                .to_owned()
        };
        let http = shared::protocol::http::client(TIMEOUT).unwrap();
        let request = http
            .get(format!("{}/v2/schedules", variable("QSTASH_URL")))
            .bearer_auth(variable("QSTASH_TOKEN"));
        let schedules = answer(request).await.body;
        let mut ids: Vec<&str> = schedules
            .as_array()
            .unwrap()
            .iter()
            .map(|schedule| schedule["scheduleId"].as_str().unwrap())
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, built(), "{start}");
        process.stop().await;
    }
}

/// The step of `scripts/deploy` after a healthy deployment: the token comes from the stack's secret, and stays there.
#[tokio::test]
async fn deployment_registers_the_schedules() {
    let cloud = TestCloud::start().await;
    let moto = Moto::start().await;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = |program: &str, arguments: &[&str]| {
        let mut command = tokio::process::Command::new(root.join(".local/tests/bin/python"));
        command.arg(program).args(arguments).current_dir(&root);
        for (name, value) in [
            ("AWS_ENDPOINT_URL_SECRETSMANAGER", moto.url()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", moto.url()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ] {
            command.env(name, value);
        }
        command
    };
    let token = cloud.variable("API_TOKEN");
    let secret = json!({ "API_TOKEN": token }).to_string();
    let create = "import boto3, sys; boto3.client('secretsmanager').create_secret(Name='signtusk', SecretString=sys.argv[1])";
    let created = python("-c", &[create, &secret]).output().await.unwrap();
    assert!(created.status.success(), "{created:?}");
    for _ in 0..2 {
        let arguments = ["signtusk", cloud.functions_url()];
        let registered = python("scripts/schedules.py", &arguments).output().await;
        let registered = registered.unwrap();
        assert!(registered.status.success(), "{registered:?}");
        let message = String::from_utf8(registered.stdout).unwrap();
        assert!(
            message.contains("outbox-sweep") && !message.contains(token),
            "{message}"
        );
        assert_eq!(at_qstash(&cloud).await.keys().collect::<Vec<_>>(), built());
    }
    let refused = python("scripts/schedules.py", &["signtusk", "http://127.0.0.1:9"]);
    let refused = { refused }.output().await.unwrap();
    assert!(!refused.status.success(), "{refused:?}");
}
