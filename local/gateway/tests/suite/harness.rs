//! Gateways of the test template, and waiting for conditions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_gateway::{Gateway, Settings};
use tempfile::TempDir;

/// A gateway with its temporary folder.
pub(crate) struct Running {
    pub(crate) gateway: Gateway,
    pub(crate) logs: PathBuf,
    _folder: TempDir,
}

/// Starts a gateway on a free port with at most this number of instances of a function.
pub(crate) async fn start(max_instances: usize) -> Running {
    start_with(max_instances, &[]).await
}

/// Starts a gateway with values of the template's parameters.
pub(crate) async fn start_with(max_instances: usize, parameters: &[(&str, &str)]) -> Running {
    let folder = binaries();
    let logs = folder.path().join("logs");
    let environment = [
        ("NAMED", "named"),
        ("UNNAMED", "unnamed"),
        ("REFUSE_TO_START", "yes"),
        ("AWS_ENDPOINT_URL_SESV2", "http://127.0.0.1:1"),
    ];
    let environment = owned(&environment);
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        template: template(),
        bin_dir: folder.path().to_owned(),
        environment,
        parameters: owned(parameters),
        max_instances,
        log: Some(logs.clone()),
    };
    let gateway = local_gateway::start(settings).await.unwrap();
    Running {
        gateway,
        logs,
        _folder: folder,
    }
}

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Returns the path of the test template.
pub(crate) fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/template.yaml")
}

/// Returns a folder with the example under the name of every function of the test template.
pub(crate) fn binaries() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["echo", "brisk", "patient", "broken", "narrow"] {
        std::os::unix::fs::symlink(example("echo"), folder.path().join(name)).unwrap();
    }
    folder
}

/// Returns an example of this crate, which Cargo builds beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name)
}

/// Waits until the condition holds, for at most ten seconds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not come true: {what}");
}

/// Returns whether a process is running; an unreaped dead process is not.
pub(crate) fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .starts_with(" Z")
    })
}
