//! Guarded programs end with their parent process, however it ends.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use local::process::{Error, Process, Program};
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// The variable with the folder of [`holder`]; without it, that test does nothing.
const FOLDER: &str = "LEASH_TEST_FOLDER";

fn program(folder: &Path, script: &str) -> Program {
    Program {
        name: "sh",
        path: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        folder: folder.to_owned(),
        user: None,
        log: folder.join("log"),
        stop_signal: "TERM",
    }
}

fn is_alive(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

fn wait_for<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pid_in(folder: &Path) -> i32 {
    wait_for(|| {
        std::fs::read_to_string(folder.join("pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    })
}

/// The process that the next test kills; not a test of its own.
#[tokio::test]
async fn holder() {
    let Some(folder) = shared::base::env::optional(FOLDER) else {
        return;
    };
    let script = "trap '' HUP; echo $$ >pid; while :; do sleep 0.1; done";
    let _held = Process::start(&program(Path::new(&folder), script))
        .await
        .unwrap();
    std::future::pending::<()>().await;
}

#[test]
fn program_ends_when_its_holder_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid = pid_in(folder.path());
    assert!(is_alive(pid));
    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_for(|| (!is_alive(pid)).then_some(()));
}

#[tokio::test]
async fn program_ignoring_its_signal_is_killed_at_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; echo $$ >pid; while :; do sleep 0.1; done";
    let process = Process::start(&program(folder.path(), script))
        .await
        .unwrap();
    let pid = pid_in(folder.path());
    process.stop().await;
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn program_waits_for_the_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap 'sleep 0.5; exit' TERM; echo $$ >pid; while :; do sleep 0.1; done";
    let first = Process::start(&program(folder.path(), script))
        .await
        .unwrap();
    let pid = pid_in(folder.path());
    drop(first);
    assert!(is_alive(pid));
    let second = Process::start(&program(folder.path(), "sleep 60"))
        .await
        .unwrap();
    assert!(!is_alive(pid));
    second.stop().await;
}

#[tokio::test]
async fn program_that_ends_early_shows_its_last_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&program(folder.path(), "echo no luck; exit 3"))
        .await
        .unwrap();
    let error = process
        .answers(Duration::from_secs(30), async || false)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Ended { .. }));
    assert!(error.to_string().contains("no luck"), "{error}");
}

#[tokio::test]
async fn program_output_is_logged_and_its_exit_status_checked() {
    let folder = tempfile::tempdir().unwrap();
    Process::start(&program(folder.path(), "echo done"))
        .await
        .unwrap()
        .finish()
        .await
        .unwrap();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log, "done\n");
    let failure = Process::start(&program(folder.path(), "exit 1"))
        .await
        .unwrap()
        .finish()
        .await;
    assert!(failure.is_err());
}
