//! Reading jobs: one job, a page, the statistics of a type.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::kind::JobType;
use super::record::{Job, Status};
use super::viewer::Viewer;
use super::{Error, keys, scripts};
use crate::protocol::upstash::{
    Command, FromReply as _, Invocation, Pairs, Pipeline, Redis, Replies, Reply,
};

/// The number of records that one page may read: more would take the script longer than a millisecond.
const MAX_SCANNED: usize = 60;

/// The filter of a page.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    /// Only this type.
    pub job: Option<JobType>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only this label.
    pub label: Option<String>,
    /// Only jobs that the caller may see.
    pub viewer: Viewer<'a>,
    /// The largest number of jobs.
    pub limit: usize,
    /// The cursor of the previous page.
    pub cursor: Option<String>,
}

/// A page of jobs, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The jobs.
    pub items: Vec<Job>,
    /// The cursor of the next page; absent on the last one. A page may be empty and not the last one.
    pub cursor: Option<String>,
}

/// The statistics of a job type.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Jobs recorded so far.
    pub total: u64,
    /// Completed jobs.
    pub completed: u64,
    /// Dead jobs.
    pub failed: u64,
    /// Open jobs.
    pub pending: u64,
    /// The percentage of ended jobs that completed; 100 if none has ended.
    pub success_rate: f64,
    /// How long the oldest open job has been due, in seconds.
    #[serde(skip)]
    pub oldest_pending_seconds: u64,
    /// Whether all jobs of this type are paused.
    pub paused: bool,
    /// The number of tenants whose jobs are paused. Their names are withheld because health is public.
    pub paused_tenants: u64,
}

/// The statistics of a type without jobs.
impl Default for Stats {
    fn default() -> Self {
        Self {
            total: 0,
            completed: 0,
            failed: 0,
            pending: 0,
            success_rate: success_rate(0, 0),
            oldest_pending_seconds: 0,
            paused: false,
            paused_tenants: 0,
        }
    }
}

pub(super) async fn get(redis: &Redis, id: &str) -> Result<Option<Job>, Error> {
    let pair = redis.eval::<Option<Vec<Reply>>>(getting(id)).await?;
    pair.map(job).transpose()
}

pub(super) async fn get_each(redis: &Redis, ids: &[&str]) -> Result<Vec<Option<Job>>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let calls = ids.iter().map(|id| getting(id));
    let pipeline = calls.fold(Pipeline::new(), Pipeline::script);
    let mut replies = redis.pipeline(pipeline).await?;
    ids.iter()
        .map(|_| replies.take::<Option<Vec<Reply>>>()?.map(job).transpose())
        .collect()
}

pub(super) async fn list(redis: &Redis, filter: &Filter<'_>) -> Result<Page, Error> {
    let types: Vec<JobType> = filter
        .job
        .map_or_else(|| JobType::ALL.to_vec(), |job| vec![job]);
    let mut call = scripts::LIST.invoke();
    for job in types {
        call = call.key(keys::LIST.key(job.name()));
    }
    call = call
        .arg(keys::JOB.key(""))
        .arg(filter.status.map_or("", Status::name))
        .arg(filter.label.as_deref().unwrap_or_default())
        .arg(filter.limit)
        .arg(MAX_SCANNED)
        .arg(filter.cursor.as_deref().unwrap_or_default())
        .arg(filter.viewer.tenant.unwrap_or_default())
        .arg(filter.viewer.user.unwrap_or_default());
    for name in Job::FIELDS {
        call = call.arg(name);
    }
    let page = redis.eval::<Vec<Reply>>(call).await?;
    let Ok([cursor, Reply::Array(jobs)]) = <[Reply; 2]>::try_from(page) else {
        return Err(Error::Unreadable("a page".into()));
    };
    let cursor = String::from_reply(cursor)?;
    Ok(Page {
        items: jobs.into_iter().map(listed).collect::<Result<_, _>>()?,
        cursor: Some(cursor).filter(|cursor| !cursor.is_empty()),
    })
}

pub(super) fn ask_stats(mut pipeline: Pipeline, job: JobType) -> Pipeline {
    let open = keys::OPEN.key(job.name());
    for command in [
        Command::new("HGETALL").arg(keys::STATS.key(job.name())),
        Command::new("ZCARD").arg(&open),
        Command::new("ZRANGE")
            .arg(&open)
            .arg(0)
            .arg(0)
            .arg("WITHSCORES"),
    ] {
        pipeline = pipeline.command(command);
    }
    pipeline
}

pub(super) fn read_stats(replies: &mut Replies, now: Timestamp) -> Result<Stats, Error> {
    let Pairs(counters) = replies.take::<Pairs<String, i64>>()?;
    // An unexpected value of one counter must not hide the others.
    let counters: Vec<(String, u64)> = counters
        .into_iter()
        .map(|(field, value)| (field, u64::try_from(value).unwrap_or_default()))
        .collect();
    let counter = |name: &str| {
        counters
            .iter()
            .find(|(field, _)| field == name)
            .map_or(0, |(_, value)| *value)
    };
    let pending = replies.take::<u64>()?;
    let Pairs(oldest) = replies.take::<Pairs<String, i64>>()?;
    let due = oldest.first().map_or(now.as_millisecond(), |(_, due)| *due);
    let (completed, failed) = (counter("completed"), counter("failed"));
    Ok(Stats {
        total: counter("total"),
        completed,
        failed,
        pending,
        success_rate: success_rate(completed, failed),
        oldest_pending_seconds: u64::try_from((now.as_millisecond() - due) / 1000)
            .unwrap_or_default(),
        paused: counter("paused") > 0,
        paused_tenants: counters
            .iter()
            .filter(|(field, _)| field.starts_with("paused:"))
            .map(|(_, paused)| paused)
            .sum(),
    })
}

pub(super) async fn stats(redis: &Redis, now: Timestamp) -> Result<Vec<(JobType, Stats)>, Error> {
    let pipeline = JobType::ALL
        .iter()
        .fold(Pipeline::new(), |pipeline, job| ask_stats(pipeline, *job));
    let mut replies = redis.pipeline(pipeline).await?;
    JobType::ALL
        .iter()
        .map(|job| Ok((*job, read_stats(&mut replies, now)?)))
        .collect()
}

/// Returns the call that reads one job.
fn getting(id: &str) -> Invocation {
    scripts::GET
        .invoke()
        .key(keys::JOB.key(id))
        .key(keys::MESSAGE.key(id))
        .arg(keys::JOB.key(""))
        .arg(id)
}

/// Returns the percentage, with one decimal place.
fn success_rate(completed: u64, failed: u64) -> f64 {
    let ended = completed + failed;
    if ended == 0 {
        return 100.0;
    }
    let tenths = u32::try_from(completed * 1000 / ended).unwrap_or(1000);
    f64::from(tenths) / 10.0
}

/// Reads a pair of an id and the values of [`Job::FIELDS`].
fn listed(pair: Reply) -> Result<Job, Error> {
    let Ok([id, Reply::Array(values)]) = <[Reply; 2]>::try_from(Vec::from_reply(pair)?) else {
        return Err(Error::Unreadable("an entry of a page".into()));
    };
    let mut fields = Vec::with_capacity(values.len());
    for (name, value) in Job::FIELDS.iter().zip(values) {
        if let Some(value) = Option::<String>::from_reply(value)? {
            fields.push(((*name).to_owned(), value));
        }
    }
    Job::read(String::from_reply(id)?, fields)
}

/// Reads a script's pair of an id and fields.
pub(super) fn job(pair: Vec<Reply>) -> Result<Job, Error> {
    let Ok([id, fields]) = <[Reply; 2]>::try_from(pair) else {
        return Err(Error::Unreadable("a pair".into()));
    };
    let Pairs(fields) = Pairs::<String, String>::from_reply(fields)?;
    Job::read(String::from_reply(id)?, fields)
}
