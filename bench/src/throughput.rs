//! Throughput: enqueues by one and by many callers, and mails from the API to the mailbox.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use http::Method;
use serde_json::{Value, json};

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::stage::{Stage, complete, succeed, with_json};

/// Enqueues for each number of callers.
const ENQUEUES: u32 = 2_000;

/// Recipients of the bulk.
const MAILS: u32 = 1_000;

/// Jobs of the bulk.
const JOBS: u64 = 10;

/// The polling interval of jobs, long enough that polling does not slow down the run.
const PAUSE: Duration = Duration::from_millis(25);

/// The timeout of a run.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Returns the figures: measures enqueues, and adds `mails`, which were measured before.
pub(crate) async fn section(stage: &Stage, mails: f64) -> Result<Section, Error> {
    let (one, eight) = (enqueues(stage, 1).await?, enqueues(stage, 8).await?);
    Ok(Section {
        title: "Throughput",
        how: "Everything shares this machine's cores: the callers, the gateway, the functions and the stores. Mails are\n\
              one bulk of 1,000, from the API call to the completion of its last job, at normal priority.",
        figures: vec![
            Figure::new("POST /api/queue/emails, 1 caller", one, "per s"),
            Figure::new("POST /api/queue/emails, 8 callers", eight, "per s"),
            Figure::new(
                "mails of a bulk, from the API to the mailbox",
                mails,
                "per s",
            ),
        ],
    })
}

/// Returns the enqueues per second by `callers` concurrent callers. Deliveries are held meanwhile.
async fn enqueues(stage: &Stage, callers: u32) -> Result<f64, Error> {
    stage.cloud.qstash().hold(true);
    let one = async || {
        for _ in 0..ENQUEUES / callers {
            complete(stage.enqueueing()).await?;
        }
        Ok::<(), Error>(())
    };
    // Every instance is running before the measurement.
    together(callers, async || complete(stage.enqueueing()).await).await?;
    let started = Instant::now();
    together(callers, one).await?;
    Ok(f64::from(ENQUEUES) / started.elapsed().as_secs_f64())
}

/// Returns the mails per second, from the enqueue of a bulk to the completion of its last job: through QStash, the
/// function, Postgres and SES.
pub(crate) async fn mails(stage: &Stage) -> Result<f64, Error> {
    let bulk = json!({
        "documentTitle": "Lease of a flat",
        "senderName": "Bob Owner",
        "documentId": "document-1",
        "emails": (0..MAILS)
            .map(|number| json!({ "name": "Ann Signer", "email": format!("signer-{number}@example.com") }))
            .collect::<Vec<_>>(),
    });
    let before = completed(stage).await?;
    let started = Instant::now();
    complete(with_json(
        stage.request(Method::POST, "/api/queue/emails/bulk"),
        &bulk,
    ))
    .await?;
    while completed(stage).await? < before + JOBS {
        if started.elapsed() > TIMEOUT {
            return Err(Error::Unexpected(format!(
                "{MAILS} mails took over {TIMEOUT:?}"
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(f64::from(MAILS) / started.elapsed().as_secs_f64())
}

async fn completed(stage: &Stage) -> Result<u64, Error> {
    let stats = succeed(stage.get("/api/queue/stats"))
        .await?
        .bytes()
        .await?;
    let stats: Value = serde_json::from_slice(&stats).unwrap_or_default();
    let completed = stats["email"]["completed"].as_u64();
    completed.ok_or_else(|| Error::Unexpected(format!("the stats are {stats}")))
}

/// Runs `work` concurrently for each caller.
async fn together(callers: u32, work: impl AsyncFn() -> Result<(), Error>) -> Result<(), Error> {
    try_join_all((0..callers).map(|_| work())).await.map(drop)
}
