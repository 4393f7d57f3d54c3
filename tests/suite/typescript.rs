//! The TypeScript types of the API: generated from the document, and usable by a web developer.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

#[tokio::test]
async fn types_match_the_document() {
    run(
        "check",
        "clients/typescript/signtusk.d.ts is behind the document: run `make openapi`",
    )
    .await;
}

#[tokio::test]
async fn readme_calls_compile_and_wrong_fields_do_not() {
    run(
        "test",
        "the types reject valid calls or accept invalid ones",
    )
    .await;
}

#[test]
fn lockfile_pins_everything_and_names_no_registry() {
    let text = std::fs::read_to_string(folder().join("package-lock.json")).unwrap();
    assert!(text.contains("\"integrity\""));
    assert!(!text.contains("\"resolved\""));
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../clients/typescript"
    ))
}

/// Runs one of the package's scripts; panics with its output if it fails.
async fn run(script: &str, why: &str) {
    assert!(
        folder().join("node_modules").is_dir(),
        "clients/typescript is not installed: run `npm --prefix clients/typescript ci`, or `make test`, which does"
    );
    let outcome = Command::new("npm")
        .args(["run", "--silent", script])
        .current_dir(folder())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("npm runs: it is installed by `make setup`");
    assert!(
        outcome.status.success(),
        "{why}\n{}\n{}",
        String::from_utf8_lossy(&outcome.stdout),
        String::from_utf8_lossy(&outcome.stderr)
    );
}
