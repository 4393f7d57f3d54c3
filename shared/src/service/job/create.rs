//! Creating records, before their messages are published.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::kind::{JobType, Priority};
use super::plan::Plan;
use super::{Error, keys, scripts};
use crate::base::hex::hex;
use crate::base::id;
use crate::protocol::upstash::{Invocation, Pipeline, Redis, Script};

/// The largest number of ids in `jobs:{type}`.
pub(super) const LIST_CAP: usize = 1000;

/// The number of jobs that one script records: more would take longer than a millisecond.
const PER_SCRIPT: usize = 20;

/// How long an Idempotency-Key is kept.
const IDEMPOTENCY_LIFE: Duration = Duration::from_hours(24);

/// The age after which an open member without a record counts as lost and is removed.
const OPEN_LIFE: Duration = Duration::from_hours(40 * 24);

/// The payload bytes of one request to the store: JSON may double them, and the store accepts ten megabytes.
const REQUEST_BYTES: usize = 4 << 20;

/// How long a record lives after its last retry.
const RETENTION: Duration = Duration::from_hours(7 * 24);

/// Returns how long a record lives after it is due.
pub(super) fn life(plan: &Plan) -> u128 {
    (plan.retry_horizon() + RETENTION).as_millis()
}

/// A new job: its id and its payload, a JSON object.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// A new id.
    pub id: String,
    /// The payload as JSON text.
    pub payload: String,
}

impl NewJob {
    /// Returns a job with a new id.
    pub fn new(payload: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: id::sortable(),
            payload: serde_json::to_string(payload)?,
        })
    }
}

/// The options that the jobs of one request share.
#[derive(Clone, Debug)]
pub struct JobOptions {
    /// Their type.
    pub job: JobType,
    /// Their priority.
    pub priority: Priority,
    /// Their tenant: a domain, a user, or `-`.
    pub tenant: String,
    /// The acting user; empty for the service itself.
    pub user: String,
    /// The label that related jobs share, such as a batch id; may be empty.
    pub label: String,
    /// The instant before which they must not run.
    pub not_before: Option<Timestamp>,
}

/// An idempotency key: equal keys mean the same request.
#[derive(Clone, Debug)]
pub struct Idempotency {
    key: String,
    fingerprint: String,
}

impl Idempotency {
    /// Returns the key for the header's value within a tenant and a route, and for the request's body.
    #[must_use]
    pub fn new(tenant: &str, route: &str, key: &str, body: &[u8]) -> Self {
        let scope = format!("{tenant}\n{route}\n{key}");
        Self {
            key: hex(&Sha256::digest(scope)),
            fingerprint: hex(&Sha256::digest(body)),
        }
    }
}

/// The result of creating jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// They are recorded, under the given ids.
    New,
    /// The same request was handled before.
    Same {
        /// The ids of the first request.
        ids: Vec<String>,
        /// The label of the first request.
        label: String,
        /// The state of the first job's record.
        record_state: RecordState,
        /// The instant before which they must not run, from the first request.
        not_before: Option<Timestamp>,
    },
    /// The key was used with a different body.
    Conflict,
    /// The type or the tenant is paused: nothing is recorded.
    Paused,
}

/// The state of the first job of an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// It is in the queue, or was never published.
    Unclaimed,
    /// It was delivered or cancelled.
    Known,
    /// Its record has expired.
    Gone,
}

/// The value of an idempotency key.
#[derive(Serialize, Deserialize)]
struct StoredAnswer {
    ids: Vec<String>,
    label: String,
}

pub(super) async fn create(
    redis: &Redis,
    options: &JobOptions,
    jobs: &[NewJob],
    idempotency: Option<&Idempotency>,
) -> Result<Created, Error> {
    let Some(first) = jobs.first() else {
        return Ok(Created::New);
    };
    let answer = serde_json::to_string(&StoredAnswer {
        ids: jobs.iter().map(|job| job.id.clone()).collect(),
        label: options.label.clone(),
    })?;
    let mut requests = Requests::new(redis);
    for (place, part) in parts(jobs).into_iter().enumerate() {
        let call = match place {
            0 => beginning(&answer, idempotency),
            _ => following(first),
        };
        requests.add(of(call, options, part), bytes(part)).await?;
    }
    let mut outcomes = requests.finish().await?.into_iter();
    let created = outcomes.next().unwrap_or(Ok(Created::New));
    outcomes.try_for_each(|outcome| outcome.map(drop))?;
    created
}

pub(super) async fn create_each<'a>(
    redis: &Redis,
    wanted: impl Iterator<Item = (&'a JobOptions, &'a NewJob)>,
) -> Result<Vec<Result<Created, Error>>, Error> {
    let mut requests = Requests::new(redis);
    for (options, job) in wanted {
        let job = std::slice::from_ref(job);
        let call = of(beginning("", None), options, job);
        requests.add(call, bytes(job)).await?;
    }
    requests.finish().await
}

/// The calls that record jobs, grouped into requests of a bounded size.
struct Requests<'a> {
    redis: &'a Redis,
    calls: Vec<Invocation>,
    bytes: usize,
    outcomes: Vec<Result<Created, Error>>,
}

impl<'a> Requests<'a> {
    fn new(redis: &'a Redis) -> Self {
        Self {
            redis,
            calls: Vec::new(),
            bytes: 0,
            outcomes: Vec::new(),
        }
    }

    async fn add(&mut self, call: Invocation, bytes: usize) -> Result<(), Error> {
        if self.bytes + bytes > REQUEST_BYTES {
            self.send().await?;
        }
        self.bytes += bytes;
        self.calls.push(call);
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        if self.calls.is_empty() {
            return Ok(());
        }
        let count = self.calls.len();
        let calls = self.calls.drain(..);
        let pipeline = calls.fold(Pipeline::new(), Pipeline::script);
        let mut replies = self.redis.pipeline(pipeline).await?;
        for _ in 0..count {
            let answer = replies.take::<Vec<String>>().map_err(Error::from);
            self.outcomes.push(answer.and_then(|answer| read(&answer)));
        }
        Ok(())
    }

    /// Returns the result of each call, in order.
    async fn finish(mut self) -> Result<Vec<Result<Created, Error>>, Error> {
        self.send().await?;
        Ok(self.outcomes)
    }
}

/// Splits jobs into groups that one script records.
fn parts(jobs: &[NewJob]) -> Vec<&[NewJob]> {
    let (mut count, mut bytes) = (0, 0);
    let fits = |job: &NewJob, next: &NewJob| {
        count += 1;
        bytes += job.payload.len();
        let fits = count < PER_SCRIPT && bytes + next.payload.len() <= REQUEST_BYTES;
        if !fits {
            (count, bytes) = (0, 0);
        }
        fits
    };
    jobs.chunk_by(fits).collect()
}

fn bytes(jobs: &[NewJob]) -> usize {
    jobs.iter().map(|job| job.payload.len()).sum()
}

/// A call without its jobs: its script, its fifth key, and its first arguments.
type Call<'a> = (&'static Script, String, [&'a str; 2]);

/// Returns the call for the first jobs of a request, which stores the answer under its idempotency key.
fn beginning<'a>(answer: &'a str, idempotency: Option<&'a Idempotency>) -> Call<'a> {
    let (script, key, fingerprint) = match idempotency {
        None => (&scripts::CREATE, "", ""),
        Some(Idempotency { key, fingerprint }) => {
            (&scripts::CREATE_ONCE, key.as_str(), fingerprint.as_str())
        }
    };
    (script, keys::IDEMPOTENCY.key(key), [fingerprint, answer])
}

/// Returns the call for further jobs of a request, if the first is recorded.
fn following(first: &NewJob) -> Call<'_> {
    (&scripts::CREATE_MORE, keys::JOB.key(&first.id), ["", ""])
}

/// Returns the call for these jobs. At least one.
fn of(
    (script, fifth, [fingerprint, answer]): Call<'_>,
    options: &JobOptions,
    jobs: &[NewJob],
) -> Invocation {
    let name = options.job.name();
    let first = jobs.first().map_or("", |job| &job.id);
    let mut call = script
        .invoke()
        .key(keys::JOB.key(first))
        .key(keys::OPEN.key(name))
        .key(keys::STATS.key(name))
        .key(keys::LIST.key(name))
        .key(fifth)
        .key(keys::BATCH.key(&options.label));
    for job in jobs.iter().skip(1) {
        call = call.key(keys::JOB.key(&job.id));
    }
    call = call
        .arg(fingerprint)
        .arg(IDEMPOTENCY_LIFE.as_millis())
        .arg(answer)
        .arg(name)
        .arg(options.priority.name())
        .arg(&options.tenant)
        .arg(&options.user)
        .arg(&options.label)
        .arg(options.not_before.map_or(0, Timestamp::as_millisecond))
        .arg(life(options.job.plan()))
        .arg(LIST_CAP)
        .arg(OPEN_LIFE.as_millis());
    for job in jobs {
        call = call.arg(&job.id).arg(&job.payload);
    }
    call
}

fn read(answer: &[String]) -> Result<Created, Error> {
    match answer {
        [state, ..] if state == "created" => Ok(Created::New),
        [state] if state == "conflict" => Ok(Created::Conflict),
        [state] if state == "paused" => Ok(Created::Paused),
        [state, first, status, not_before] if state == "same" => {
            let StoredAnswer { ids, label } = serde_json::from_str(first)?;
            Ok(Created::Same {
                ids,
                label,
                record_state: match status.as_str() {
                    "queued" => RecordState::Unclaimed,
                    "" => RecordState::Gone,
                    _ => RecordState::Known,
                },
                not_before: instant(not_before)?,
            })
        }
        other => Err(Error::Unreadable(format!("create answered {other:?}"))),
    }
}

/// Parses an instant of a record, in milliseconds; 0 is none.
pub(super) fn instant(millis: &str) -> Result<Option<Timestamp>, Error> {
    let unreadable = || Error::Unreadable(format!("an instant: {millis:?}"));
    let millis: i64 = millis.parse().map_err(|_| unreadable())?;
    if millis == 0 {
        return Ok(None);
    }
    let at = Timestamp::from_millisecond(millis).map_err(|_| unreadable())?;
    Ok(Some(at))
}
