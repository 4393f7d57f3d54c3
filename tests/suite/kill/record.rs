//! Kills around the job's record: before and after its claim, before and after its commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use local::process::port::{free, loopback};

use super::{Stage, end_lease, settled};
use crate::support::payloads::signature_request;
use crate::support::proxy::{Proxy, carries};

/// The mark of a claim on the wire: it contains the payload. Its reply starts with `run`, in base64.
const CLAIM: (&str, &str) = ("signatureUrl", "cnVu");

/// The mark of a commit: it contains the result. Its reply is 1.
const COMMIT: (&str, &str) = (r#"sent\":"#, r#"{"result":1}"#);

/// The moment of a kill: the script on its way to Redis, or its reply on its way back.
struct Window {
    name: &'static str,
    script: (&'static str, &'static str),
    answer: bool,
    /// Claims in the final record.
    attempts: u64,
    /// Mails that the last of them found settled.
    skipped: u64,
}

const WINDOWS: [Window; 4] = [
    Window {
        name: "before the claim",
        script: CLAIM,
        answer: false,
        attempts: 1,
        skipped: 0,
    },
    Window {
        name: "between claim and work",
        script: CLAIM,
        answer: true,
        attempts: 2,
        skipped: 0,
    },
    Window {
        name: "between work and commit",
        script: COMMIT,
        answer: false,
        attempts: 2,
        skipped: 1,
    },
    Window {
        name: "between commit and answer",
        script: COMMIT,
        answer: true,
        attempts: 1,
        skipped: 0,
    },
];

#[tokio::test]
async fn kill_around_claim_or_commit_neither_loses_nor_repeats_the_mail() {
    let port = free().unwrap();
    let scripts = Proxy::start(loopback(port)).await;
    let led = format!("http://{}", scripts.address);
    let stage = Stage::start(|settings| {
        settings.qstash_speed = 600.0;
        settings.ports.redis_rest = port;
        let name = "UPSTASH_REDIS_REST_URL".to_owned();
        settings.overrides.insert(name, led);
        // Attempts are counted exactly, so QStash delivers an unkilled message once.
        settings.qstash_disorder = None;
    })
    .await;
    // From here on Redis has the scripts, so that each is one request.
    let first = stage
        .cloud
        .enqueue(&signature_request("warm@example.com"))
        .await;
    stage.cloud.wait_for(&first, "completed").await;

    for (number, window) in WINDOWS.iter().enumerate() {
        let to = format!("window-{number}@example.com");
        stage.cloud.qstash().hold(true);
        let id = stage.cloud.enqueue(&signature_request(&to)).await;
        let killed = strike(&stage, &scripts, window, &id);
        stage.cloud.qstash().hold(false);
        stage.delivered(&id).await;
        let job = stage.cloud.wait_for(&id, "completed").await;

        let why = format!("killed {}: {job:#}", window.name);
        assert_eq!(killed.load(Ordering::Relaxed), 1, "instances {why}");
        assert_eq!(stage.cloud.mails()[&to], 1, "{why}");
        assert_eq!(settled(&job), 1, "{why}");
        assert_eq!(job["attempts"], window.attempts, "{why}");
        assert_eq!(job["result"]["skipped"], window.skipped, "{why}");
        assert_eq!(job["result"]["inDoubt"], 0, "{why}");
        scripts.open();
    }
}

/// Kills the instance once at that moment; counts the kills.
fn strike(stage: &Stage, scripts: &Proxy, window: &Window, job_id: &str) -> Arc<AtomicUsize> {
    let (is_done, killed) = (AtomicBool::default(), Arc::<AtomicUsize>::default());
    let (kill_switch, count) = (stage.cloud.gateway().kill_switch(), Arc::clone(&killed));
    let (redis, job_id) = (stage.cloud.redis_server_addr(), job_id.to_owned());
    let first_kill = move || {
        let first = !is_done.swap(true, Ordering::Relaxed);
        if first {
            end_lease(redis, &job_id);
            count.store(kill_switch.kill("send-email"), Ordering::Relaxed);
        }
        first
    };
    let (request, answer) = window.script;
    if window.answer {
        let asked = Arc::<AtomicBool>::default();
        let asks = Arc::clone(&asked);
        scripts.guard(move |bytes| {
            asks.fetch_or(carries(bytes, request), Ordering::Relaxed);
            true
        });
        scripts.guard_answers(move |bytes| {
            let answers = carries(bytes, answer) && asked.load(Ordering::Relaxed);
            !(answers && first_kill())
        });
    } else {
        scripts.guard(move |bytes| !(carries(bytes, request) && first_kill()));
    }
    killed
}
