//! What reading a job through its function adds to the bare round trip.

use shared::protocol::upstash::{Command, Redis, Reply};
use shared::service::job::Jobs;

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::spread::Spread;
use crate::stage::{Stage, complete};
use crate::turns::{Turns, timed};

/// Reads of each kind.
const READS: usize = 3_000;

/// What the reads took.
pub(crate) struct Reads {
    /// HGETALL of the job's record over Redis REST.
    pub(crate) bare: Spread,
    /// The function's own script over Redis REST: what the function must wait for.
    pub(crate) script: Spread,
    /// The smallest function behind a gateway: what the gateway itself takes.
    pub(crate) hello: Spread,
    /// `GET /api/queue/jobs/{jobId}`.
    pub(crate) function: Spread,
}

impl Reads {
    /// The figures.
    pub(crate) fn section(&self) -> Section {
        let [bare, script, hello, function] =
            [&self.bare, &self.script, &self.hello, &self.function].map(Spread::p50);
        Section {
            title: "A read through its function",
            how: "GET /api/queue/jobs/{jobId} beside HGETALL of the same record over Redis REST, and beside the script that the\n\
              function runs there; in turn, 3,000 each, by callers in Rust. hello is a function that does nothing behind the\n\
              same gateway: what the stand-in for API Gateway and Lambda takes by itself, which is more than a bare round trip.\n\
              Most of what the ratio is over its limit is that hop; the last row is what remains without it.",
            figures: vec![
                Figure::new("bare round trip, p50", bare, "ms"),
                Figure::new("the function's script, bare, p50", script, "ms"),
                Figure::new("hello through the gateway, p50", hello, "ms"),
                Figure::new("through the function, p50", function, "ms").at_most(1.0),
                Figure::new("through the function, p99", self.function.p99(), "ms"),
                Figure::new(
                    "through the function over the bare round trip, p50",
                    function / bare,
                    "x",
                )
                .at_most(1.3),
                Figure::new(
                    "the function alone (without hello's time) over its script, p50",
                    (function - hello) / script,
                    "x",
                ),
            ],
        }
    }
}

/// Reads the job `id` in turn on each way.
pub(crate) async fn measure(stage: &Stage, id: &str) -> Result<Reads, Error> {
    let (redis, path) = (stage.redis()?, format!("/api/queue/jobs/{id}"));
    let jobs = Jobs::new(redis.clone());
    let mut turns = Turns::new(READS);
    while turns.go_on() {
        turns.note([
            timed(bare(&redis, id)).await?,
            timed(script(&jobs, id)).await?,
            timed(complete(stage.call_hello())).await?,
            timed(complete(stage.get(&path))).await?,
        ]);
    }
    let [bare, script, hello, function] = turns.spreads();
    Ok(Reads {
        bare,
        script,
        hello,
        function,
    })
}

async fn bare(redis: &Redis, id: &str) -> Result<(), Error> {
    let key = format!("job:{id}");
    match redis.run::<Reply>(Command::new("HGETALL").arg(key)).await? {
        Reply::Array(fields) if !fields.is_empty() => Ok(()),
        other => Err(Error::Unexpected(format!("no job is at {id}: {other:?}"))),
    }
}

async fn script(jobs: &Jobs, id: &str) -> Result<(), Error> {
    match jobs.get(id).await? {
        Some(_) => Ok(()),
        None => Err(Error::Unexpected(format!("no job is at {id}"))),
    }
}
