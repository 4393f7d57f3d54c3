//! The alternative on Node: the official clients, run by the scripts in `node/`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::error::Error;
use crate::spread::Spread;
use crate::stage::Stage;

/// The number of starts of node.
const STARTS: usize = 10;

/// A read with `@upstash/redis`.
pub(crate) struct Reads {
    /// From the start of the process to the first response.
    pub(crate) first_call: Spread,
    /// Warm.
    pub(crate) warm: Warm,
}

/// The times of warm reads in milliseconds, and the memory of the process in bytes.
#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Warm {
    pub(crate) p50: f64,
    pub(crate) rss: u64,
}

/// Reads the job `id` with the official client.
pub(crate) async fn measure(stage: &Stage, id: &str, calls: usize) -> Result<Reads, Error> {
    let key = format!("job:{id}");
    let environment = stage.cloud.environment();
    let mut starts: Vec<Duration> = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let started = Instant::now();
        let arguments = [key.clone(), "1".into()];
        let (_child, mut lines) = start("redis.js", &arguments, environment, Stdio::null())?;
        next(&mut lines).await?;
        starts.push(started.elapsed());
    }
    let arguments = [key, calls.to_string()];
    let warm = read(&last_line("redis.js", &arguments, environment).await?)?;
    Ok(Reads {
        first_call: starts.into_iter().collect(),
        warm,
    })
}

/// Returns the version of node, without its `v`.
pub(crate) async fn version() -> Result<String, Error> {
    let mut node = Command::new("node");
    let output = node
        .arg("--version")
        .output()
        .await
        .map_err(Error::system("node does not run"))?;
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim()
        .trim_start_matches('v')
        .to_owned())
}

/// Runs a script to its end and returns its last line of output.
pub(crate) async fn last_line(
    script: &str,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let (_child, mut lines) = start(script, arguments, environment, Stdio::null())?;
    let mut last = None;
    while let Some(line) = lines
        .next_line()
        .await
        .map_err(Error::system("node was lost"))?
    {
        last = Some(line);
    }
    last.ok_or_else(|| Error::Unexpected(format!("{script} said nothing")))
}

/// Parses the output of a script.
pub(crate) fn read<T: DeserializeOwned>(line: &str) -> Result<T, Error> {
    serde_json::from_str(line).map_err(|error| Error::Unexpected(format!("{error} in {line}")))
}

/// Starts a script and returns its output by lines; it ends when the child is dropped.
pub(crate) fn start(
    script: &str,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
    input: Stdio,
) -> Result<(Child, Lines<BufReader<ChildStdout>>), Error> {
    let mut child = Command::new("node")
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("node")
                .join(script),
        )
        .args(arguments)
        .envs(environment)
        .stdin(input)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::system("node does not run"))?;
    let output = child.stdout.take();
    let output = output.ok_or_else(|| Error::Unexpected("node has no output".into()))?;
    Ok((child, BufReader::new(output).lines()))
}

/// Returns the next line of a script.
pub(crate) async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<String, Error> {
    let line = lines
        .next_line()
        .await
        .map_err(Error::system("node was lost"))?;
    line.ok_or_else(|| {
        Error::Unexpected("node ended early: run scripts/test once, or npm ci in tests/sdk".into())
    })
}
