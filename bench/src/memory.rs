//! The memory of an instance.

use local_gateway::Gateway;
use reqwest::RequestBuilder;

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::size::megabytes;
use crate::stage::{Stage, complete};
use crate::start::end_all;

/// Calls before the measurement.
const CALLS: usize = 2_000;

/// Resident memory of four functions, in MB.
pub(crate) struct Memories {
    hello: f64,
    openapi: f64,
    pub(crate) queue_jobs: f64,
    queue: f64,
}

/// Measures each of them; `id` is the job to read.
pub(crate) async fn measure(stage: &Stage, id: &str) -> Result<Memories, Error> {
    let gateway = stage.cloud.gateway();
    let job = format!("/api/queue/jobs/{id}");
    Ok(Memories {
        hello: after_calls(&stage.hello, "hello", || stage.call_hello()).await?,
        openapi: after_calls(gateway, "openapi", || stage.get("/api/openapi.json")).await?,
        queue_jobs: after_calls(gateway, "queue-jobs", || stage.get(&job)).await?,
        queue: after_calls(gateway, "queue", || stage.enqueueing()).await?,
    })
}

impl Memories {
    /// Returns the figures.
    pub(crate) fn section(&self) -> Section {
        let limited = |what, value| Figure::new(what, value, "MB").at_most(15.0);
        Section {
            title: "Memory",
            how: "Resident (VmRSS) after 2,000 calls in a row.",
            figures: vec![
                Figure::new("hello (for comparison)", self.hello, "MB"),
                limited("openapi", self.openapi),
                limited("queue-jobs, reads of a job", self.queue_jobs),
                limited("queue, enqueues of a mail", self.queue),
            ],
        }
    }
}

/// Returns the resident memory of a new instance after [`CALLS`] calls in a row, in MB.
async fn after_calls(
    gateway: &Gateway,
    function: &str,
    call: impl Fn() -> RequestBuilder,
) -> Result<f64, Error> {
    end_all(gateway, function).await;
    for _ in 0..CALLS {
        complete(call()).await?;
    }
    match gateway.pids(function).as_slice() {
        [pid] => resident(*pid),
        pids => Err(Error::Unexpected(format!(
            "{function} has {} instances",
            pids.len()
        ))),
    }
}

/// Returns `VmRSS` of a process (proc(5)), in MB.
fn resident(pid: u32) -> Result<f64, Error> {
    let path = format!("/proc/{pid}/status");
    let status =
        std::fs::read_to_string(&path).map_err(Error::system(format!("cannot read {path}")))?;
    let kilobytes = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()
    });
    let kilobytes = kilobytes.ok_or_else(|| Error::Unexpected(format!("{path} has no VmRSS")))?;
    Ok(megabytes(kilobytes * 1024))
}
