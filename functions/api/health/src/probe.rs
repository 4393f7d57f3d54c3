//! Probes of each dependency: one request each, concurrently, with a timeout.

use std::time::Duration;

use jiff::Timestamp;
use shared::base::causes::causes;
use shared::base::id;
use shared::protocol::qstash;
use shared::protocol::upstash::{self, Command, Pipeline, Redis};
use shared::service::analytics::{self, Today};
use shared::service::job::{self, JobType, Jobs, Stats};
use shared::service::key::Family;
use shared::service::outbox::{Backlog, Outbox};
use tokio::time::{Instant, timeout};

use crate::report::{DependencyStatus, Health, Operations};

/// The timeout of a probe. A dependency that has not answered by then is unhealthy.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The key that a health check writes, reads and deletes.
pub const PROBE: Family = Family {
    pattern: "health:{nonce}",
    kind: "string",
    life: "10 seconds",
};

/// The data that Redis returned in one request.
pub(crate) struct Store {
    pub(crate) latency: u64,
    pub(crate) operations: Operations,
    pub(crate) stats: Vec<(JobType, Stats)>,
    pub(crate) today: Today,
}

/// Returns the data from Redis; none after an error or a timeout.
pub(crate) async fn store(redis: &Redis, now: Timestamp) -> Option<Store> {
    let answer = timeout(TIMEOUT, query_store(redis, now)).await;
    let Ok(store) = answer else {
        tracing::error!("dependency check failed: Redis did not answer in time");
        return None;
    };
    store.inspect_err(log_error).ok()
}

/// Returns how long the oldest open job has been due; none after an error or a timeout.
pub(crate) async fn oldest_pending(redis: &Redis, now: Timestamp) -> Option<u64> {
    let jobs = Jobs::new(redis.clone());
    let Ok(oldest) = timeout(TIMEOUT, jobs.oldest_pending_seconds(now)).await else {
        tracing::error!("Redis did not answer in time; the metric of pending jobs was not written");
        return None;
    };
    oldest.inspect_err(log_error).ok()
}

/// Sends all queries to Redis in one pipeline, at a cost that does not depend on the data.
///
/// It may run twice, because a connection may be dead after the instance was frozen. Each run writes, reads and deletes
/// its own key. The command that reads the key also deletes it, so that the primary answers: a replica may not have the
/// key yet.
async fn query_store(redis: &Redis, now: Timestamp) -> Result<Store, job::Error> {
    let nonce = id::nonce();
    let key = PROBE.key(&nonce);
    let mut pipeline = Pipeline::new()
        .command(
            Command::new("SET")
                .arg(&key)
                .arg(&nonce)
                .arg("EX")
                .arg(10)
                .repeatable(),
        )
        .command(Command::new("GETDEL").arg(&key).repeatable());
    for job in JobType::ALL {
        pipeline = Jobs::ask_stats(pipeline, *job);
    }
    let started = Instant::now();
    let asking = redis.pipeline(analytics::ask_today(pipeline, now));
    let mut replies = asking.await?;
    let latency = millis(started);
    let set = replies.take::<()>().is_ok();
    let taken = replies.take::<String>().is_ok_and(|value| value == nonce);
    let operations = Operations {
        set,
        get: taken,
        delete: taken,
    };
    let stats = JobType::ALL
        .iter()
        .map(|job| Ok((*job, Jobs::read_stats(&mut replies, now)?)))
        .collect::<Result<_, job::Error>>()?;
    let today = analytics::read_today(&mut replies).map_err(job::Error::Record)?;
    Ok(Store {
        latency,
        operations,
        stats,
        today,
    })
}

/// Returns whether Postgres answers, and the state of the outbox.
pub(crate) async fn database(outbox: &Outbox) -> (DependencyStatus, Option<Backlog>) {
    let started = Instant::now();
    let answer = timeout(TIMEOUT, outbox.backlog()).await;
    let backlog = answer.as_ref().ok().and_then(|answer| answer.as_ref().ok());
    let backlog = backlog.copied();
    (
        dependency_status(started, answer.map(|answer| answer.map(drop))),
        backlog,
    )
}

/// Returns whether QStash answers.
pub(crate) async fn queue(qstash: &qstash::Client) -> DependencyStatus {
    let started = Instant::now();
    dependency_status(started, timeout(TIMEOUT, qstash.ping()).await)
}

fn dependency_status<E: std::error::Error + 'static>(
    started: Instant,
    outcome: Result<Result<(), E>, tokio::time::error::Elapsed>,
) -> DependencyStatus {
    match outcome {
        Ok(Ok(())) => DependencyStatus {
            status: Health::Healthy,
            latency: Some(millis(started)),
        },
        Ok(Err(error)) => {
            tracing::error!(error = causes(&error), "dependency check failed");
            UNREACHABLE
        }
        Err(_) => UNREACHABLE,
    }
}

const UNREACHABLE: DependencyStatus = DependencyStatus {
    status: Health::Unhealthy,
    latency: None,
};

pub(crate) fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Logs why the check of Redis failed. The report only states that it failed.
fn log_error(error: &job::Error) {
    if let job::Error::Record(upstash::Error::Unauthorized) = error {
        tracing::error!(
            "dependency check failed: Redis rejected the token; set UPSTASH_REDIS_REST_TOKEN"
        );
    } else {
        tracing::error!(
            error = causes(error),
            "dependency check failed: Redis error"
        );
    }
}
