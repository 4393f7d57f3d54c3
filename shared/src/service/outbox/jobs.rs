//! Rows that are jobs: recorded and published, as every job is.
//!
//! The row's id is the job's id, so doing a row twice makes no second job: the record is there already, and the queue
//! knows the deduplication id, or the claim of the second delivery finds the job over.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Kind, Outbox, Outcome, Row};
use crate::protocol::qstash;
use crate::service::job::{
    self, Created, HELD_FOR, JobType, Jobs, NewJob, Order, Outgoing, Priority, Publisher,
};

/// Records and publishes the jobs of rows.
#[derive(Clone, Debug)]
pub struct Courier {
    /// The records.
    pub jobs: Jobs,
    /// The way to the queue.
    pub publisher: Publisher,
}

/// A row that is read: the job that it becomes.
struct Parcel<'a> {
    place: usize,
    row: &'a Row,
    order: Order,
    job: NewJob,
}

impl Courier {
    /// Publishes these rows right after the commit that made them, and says how many went. What does not go is left
    /// to the sweep, so nothing is an error.
    pub async fn publish(&self, outbox: &Outbox, ids: &[String]) -> usize {
        match self.try_publish(outbox, ids).await {
            Ok(published) => published,
            Err(error) => {
                tracing::warn!(error = &*error, "left to the sweep of the outbox");
                0
            }
        }
    }

    async fn try_publish(
        &self,
        outbox: &Outbox,
        ids: &[String],
    ) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        let claimed = outbox.claim_these(&[Kind::Job], ids).await?;
        if claimed.rows.is_empty() {
            return Ok(0);
        }
        match self.deliver(&claimed.rows).await {
            Ok(outcomes) => {
                outbox.settle(&claimed, &outcomes).await?;
                Ok(outcomes.iter().filter(|it| **it == Outcome::Done).count())
            }
            Err(error) => {
                let free = vec![Outcome::Free(Duration::ZERO); claimed.rows.len()];
                outbox.settle(&claimed, &free).await?;
                Err(error.into())
            }
        }
    }

    /// Records and publishes the jobs of these rows, and says of each what became of it. An error is an outage: some
    /// may have gone, and all may be tried again.
    pub async fn deliver(&self, rows: &[Row]) -> Result<Vec<Outcome>, job::Error> {
        let mut outcomes = vec![Outcome::Done; rows.len()];
        let mut parcels = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            match parcel(place, row) {
                Ok(parcel) => parcels.push(parcel),
                Err(reason) => outcomes[place] = Outcome::Aside(reason),
            }
        }
        let parcels = self.recorded(parcels, &mut outcomes).await?;
        let outgoing: Vec<Outgoing<'_>> = parcels.iter().map(Parcel::outgoing).collect();
        let published = self.publisher.publish_each(&outgoing).await?;
        // The last of each key that went: what was refused before it has been overtaken, and must not follow it.
        let mut gone = HashSet::new();
        for (parcel, published) in parcels.iter().zip(&published).rev() {
            match (published, parcel.row.ordering_key.as_deref()) {
                (Ok(()), Some(key)) => {
                    gone.insert(key);
                }
                (Ok(()), None) => {}
                (Err(refusal), key) => {
                    let overtaken = key.is_some_and(|key| gone.contains(key));
                    outcomes[parcel.place] = refused(parcel.row, refusal, overtaken);
                }
            }
        }
        Ok(outcomes)
    }

    /// Those that have a record now. What is paused waits, and what is behind it in its order waits with it.
    async fn recorded<'a>(
        &self,
        parcels: Vec<Parcel<'a>>,
        outcomes: &mut [Outcome],
    ) -> Result<Vec<Parcel<'a>>, job::Error> {
        let wishes = parcels.iter().map(|parcel| (&parcel.order, &parcel.job));
        let created = self.jobs.create_each(wishes).await?;
        let mut held = HashSet::new();
        let mut recorded = Vec::with_capacity(parcels.len());
        for (parcel, created) in parcels.into_iter().zip(created) {
            let key = parcel.row.ordering_key.as_deref();
            let waits = key.is_some_and(|key| held.contains(key));
            if created == Created::Paused || waits {
                held.extend(key);
                outcomes[parcel.place] = Outcome::Free(HELD_FOR);
            } else {
                recorded.push(parcel);
            }
        }
        Ok(recorded)
    }
}

impl Parcel<'_> {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            job_id: &self.row.id,
            job: self.order.job,
            generation: 1,
            priority: self.order.priority,
            tenant: &self.order.tenant,
            not_before: self.order.not_before,
            payload: &self.job.payload,
        }
    }
}

/// The job of a row, or why it can never be one.
fn parcel(place: usize, row: &Row) -> Result<Parcel<'_>, String> {
    readable(&row.payload)?;
    let columns = &row.columns;
    let job: JobType = columns
        .job_type
        .parse()
        .map_err(|_| format!("no function runs jobs of type {}", columns.job_type))?;
    let priority: Priority = columns
        .priority
        .parse()
        .map_err(|error: job::Error| error.to_string())?;
    Ok(Parcel {
        place,
        row,
        order: Order {
            job,
            priority,
            tenant: columns.tenant.clone(),
            user: columns.user.clone(),
            label: columns.label.clone(),
            not_before: columns.not_before,
        },
        job: NewJob {
            id: row.id.clone(),
            payload: row.payload.clone(),
        },
    })
}

/// Errors if no function can read the payload: `jsonb` holds deeper nesting and larger numbers than readers of JSON take.
/// It ends here, as the row's own fault, before it can fail a batch.
fn readable(payload: &str) -> Result<(), String> {
    serde_json::from_str::<Map<String, Value>>(payload)
        .map(drop)
        .map_err(|error| format!("the payload cannot be read: {error}"))
}

fn refused(row: &Row, refusal: &qstash::Refusal, overtaken: bool) -> Outcome {
    if overtaken {
        return Outcome::Aside(format!("{refusal}; what came after it has gone"));
    }
    Outcome::failed(row, refusal.to_string())
}
