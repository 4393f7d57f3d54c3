//! Making records, before any message exists.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::kind::{JobType, Priority};
use super::plan::Plan;
use super::{Error, Jobs, keys, scripts};
use crate::base::hex::hex;
use crate::base::id;
use crate::protocol::upstash::{Invocation, Pipeline, Script};

/// How many ids `jobs:{type}` keeps.
pub(super) const LIST_CAP: usize = 1000;

/// How many jobs one script records: more take it longer than a millisecond.
const PER_SCRIPT: usize = 20;

/// How long an Idempotency-Key is remembered.
const IDEMPOTENCY_LIFE: Duration = Duration::from_hours(24);

/// After this, an open member without a record is taken for lost and removed.
const OPEN_LIFE: Duration = Duration::from_hours(40 * 24);

/// Bytes of payloads that one request to the store carries: written as JSON they may be twice as many, and it takes
/// ten megabytes.
const REQUEST_BYTES: usize = 4 << 20;

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
pub struct JobOptions {
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
        /// What is known of the first of them.
        record_state: RecordState,
        /// The instant before which they must not run, as it was first said.
        not_before: Option<Timestamp>,
    },
    /// The key was used for another body.
    Conflict,
    /// The type or the tenant is paused: nothing is recorded.
    Paused,
}

/// How the first job stands that an idempotency key made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// It waits in the queue, or was never published.
    Unclaimed,
    /// A delivery has come for it, or it was cancelled.
    Known,
    /// Its record is gone.
    Gone,
}

/// What is kept under an idempotency key.
#[derive(Serialize, Deserialize)]
struct StoredAnswer {
    ids: Vec<String>,
    label: String,
}

impl Jobs {
    /// Records jobs, all or none. The record comes first, so that the fastest worker finds it. One request for every few
    /// megabytes, and one script for every twenty jobs: those after the first find the record of the first job, or do
    /// nothing.
    pub async fn create(
        &self,
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
        let mut requests = Requests::new(self);
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

    /// Records jobs of different orders, each by itself: what became of each, in their order. One that is recorded
    /// already stays as it is, and one that cannot be recorded does not hold the others up. One request for every few
    /// megabytes.
    pub async fn create_each<'a>(
        &self,
        wanted: impl Iterator<Item = (&'a JobOptions, &'a NewJob)>,
    ) -> Result<Vec<Result<Created, Error>>, Error> {
        let mut requests = Requests::new(self);
        for (options, job) in wanted {
            let job = std::slice::from_ref(job);
            let call = of(beginning("", None), options, job);
            requests.add(call, bytes(job)).await?;
        }
        requests.finish().await
    }
}

/// Calls that record jobs, gathered into requests of a bounded size.
struct Requests<'a> {
    jobs: &'a Jobs,
    calls: Vec<Invocation>,
    bytes: usize,
    outcomes: Vec<Result<Created, Error>>,
}

impl<'a> Requests<'a> {
    fn new(jobs: &'a Jobs) -> Self {
        Self {
            jobs,
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
        let mut replies = self.jobs.redis.pipeline(pipeline).await?;
        for _ in 0..count {
            let answer = replies.take::<Vec<String>>().map_err(Error::from);
            self.outcomes.push(answer.and_then(|answer| read(&answer)));
        }
        Ok(())
    }

    /// What became of each call, in their order.
    async fn finish(mut self) -> Result<Vec<Result<Created, Error>>, Error> {
        self.send().await?;
        Ok(self.outcomes)
    }
}

/// Jobs as parts of which one script records each.
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

/// A call before its jobs are named: its script, its fifth key, and what stands first of its arguments.
type Call<'a> = (&'static Script, String, [&'a str; 2]);

/// Records the first jobs of a request, and keeps the answer under its idempotency key.
fn beginning<'a>(answer: &'a str, idempotency: Option<&'a Idempotency>) -> Call<'a> {
    let (script, key, fingerprint) = match idempotency {
        None => (&scripts::CREATE, "", ""),
        Some(Idempotency { key, fingerprint }) => {
            (&scripts::CREATE_ONCE, key.as_str(), fingerprint.as_str())
        }
    };
    (script, keys::IDEMPOTENCY.key(key), [fingerprint, answer])
}

/// Records further jobs of a request, if the first is recorded.
fn following(first: &NewJob) -> Call<'_> {
    (&scripts::CREATE_MORE, keys::JOB.key(&first.id), ["", ""])
}

/// The call for these jobs. At least one.
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

/// An instant in a record, in milliseconds; 0 is none.
pub(super) fn instant(millis: &str) -> Result<Option<Timestamp>, Error> {
    let unreadable = || Error::Unreadable(format!("an instant: {millis:?}"));
    let millis: i64 = millis.parse().map_err(|_| unreadable())?;
    if millis == 0 {
        return Ok(None);
    }
    let at = Timestamp::from_millisecond(millis).map_err(|_| unreadable())?;
    Ok(Some(at))
}
