//! Schemathesis (<https://schemathesis.readthedocs.io>) over docs/openapi.json with the running functions. Allowed
//! requests are accepted, forbidden ones are rejected, and every response is as described.
//!
//! All checks are on except one, which takes a cancelled job for a deleted one. `tests/schemathesis/hooks.py` supplies
//! requirements of a request that the document cannot express. The cloud is discarded, because jobs are cancelled and
//! redriven at random. Every run makes the same requests, so that findings are reproducible; a campaign makes more of
//! them.

mod verdict;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{TestCloud, seeds};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Requests of each operation in each random phase, outside a campaign.
const EXAMPLES: u64 = 40;

#[tokio::test]
async fn document_holds_for_every_route_called_by_the_service() {
    let cloud = unhurried_cloud().await;
    pass(&cloud, "service.toml", &json!({})).await;
}

#[tokio::test]
async fn document_holds_for_users_and_none_reads_anothers_data() {
    let cloud = unhurried_cloud().await;
    let token = format!("Bearer {}", cloud.variable("API_TOKEN"));
    // Each identity is tried in turn if the previous one is rejected.
    let identities = json!({ "auth": [
        identity("ann", &[("Authorization", &token), ("X-User-Id", "01985c00-0000-7000-8000-00000000000a")]),
        identity("bob", &[("Authorization", &token), ("X-User-Id", "01985c00-0000-7000-8000-00000000000b")]),
        identity("service", &[("Authorization", &token)]),
    ] });
    pass(&cloud, "users.toml", &identities).await;
}

/// Starts a cloud without a budget of script time. The thousands of requests a minute on a debug build would exhaust
/// the minute's budget of `make test-strict`, and each further request would wait for the next minute.
async fn unhurried_cloud() -> TestCloud {
    TestCloud::start_with(|settings| settings.redis_limits.script_time_per_minute = None).await
}

/// Returns the token of the link in a sent mail.
async fn unsubscribe_token(cloud: &TestCloud) -> String {
    let reminder = json!({
        "type": "reminder", "to": "ann@example.com", "signerName": "Ann", "documentTitle": "Lease",
        "senderName": "Bob", "signatureUrl": "https://app.example.com/sign/1",
    });
    let id = cloud.enqueue(&reminder).await;
    cloud.wait_for(&id, "completed").await;
    let mail = &cloud.mail().messages(Some("ann@example.com"))[0];
    let link = mail.text.split("unsubscribe?token=").nth(1).unwrap();
    link.split_whitespace().next().unwrap().to_owned()
}

fn identity(name: &str, headers: &[(&str, &str)]) -> Value {
    let headers = headers
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }));
    json!({ "name": name, "fixedHeaders": headers.collect::<Vec<_>>() })
}

/// Runs all phases with all checks by `config`; the panic report has its findings.
async fn pass(cloud: &TestCloud, config: &str, identities: &Value) {
    let link = unsubscribe_token(cloud).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identities.json");
    std::fs::write(&file, identities.to_string()).unwrap();
    let place = Path::new(ROOT).canonicalize().unwrap();
    let files = place.join("tests/schemathesis");
    let outcome = Command::new(program(&place))
        .arg("--config-file")
        .arg(files.join(config))
        .arg("run")
        .arg(place.join("docs/openapi.json"))
        .args(["--url", cloud.functions_url()])
        .args(["--checks", "all", "--continue-on-failure"])
        // DELETE of a job cancels it: it can still be read and retried.
        .args(["--exclude-checks", "use_after_free"])
        .args(["--generation-deterministic", "--request-timeout", "60"])
        .args(["--max-examples", &seeds(EXAMPLES).to_string()])
        .arg("--no-color")
        // Its records of a run are deleted with the cloud.
        .current_dir(folder.path())
        .env("HOOKS", files.join("hooks.py"))
        .env("IDENTITIES", &file)
        .env("API_TOKEN", cloud.variable("API_TOKEN"))
        .env("UNSUBSCRIBE_TOKEN", link)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let report = String::from_utf8_lossy(&outcome.stdout);
    let errors = String::from_utf8_lossy(&outcome.stderr);
    let failures = verdict::failures(&report);
    assert!(
        outcome.status.success(),
        "{config}: {}\n{failures}\n{errors}",
        outcome.status
    );
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        let done = report.contains(&format!("✅ {phase}"));
        assert!(done, "{config} left out {phase}:\n{failures}");
    }
}

fn program(root: &Path) -> PathBuf {
    let program = root.join(".local/tests/bin/schemathesis");
    assert!(
        program.exists(),
        "Schemathesis is not installed: run `scripts/setup run`, or `make test`, which does"
    );
    program
}
