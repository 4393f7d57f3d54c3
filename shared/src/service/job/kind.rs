//! Job types and priorities.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A job type. The API and the key `jobs:{type}` use its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobType {
    /// E-mails, single and bulk.
    Email,
    /// Notifications, single and bulk.
    Notification,
    /// Audit events.
    AuditLog,
    /// Removes expired data.
    CleanupExpired,
    /// Writes session changes to Postgres after an outage.
    PersistSession,
    /// Publishes rows of the outbox, and unclaimed jobs again.
    RelayOutbox,
}

/// The priority of a job among jobs of the same type and tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// A person is waiting.
    High,
    /// The default.
    #[default]
    Normal,
    /// When capacity is left.
    Low,
}

impl JobType {
    /// All types.
    pub const ALL: &'static [Self] = &[
        Self::Email,
        Self::Notification,
        Self::AuditLog,
        Self::CleanupExpired,
        Self::PersistSession,
        Self::RelayOutbox,
    ];

    /// Returns the type's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Notification => "notification",
            Self::AuditLog => "audit-log",
            Self::CleanupExpired => "cleanup-expired",
            Self::PersistSession => "persist-session",
            Self::RelayOutbox => "relay-outbox",
        }
    }
}

impl Priority {
    /// Returns the priority's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for JobType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No type of job has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown job type")]
pub struct UnknownType;

impl FromStr for JobType {
    type Err = UnknownType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|job| job.name() == name)
            .ok_or(UnknownType)
    }
}
