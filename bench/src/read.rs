//! The overhead of reading a job through its function over the bare round trip.

use shared::protocol::upstash::{Command, Redis, Reply};
use shared::service::job::Jobs;

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::spread::Spread;
use crate::stage::Stage;
use crate::turns::{Turns, timed};

/// Reads of each kind.
const READS: usize = 3_000;

/// The times of the reads.
pub(crate) struct Reads {
    /// HGETALL of the job's record over Redis REST.
    pub(crate) bare: Spread,
    /// The function's own script over Redis REST: the part that the function must wait for.
    pub(crate) script: Spread,
    /// `GET /api/queue/jobs/{jobId}`, through the gateway.
    pub(crate) function: Spread,
    /// The same calls from the event to the answer.
    pub(crate) own: Spread,
}

impl Reads {
    /// Returns the figures.
    pub(crate) fn section(&self) -> Section {
        let [bare, script, function, own] =
            [&self.bare, &self.script, &self.function, &self.own].map(Spread::p50);
        Section {
            title: "A read through its function",
            how: "GET /api/queue/jobs/{jobId} beside HGETALL of the same record over Redis REST, and beside the script that the\n\
              function runs there; in turn, 3,000 each, by callers in Rust. The function's own time is the duration that\n\
              Lambda bills: from the event to the answer, without the stand-in for API Gateway.",
            figures: vec![
                Figure::new("bare round trip, p50", bare, "ms"),
                Figure::new("the function's script, bare, p50", script, "ms"),
                Figure::new("through the function, p50", function, "ms").at_most(1.0),
                Figure::new("through the function, p99", self.function.p99(), "ms"),
                Figure::new("the function from the event to the answer, p50", own, "ms"),
                own_time(own, script),
            ],
        }
    }
}

/// Reads the job `id` in each way in turn.
pub(crate) async fn measure(stage: &Stage, id: &str) -> Result<Reads, Error> {
    let (redis, path) = (stage.redis()?, format!("/api/queue/jobs/{id}"));
    let jobs = Jobs::new(redis.clone());
    let mut turns = Turns::new(READS);
    while turns.go_on() {
        let [waited, own] = stage.read("queue-jobs", &path).await?;
        turns.note([
            timed(bare(&redis, id)).await?,
            timed(script(&jobs, id)).await?,
            waited,
            own,
        ]);
    }
    let [bare, script, function, own] = turns.spreads();
    Ok(Reads {
        bare,
        script,
        function,
        own,
    })
}

/// Returns how much longer a function takes than the script it waits for.
pub(crate) fn own_time(own: f64, script: f64) -> Figure {
    let what = "the function from the event to the answer over its script, p50";
    Figure::new(what, own / script, "x").at_most(1.25)
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
