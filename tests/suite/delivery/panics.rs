//! Work that panics: caught at the edge, retried once, then rejected.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{retry, statuses};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

/// Returns an example of this crate, which `cargo build --all-targets` puts beside the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name);
    assert!(
        path.exists(),
        "{} is not built: cargo build -p tests --examples",
        path.display()
    );
    path
}

/// Returns the functions, with panicking work in place of send-email's.
fn binaries(built: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    for function in ["api", "jobs"]
        .iter()
        .flat_map(|kind| functions.join(kind).read_dir().unwrap())
    {
        let name = function.unwrap().file_name();
        if name != "send-email" {
            symlink(built.join(&name), folder.path().join(&name)).unwrap();
        }
    }
    symlink(example("panicking-work"), folder.path().join("send-email")).unwrap();
    folder
}

/// Returns a job whose work panics until the file exists, and creates it; without a file it always panics.
fn panicking(until: Option<&Path>) -> Value {
    let mut payload = signature_request("ann@example.com");
    if let Some(path) = until {
        payload["message"] = json!(path);
    }
    payload
}

#[tokio::test]
async fn first_panic_is_retried_and_second_is_dead_and_the_instance_survives() {
    let mut folder = None;
    let cloud = TestCloud::start_with(|settings| {
        let binaries = folder.insert(binaries(&settings.bin_dir));
        settings.bin_dir = binaries.path().to_owned();
        // Attempts and instances are counted exactly: a concurrent delivery starts a second instance.
        settings.qstash_disorder = None;
    })
    .await;
    let scratch = tempfile::tempdir().unwrap();

    let id = cloud
        .enqueue(&panicking(Some(&scratch.path().join("once"))))
        .await;
    let job = cloud.wait_for(&id, "completed").await;
    let life = ["queued", "processing", "failed", "processing", "completed"];
    assert_eq!(statuses(&job), life, "{job:#}");
    let note = job["timeline"][2]["note"].as_str().unwrap();
    assert!(
        note.starts_with("panicked: the payload requested it"),
        "{note}"
    );
    let pids = cloud.gateway().pids("send-email");
    assert_eq!(pids.len(), 1);

    let id = cloud.enqueue(&panicking(None)).await;
    let job = cloud.wait_for(&id, "dead").await;
    let life = ["queued", "processing", "failed", "processing", "dead"];
    assert_eq!(statuses(&job), life, "{job:#}");
    assert!(
        job["error"].as_str().unwrap().starts_with("panicked: "),
        "{job:#}"
    );

    assert_eq!(retry(&cloud, &id).await.status, 202);
    let twice_more = async || cloud.job(&id).await["attempts"] == 4;
    super::eventually("it is tried twice again", twice_more).await;
    let job = cloud.wait_for(&id, "dead").await;
    assert_eq!(
        statuses(&job)[5..],
        ["queued", "processing", "failed", "processing", "dead"]
    );
    assert_eq!(
        cloud.gateway().pids("send-email"),
        pids,
        "no instance was lost"
    );
}
