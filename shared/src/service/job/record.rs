//! A job in the API's format, read from its record.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Error;
use super::kind::Priority;

/// The status of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Recorded; its message is in the queue.
    Queued,
    /// An attempt holds the lease.
    Processing,
    /// Postponed without spending a retry.
    Deferred,
    /// Completed.
    Completed,
    /// The last attempt failed; the queue delivers the job again.
    Failed,
    /// All attempts failed; the job stays for 30 days unless it is redriven.
    Dead,
    /// Cancelled before it ran.
    Cancelled,
}

/// The progress of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// Completed parts.
    pub done: u64,
    /// All parts.
    pub total: u64,
}

/// A change of status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Moment)]
pub struct TimelineEntry {
    /// When the status changed, by the Redis clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The new status.
    pub status: Status,
    /// The reason of the change, or a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// The id of the job.
    pub job_id: String,
    /// The type of the job.
    #[serde(rename = "type")]
    pub job: String,
    /// The status of the job.
    pub status: Status,
    /// The priority of the job.
    pub priority: Priority,
    /// The label that related jobs share, such as a batch id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The number of attempts that were started.
    pub attempts: u32,
    /// The progress of the current attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// When the job was recorded.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the record was last written.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When the job was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub completed_at: Option<Timestamp>,
    /// The result of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// The error of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The changes of status, oldest first. The first ones of a very long history are dropped.
    pub timeline: Vec<TimelineEntry>,
    /// The tenant whose budget the job counts against.
    #[serde(skip)]
    pub tenant: String,
    /// The user who enqueued the job; empty for the service itself.
    #[serde(skip)]
    pub user: String,
}

impl Job {
    /// The fields that it is read from; every record has the first one. The payload is not included: it is long.
    pub(super) const FIELDS: [&str; 15] = [
        "status",
        "type",
        "priority",
        "label",
        "attempts",
        "done",
        "total",
        "createdAt",
        "updatedAt",
        "completedAt",
        "result",
        "error",
        "timeline",
        "tenant",
        "user",
    ];

    /// Reads a record's fields.
    pub(super) fn read(job_id: String, fields: Vec<(String, String)>) -> Result<Self, Error> {
        let mut fields = Fields(fields.into_iter().collect());
        Ok(Self {
            job: fields.take("type").unwrap_or_else(|| "email".into()),
            status: fields.parse("status")?.unwrap_or(Status::Queued),
            priority: fields.parse("priority")?.unwrap_or_default(),
            label: fields.take("label"),
            attempts: fields.number("attempts")?.unwrap_or_default(),
            progress: fields.progress()?,
            created_at: fields.instant("createdAt")?.unwrap_or_default(),
            updated_at: fields.instant("updatedAt")?.unwrap_or_default(),
            completed_at: fields.instant("completedAt")?,
            result: fields
                .take("result")
                .map(|text| serde_json::from_str(&text))
                .transpose()?,
            error: fields.take("error"),
            timeline: timeline(&fields.take("timeline").unwrap_or_default()),
            tenant: fields.take("tenant").unwrap_or_default(),
            user: fields.take("user").unwrap_or_default(),
            job_id,
        })
    }
}

/// A record's fields. Empty ones count as absent.
struct Fields(HashMap<String, String>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    fn parse<T: FromStr<Err = Error>>(&mut self, name: &str) -> Result<Option<T>, Error> {
        self.take(name).map(|value| value.parse()).transpose()
    }

    fn number<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, Error> {
        self.take(name)
            .map(|value| value.parse().map_err(|_| unreadable(name)))
            .transpose()
    }

    fn instant(&mut self, name: &str) -> Result<Option<Timestamp>, Error> {
        let millis = self.number::<i64>(name)?;
        millis
            .map(|millis| Timestamp::from_millisecond(millis).map_err(|_| unreadable(name)))
            .transpose()
    }

    fn progress(&mut self) -> Result<Option<Progress>, Error> {
        let (done, total) = (self.number("done")?, self.number("total")?);
        Ok(done
            .zip(total)
            .map(|(done, total)| Progress { done, total }))
    }
}

fn unreadable(field: &str) -> Error {
    Error::Unreadable(format!("its field {field}"))
}

/// Reads the lines of `record.lua`: instant, status, note. Malformed lines are skipped.
fn timeline(lines: &str) -> Vec<TimelineEntry> {
    lines
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, '\t');
            let at = Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?;
            let status = parts.next()?.parse().ok()?;
            let note = parts.next().filter(|note| !note.is_empty()).map(Into::into);
            Some(TimelineEntry { at, status, note })
        })
        .collect()
}

impl Status {
    /// Returns the status's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Deferred => "deferred",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Status {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "queued" => Ok(Self::Queued),
            "processing" => Ok(Self::Processing),
            "deferred" => Ok(Self::Deferred),
            "completed" => Ok(Self::Completed),
            "failed" => Ok(Self::Failed),
            "dead" => Ok(Self::Dead),
            "cancelled" => Ok(Self::Cancelled),
            _ => Err(unreadable("status")),
        }
    }
}

impl FromStr for Priority {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "high" => Ok(Self::High),
            "normal" => Ok(Self::Normal),
            "low" => Ok(Self::Low),
            _ => Err(unreadable("priority")),
        }
    }
}
