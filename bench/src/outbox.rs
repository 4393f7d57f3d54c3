//! The speed at which relay-outbox publishes the rows of a bulk change.

use std::time::{Duration, Instant};

use shared::protocol::postgres::{Postgres, column};

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::stage::{Stage, complete, mail};

/// Rows of the measured run.
const ROWS: u32 = 10_000;

/// The polling interval of the outbox, long enough that polling does not slow down the run.
const PAUSE: Duration = Duration::from_millis(20);

/// The timeout of a run.
const TIMEOUT: Duration = Duration::from_mins(2);

const WAITING: &str =
    "SELECT EXISTS (SELECT FROM signtusk.outbox WHERE published_at IS NULL) AS waiting";

/// Measures the figures. The outbox must be empty, and deliveries must not be held.
pub(crate) async fn section(stage: &Stage) -> Result<Section, Error> {
    let postgres = stage.postgres()?;
    // An instance is running, and the store has its scripts.
    relay(stage, &postgres, 1).await?;
    let took = relay(stage, &postgres, ROWS).await?;
    Ok(Section {
        title: "The outbox",
        how: "10,000 rows with a mail each, written in one statement; from the message that wakes relay-outbox to the\n\
              last row that is published: each is claimed in Postgres, recorded in Redis and published at QStash, 100\n\
              at a time. The mails are due in an hour, so that no other function uses the machine meanwhile.",
        figures: vec![Figure::new(
            "rows through relay-outbox",
            f64::from(ROWS) / took.as_secs_f64(),
            "per s",
        )],
    })
}

/// Writes rows, wakes the relay, and waits until all are published.
async fn relay(stage: &Stage, postgres: &Postgres, rows: u32) -> Result<Duration, Error> {
    postgres.batch(&writing(rows)).await?;
    let started = Instant::now();
    complete(stage.publishing("relay-outbox")).await?;
    while is_waiting(postgres).await? {
        if started.elapsed() > TIMEOUT {
            return Err(Error::Unexpected(format!(
                "{rows} rows took over {TIMEOUT:?}"
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(started.elapsed())
}

async fn is_waiting(postgres: &Postgres) -> Result<bool, Error> {
    let rows = postgres.query(WAITING, &[]).await?;
    let row = rows.first();
    let row = row.ok_or_else(|| Error::Unexpected("no answer to EXISTS".into()))?;
    Ok(column(row, "waiting")?)
}

/// Returns the statement that writes this number of rows, as the web app would.
fn writing(rows: u32) -> String {
    let mail = mail();
    format!(
        "SELECT count(public.signtusk_enqueue_job('email', '{mail}', not_before => now() + interval '1 hour')) \
         FROM generate_series(1, {rows})"
    )
}
