//! The official clients from npm as callers: `@upstash/redis`, `@upstash/ratelimit` and `@upstash/qstash` with the
//! local servers, `@upstash/qstash` directly with the functions, and `http_ece` as a browser that decrypts push
//! messages.
//!
//! Their tests are JavaScript in `tests/sdk/`, one package for each server; here they get a cloud.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::support::TestCloud;

/// The keys of a foreign QStash account.
const STRANGERS_KEYS: [&str; 2] = [
    "sig_current_key_of_a_stranger",
    "sig_next_key_of_a_stranger",
];

#[tokio::test]
async fn official_redis_and_rate_limit_clients_work_against_the_local_front() {
    let cloud = TestCloud::start_with(|settings| {
        // The client's tests read their own writes in a pipeline, which a lagging replica does not show.
        settings.replica_lag = None;
        let budget = ("RATE_LIMIT_EMAIL".to_owned(), "5/1d".to_owned());
        settings.overrides.extend([budget]);
    })
    .await;
    pass("redis", node("redis", &cloud)).await;
}

#[tokio::test]
async fn official_qstash_client_works_against_the_local_server() {
    // The client's tests count deliveries exactly, and check the order of a queue.
    let cloud = TestCloud::start_with(|settings| settings.qstash_disorder = None).await;
    pass("qstash", node("qstash", &cloud)).await;
}

#[tokio::test]
async fn official_qstash_client_creates_jobs_and_a_foreign_signature_does_not() {
    let cloud = TestCloud::start().await;
    let folder = tempfile::tempdir().unwrap();
    let [current, next] = STRANGERS_KEYS.map(str::to_owned);
    let stranger = local_qstash::start(local_qstash::Settings {
        current_signing_key: current,
        next_signing_key: next,
        ..local_qstash::Settings::official(([127, 0, 0, 1], 0).into(), folder.path().to_owned())
    })
    .await
    .unwrap();

    let mut node = node("functions", &cloud);
    node.env("STRANGER_QSTASH_URL", stranger.url())
        .env("STRANGER_QSTASH_TOKEN", cloud.variable("QSTASH_TOKEN"));
    pass("functions", node).await;
    stranger.stop().await;
}

#[tokio::test]
async fn push_message_is_decrypted_and_its_token_verified_by_another_library() {
    let cloud = TestCloud::start().await;
    pass("push", node("push", &cloud)).await;
}

#[test]
fn lockfiles_name_no_registry() {
    for package in ["agents", "redis", "qstash", "functions", "push"] {
        let lockfile = folder(package).join("package-lock.json");
        let text = std::fs::read_to_string(lockfile).unwrap();
        assert!(text.contains("\"integrity\""), "{package} pins nothing");
        assert!(!text.contains("\"resolved\""), "{package} names a registry");
    }
}

fn folder(package: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("sdk")
        .join(package)
}

/// Returns `node --test` in a package's folder, with the cloud's variables.
fn node(package: &str, cloud: &TestCloud) -> Command {
    let folder = folder(package);
    assert!(
        folder.join("node_modules").is_dir(),
        "the clients of tests/sdk/{package} are not installed: run `npm --prefix tests/sdk/{package} ci`, \
         or `make test`, which does"
    );
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap"])
        .current_dir(folder)
        .envs(cloud.environment())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    node
}

/// Runs a package's tests; panics with their output if one fails.
async fn pass(package: &str, mut node: Command) {
    let outcome = node
        .output()
        .await
        .expect("node runs: it is installed by `make setup`");
    let message = String::from_utf8_lossy(&outcome.stdout);
    assert!(
        outcome.status.success(),
        "tests/sdk/{package} failed:\n{message}\n{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    assert!(
        passed(&message) > 0,
        "tests/sdk/{package} ran no test:\n{message}"
    );
}

/// Returns the number of passed tests from the summary (Test Anything Protocol).
fn passed(message: &str) -> u32 {
    message
        .lines()
        .find_map(|line| line.strip_prefix("# pass ")?.parse().ok())
        .unwrap_or_default()
}
