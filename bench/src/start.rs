//! The start time of a function: from the start of its process to its first poll, and to its first response.

use std::time::{Duration, Instant};

use local_gateway::Gateway;
use reqwest::RequestBuilder;

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::spread::Spread;
use crate::stage::{Stage, complete};

/// The number of starts of each function.
const ROUNDS: usize = 40;

/// The interval of checks whether a process has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// The start times of one function.
pub(crate) struct Start {
    /// From the start of the process to the first poll of the Runtime API.
    pub(crate) first_poll: Spread,
    /// From a call without an instance to its response: gateway, process, init and the call itself.
    pub(crate) first_call: Spread,
}

/// The starts of three functions.
pub(crate) struct Starts {
    hello: Start,
    openapi: Start,
    pub(crate) queue_jobs: Start,
}

/// Starts each of them; `id` is the job to read.
pub(crate) async fn measure(stage: &Stage, id: &str) -> Result<Starts, Error> {
    let gateway = stage.cloud.gateway();
    let job = format!("/api/queue/jobs/{id}");
    Ok(Starts {
        hello: again_and_again(&stage.hello, "hello", || stage.call_hello()).await?,
        openapi: again_and_again(gateway, "openapi", || stage.get("/api/openapi.json")).await?,
        queue_jobs: again_and_again(gateway, "queue-jobs", || stage.get(&job)).await?,
    })
}

impl Starts {
    /// Returns the figures.
    pub(crate) fn section(&self) -> Section {
        let poll = |what: &str, start: &Start| {
            Figure::new(
                format!("{what}: init to first poll"),
                start.first_poll.p50(),
                "ms",
            )
        };
        let call = |what: &str, start: &Start| {
            Figure::new(
                format!("{what}: init and first call"),
                start.first_call.p50(),
                "ms",
            )
        };
        Section {
            title: "Starts",
            how: "p50 of 40 starts each, from the start of the process; the first call also passes the gateway. queue-jobs opens\n\
              its connection to Redis during init, so its first poll includes a round trip.",
            figures: vec![
                poll("hello (for comparison)", &self.hello),
                poll("openapi, no network", &self.openapi).at_most(5.0),
                poll("queue-jobs, Redis on loopback", &self.queue_jobs),
                call("hello (for comparison)", &self.hello),
                call("openapi", &self.openapi),
                call("queue-jobs, Redis on loopback", &self.queue_jobs).at_most(12.0),
            ],
        }
    }
}

/// Starts one function repeatedly; `call` makes a request that reaches it.
async fn again_and_again(
    gateway: &Gateway,
    function: &str,
    call: impl Fn() -> RequestBuilder,
) -> Result<Start, Error> {
    // The first start reads the binary from the disk.
    complete(call()).await?;
    let mut calls = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        end_all(gateway, function).await;
        let started = Instant::now();
        complete(call()).await?;
        calls.push(started.elapsed());
    }
    let polls = gateway.init_durations(function);
    Ok(Start {
        first_poll: polls.into_iter().rev().take(ROUNDS).collect(),
        first_call: calls.into_iter().collect(),
    })
}

/// Kills a function's instances, and waits until they have ended.
pub(crate) async fn end_all(gateway: &Gateway, function: &str) {
    while gateway.kill(function) > 0 || gateway.instances(function) > 0 {
        tokio::time::sleep(PAUSE).await;
    }
}
