//! Making records, before any message exists.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::kind::{JobType, Plan, Priority};
use super::{Error, Jobs, keys, scripts};
use crate::base::hex::hex;
use crate::base::id;
use crate::protocol::upstash::{Invocation, Pipeline};

/// How many ids `jobs:{type}` keeps.
pub(super) const LIST_CAP: usize = 1000;

/// How long an Idempotency-Key is remembered.
const IDEMPOTENCY_LIFE: Duration = Duration::from_hours(24);

/// After this, an open member without a record is taken for lost and removed.
const OPEN_LIFE: Duration = Duration::from_hours(40 * 24);

/// What a record lives after its last retry.
const AFTERLIFE: Duration = Duration::from_hours(7 * 24);

/// How long a record lives after it is due.
pub(super) fn life(plan: &Plan) -> u128 {
    (plan.retry_horizon() + AFTERLIFE).as_millis()
}

/// A job to be made: its id and its payload, a JSON object.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// A fresh id.
    pub id: String,
    /// The payload as JSON text.
    pub payload: String,
}

impl NewJob {
    /// A job with a fresh id.
    pub fn new(payload: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: id::sortable(),
            payload: serde_json::to_string(payload)?,
        })
    }
}

/// What the jobs of one request have in common.
#[derive(Clone, Debug)]
pub struct Order {
    /// Their type.
    pub job: JobType,
    /// How urgent they are.
    pub priority: Priority,
    /// Whose budget they count against: a domain, a user, or `-`.
    pub tenant: String,
    /// The acting user; empty for the service itself.
    pub user: String,
    /// What they belong together by, such as a batch id; may be empty.
    pub label: String,
    /// The instant before which they must not run.
    pub not_before: Option<Timestamp>,
}

/// A caller's promise that equal keys mean one wish.
#[derive(Clone, Debug)]
pub struct Idempotency {
    key: String,
    fingerprint: String,
}

impl Idempotency {
    /// The header's value within a tenant and a route, and the body that came with it.
    #[must_use]
    pub fn new(tenant: &str, route: &str, key: &str, body: &[u8]) -> Self {
        let scope = format!("{tenant}\n{route}\n{key}");
        Self {
            key: hex(&Sha256::digest(scope)),
            fingerprint: hex(&Sha256::digest(body)),
        }
    }
}

/// What became of a wish to create jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// They are recorded, under the given ids.
    New,
    /// The same wish came before.
    Same {
        /// The ids of the first time.
        ids: Vec<String>,
        /// The label of the first time.
        label: String,
        /// Whether they may still lack a message.
        unclaimed: bool,
    },
    /// The key was used for another body.
    Conflict,
    /// The type or the tenant is paused: nothing is recorded.
    Paused,
}

/// What is kept under an idempotency key.
#[derive(Serialize, Deserialize)]
struct Answer {
    ids: Vec<String>,
    label: String,
}

impl Jobs {
    /// Records jobs, all or none. The record comes first, so that the fastest worker finds it.
    pub async fn create(
        &self,
        order: &Order,
        jobs: &[NewJob],
        idempotency: Option<&Idempotency>,
    ) -> Result<Created, Error> {
        let Some((first, rest)) = jobs.split_first() else {
            return Ok(Created::New);
        };
        let call = creation(order, first, rest, idempotency)?;
        read(&self.redis.eval::<Vec<String>>(call).await?)
    }

    /// Records jobs of different orders in one request, each by itself: what became of each, in their order. One that
    /// is recorded already stays as it is.
    pub async fn create_each(
        &self,
        wishes: impl Iterator<Item = (&Order, &NewJob)>,
    ) -> Result<Vec<Created>, Error> {
        let calls = wishes
            .map(|(order, job)| creation(order, job, &[], None))
            .collect::<Result<Vec<_>, _>>()?;
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let count = calls.len();
        let pipeline = calls.into_iter().fold(Pipeline::new(), Pipeline::script);
        let mut replies = self.redis.pipeline(pipeline).await?;
        (0..count)
            .map(|_| read(&replies.take::<Vec<String>>()?))
            .collect()
    }
}

/// The call that records these jobs.
fn creation(
    order: &Order,
    first: &NewJob,
    rest: &[NewJob],
    idempotency: Option<&Idempotency>,
) -> Result<Invocation, Error> {
    let jobs = || std::iter::once(first).chain(rest);
    let answer = serde_json::to_string(&Answer {
        ids: jobs().map(|job| job.id.clone()).collect(),
        label: order.label.clone(),
    })?;
    let name = order.job.name();
    let key = idempotency.map_or("", |idempotency| &idempotency.key);
    let script = match idempotency {
        None => &scripts::CREATE,
        Some(_) => &scripts::CREATE_ONCE,
    };
    let mut call = script
        .invoke()
        .key(keys::JOB.key(&first.id))
        .key(keys::OPEN.key(name))
        .key(keys::STATS.key(name))
        .key(keys::LIST.key(name))
        .key(keys::IDEMPOTENCY.key(key))
        .key(keys::BATCH.key(&order.label));
    for job in rest {
        call = call.key(keys::JOB.key(&job.id));
    }
    call = call
        .arg(idempotency.map_or("", |idempotency| &idempotency.fingerprint))
        .arg(IDEMPOTENCY_LIFE.as_millis())
        .arg(answer)
        .arg(name)
        .arg(order.priority.name())
        .arg(&order.tenant)
        .arg(&order.user)
        .arg(&order.label)
        .arg(order.not_before.map_or(0, Timestamp::as_millisecond))
        .arg(life(order.job.plan()))
        .arg(LIST_CAP)
        .arg(OPEN_LIFE.as_millis());
    for job in jobs() {
        call = call.arg(&job.id).arg(&job.payload);
    }
    Ok(call)
}

fn read(answer: &[String]) -> Result<Created, Error> {
    match answer {
        [state, ..] if state == "created" => Ok(Created::New),
        [state] if state == "conflict" => Ok(Created::Conflict),
        [state] if state == "paused" => Ok(Created::Paused),
        [state, first, status] if state == "same" => {
            let Answer { ids, label } = serde_json::from_str(first)?;
            Ok(Created::Same {
                ids,
                label,
                unclaimed: status == "queued",
            })
        }
        other => Err(Error::Unreadable(format!("create answered {other:?}"))),
    }
}
