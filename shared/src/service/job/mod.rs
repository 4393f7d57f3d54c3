//! Background jobs: their records, and the rules by which each takes effect once although delivery is at least once.
//!
//! A record is created before its message is published ([`Jobs::create`]). A delivery claims the job ([`Jobs::claim`]):
//! it gets a lease, which expires, and a fence, a number that grows with each claim. It can commit the attempt's
//! outcome ([`Jobs::commit`]) only while its fence is the newest. A crash between the two loses nothing: the lease
//! expires and the next delivery claims the job. Every call is one request; the scripts in `lua/` use Redis's time.
//!
//! A job has a generation. Redriving or deferring it publishes a message of the next generation, and older messages are
//! superseded.

mod bulk;
mod claim;
mod commit;
mod control;
mod create;
mod error;
mod failed_message;
mod handover;
mod kind;
mod overdue;
mod pause;
mod plan;
mod publisher;
mod read;
mod record;
mod schedule;
mod scripts;
mod size;
mod stop;
mod tracking;
mod unclaimed;
mod viewer;

pub mod keys;

pub use bulk::{BulkFilter, BulkMatches, StatusCounts};
pub use claim::{Claim, Claimed, Incoming};
pub use commit::{AttemptOutcome, Deferral};
pub use control::{Cancelled, Failed, Redriven, Refusal};
pub use create::{Created, Idempotency, JobOptions, NewJob, RecordState};
pub use error::Error;
pub use failed_message::FailedMessage;
pub use handover::{Delivery, Handover};
pub use kind::{JobType, Priority};
pub use pause::HELD_FOR;
pub use plan::{FAILURE_HANDLER, Flow, Plan, stretched};
pub use publisher::{Outgoing, Publisher, Run};
pub use read::{Filter, Page, Stats};
pub use record::{Job, Progress, Status, TimelineEntry};
pub use schedule::{Registered, SCHEDULES, Schedule};
pub use size::{PART_BYTES, must_fit, parts};
pub use stop::Stop;
pub use tracking::{Continuation, Continued, Tracking};
pub use unclaimed::{Overdue, UNCLAIMED_AFTER, Unclaimed};
pub use viewer::Viewer;

use jiff::Timestamp;

use crate::protocol::upstash::{Pipeline, Redis, Replies};

/// The records of all jobs.
#[derive(Clone, Debug)]
pub struct Jobs {
    redis: Redis,
}

impl Jobs {
    /// Returns the records in `redis`.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Records jobs, all or none, before they are published, so that the fastest worker finds the record. One request
    /// for every few megabytes, and one script for every twenty jobs: later scripts do nothing unless the first job is
    /// recorded.
    pub async fn create(
        &self,
        options: &JobOptions,
        jobs: &[NewJob],
        idempotency: Option<&Idempotency>,
    ) -> Result<Created, Error> {
        create::create(&self.redis, options, jobs, idempotency).await
    }

    /// Records jobs with different options independently, and returns each result in order. An existing record is not
    /// changed, and a failure does not affect other jobs. One request for every few megabytes.
    pub async fn create_each<'a>(
        &self,
        wanted: impl Iterator<Item = (&'a JobOptions, &'a NewJob)>,
    ) -> Result<Vec<Result<Created, Error>>, Error> {
        create::create_each(&self.redis, wanted).await
    }

    /// Claims a job; creates its record if there is none.
    pub async fn claim(&self, incoming: Incoming<'_>) -> Result<Claimed, Error> {
        claim::claim(&self.redis, incoming).await
    }

    /// Commits the outcome of an attempt. False if another delivery has claimed the job: nothing was written.
    pub async fn commit(
        &self,
        claim: &Claim,
        attempt_outcome: &AttemptOutcome,
    ) -> Result<bool, Error> {
        commit::commit(&self.redis, claim, attempt_outcome).await
    }

    /// Writes the progress of an attempt. False if another delivery has claimed the job.
    pub async fn progress(&self, claim: &Claim, progress: Progress) -> Result<bool, Error> {
        commit::progress(&self.redis, claim, progress).await
    }

    /// Returns a job by its id, or by the id of its message.
    pub async fn get(&self, id: &str) -> Result<Option<Job>, Error> {
        read::get(&self.redis, id).await
    }

    /// Returns several jobs in one request, in the order of their ids.
    pub async fn get_each(&self, ids: &[&str]) -> Result<Vec<Option<Job>>, Error> {
        read::get_each(&self.redis, ids).await
    }

    /// Returns a page of jobs.
    pub async fn list(&self, filter: &Filter<'_>) -> Result<Page, Error> {
        read::list(&self.redis, filter).await
    }

    /// Returns the statistics of every type.
    pub async fn stats(&self, now: Timestamp) -> Result<Vec<(JobType, Stats)>, Error> {
        read::stats(&self.redis, now).await
    }

    /// Returns the commands of [`Jobs::stats`], to be sent together with others.
    #[must_use]
    pub fn ask_stats(pipeline: Pipeline, job: JobType) -> Pipeline {
        read::ask_stats(pipeline, job)
    }

    /// Reads the answers to [`Jobs::ask_stats`].
    pub fn read_stats(replies: &mut Replies, now: Timestamp) -> Result<Stats, Error> {
        read::read_stats(replies, now)
    }

    /// Returns how long the oldest open job of any type has been due, in seconds; 0 if none is due. One request.
    pub async fn oldest_pending_seconds(&self, now: Timestamp) -> Result<u64, Error> {
        overdue::oldest_pending_seconds(&self.redis, now).await
    }

    /// Finds jobs.
    pub async fn find(&self, filter: &BulkFilter<'_>) -> Result<BulkMatches, Error> {
        bulk::find(&self.redis, filter).await
    }

    /// Returns the statuses of the jobs with a label, as far as the viewer may see them; empty if there are none.
    pub async fn batch(&self, label: &str, viewer: Viewer<'_>) -> Result<StatusCounts, Error> {
        bulk::batch(&self.redis, label, viewer).await
    }

    /// Cancels a job that is not running, by its id or its message's.
    pub async fn cancel(&self, id: &str, viewer: Viewer<'_>) -> Result<Cancelled, Error> {
        control::cancel(&self.redis, id, viewer).await
    }

    /// Cancels several jobs in one request, in their order.
    pub async fn cancel_each(
        &self,
        ids: &[String],
        viewer: Viewer<'_>,
    ) -> Result<Vec<Cancelled>, Error> {
        control::cancel_each(&self.redis, ids, viewer).await
    }

    /// Prepares a failed, dead, waiting or cancelled job for publishing again, by its id or its message's.
    pub async fn redrive(&self, id: &str, viewer: Viewer<'_>) -> Result<Redriven, Error> {
        control::redrive(&self.redis, id, viewer).await
    }

    /// Redrives several jobs in one request, in order.
    pub async fn redrive_each(
        &self,
        ids: &[String],
        viewer: Viewer<'_>,
    ) -> Result<Vec<Redriven>, Error> {
        control::redrive_each(&self.redis, ids, viewer).await
    }

    /// Pauses a type of job, or one tenant's jobs of it, or ends the pause. Repeating it changes nothing.
    pub async fn pause(
        &self,
        job: JobType,
        tenant: Option<&str>,
        paused: bool,
    ) -> Result<(), Error> {
        pause::pause(&self.redis, job, tenant, paused).await
    }

    /// Marks a job dead because its message is unreadable, as reported by the worker.
    pub async fn fail(&self, incoming: Incoming<'_>, error: &str) -> Result<Failed, Error> {
        control::fail(&self.redis, incoming, error).await
    }

    /// Marks the job of a failed message dead, unless its record has a newer state. None if the message's destination
    /// runs no jobs.
    pub async fn mark_dead(&self, message: &FailedMessage) -> Result<Option<Failed>, Error> {
        failed_message::mark_dead(&self.redis, message).await
    }

    /// Marks the jobs of several messages dead in one request. Messages without a job are skipped.
    pub async fn mark_dead_each(&self, messages: &[FailedMessage]) -> Result<Vec<Failed>, Error> {
        failed_message::mark_dead_each(&self.redis, messages).await
    }

    /// Returns jobs that have been due for a quarter of an hour without a delivery, about a hundred of each type at
    /// most. Paused jobs are skipped. One request for every 150 overdue open jobs, ten at most.
    pub async fn unclaimed(&self) -> Result<Vec<Overdue>, Error> {
        unclaimed::unclaimed(&self.redis).await
    }

    /// Returns those of these jobs that still wait, with their payloads. Each is recorded as published again, so the
    /// caller must publish it. One request.
    pub async fn take_unclaimed(&self, overdue: &[Overdue]) -> Result<Vec<Unclaimed>, Error> {
        unclaimed::take_unclaimed(&self.redis, overdue).await
    }
}
