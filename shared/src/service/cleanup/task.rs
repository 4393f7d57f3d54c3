//! The tasks of a cleanup, and the retention of each kind of data.

use serde::Serialize;
use serde_json::{Value, json};

/// One task of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Task {
    /// Sessions that ended more than a day ago, and the ids of revoked ones.
    ExpiredSessions,
    /// Expired tokens.
    ExpiredTokens,
    /// Temporary files: the object first, then the row.
    TempFiles,
    /// Logs of notifications.
    NotificationLogs,
    /// The mail ledger, and the events of mail providers.
    MailLogs,
    /// Raw events and performance metrics.
    OldAnalytics,
    /// Published rows of the outbox.
    PublishedOutbox,
    /// The records of cleanup runs.
    CleanupRuns,
    /// Cache keys without a TTL: counted by family, never deleted.
    CacheKeys,
    /// Ended signing requests, by retention only.
    EndedRequests,
    /// Audit events, by retention only.
    AuditEvents,
}

/// Rows of one table that are deleted in batches. An index serves each condition, so that only deleted rows are read.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    pub(super) table: &'static str,
    pub(super) condition: &'static str,
}

impl Task {
    /// All tasks, in the order of a run.
    pub const ALL: [Self; 11] = [
        Self::ExpiredSessions,
        Self::ExpiredTokens,
        Self::TempFiles,
        Self::NotificationLogs,
        Self::MailLogs,
        Self::OldAnalytics,
        Self::PublishedOutbox,
        Self::CleanupRuns,
        Self::CacheKeys,
        Self::EndedRequests,
        Self::AuditEvents,
    ];

    /// Returns its name in the API and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExpiredSessions => "expiredSessions",
            Self::ExpiredTokens => "expiredTokens",
            Self::TempFiles => "tempFiles",
            Self::NotificationLogs => "notificationLogs",
            Self::MailLogs => "mailLogs",
            Self::OldAnalytics => "oldAnalytics",
            Self::PublishedOutbox => "publishedOutbox",
            Self::CleanupRuns => "cleanupRuns",
            Self::CacheKeys => "cacheKeys",
            Self::EndedRequests => "endedRequests",
            Self::AuditEvents => "auditEvents",
        }
    }

    /// Returns the sweeps of this task. A task without any has its own code.
    #[must_use]
    pub fn sweeps(self) -> &'static [Sweep] {
        match self {
            // The last use is written to Postgres an hour late, or later after an outage: one day is added, so that no
            // session in use is deleted.
            Self::ExpiredSessions => &[
                Sweep {
                    table: "public.user_sessions",
                    condition: "last_used_at < now() - interval '8 days'",
                },
                Sweep {
                    table: "public.user_sessions",
                    condition: "created_at < now() - interval '31 days'",
                },
                Sweep {
                    table: "signtusk.revoked_sessions",
                    condition: "kept_until < now()",
                },
            ],
            Self::ExpiredTokens => &[
                Sweep {
                    table: "public.email_verification_tokens",
                    condition: "expires_at < now()",
                },
                Sweep {
                    table: "public.password_reset_tokens",
                    condition: "expires_at < now()",
                },
            ],
            Self::NotificationLogs => &[
                Sweep {
                    table: "public.notification_logs",
                    condition: "created_at < now() - interval '90 days'",
                },
                Sweep {
                    table: "public.notification_logs",
                    condition: "created_at IS NULL AND sent_at < now() - interval '90 days'",
                },
                Sweep {
                    table: "signtusk.notification_receipts",
                    condition: "created_at < now() - interval '90 days'",
                },
                Sweep {
                    table: "signtusk.push_subscriptions",
                    condition: "expires_at < now()",
                },
            ],
            Self::MailLogs => &[
                Sweep {
                    table: "signtusk.email_events",
                    condition: "received_at < now() - interval '90 days'",
                },
                Sweep {
                    table: "signtusk.email_ledger",
                    // A mail may be sent long after its row was created: its events and its next delivery need the row.
                    condition: "created_at < now() - interval '90 days' \
                        AND updated_at < now() - interval '90 days'",
                },
            ],
            Self::OldAnalytics => &[
                Sweep {
                    table: "public.analytics_events",
                    condition: "created_at < now() - interval '180 days'",
                },
                Sweep {
                    table: "public.performance_metrics",
                    condition: "date < current_date - 90",
                },
            ],
            Self::PublishedOutbox => &[Sweep {
                table: "signtusk.outbox",
                condition: "published_at < now() - interval '7 days'",
            }],
            Self::CleanupRuns => &[Sweep {
                table: "signtusk.cleanup_runs",
                condition: "started_at < now() - interval '90 days'",
            }],
            Self::TempFiles | Self::CacheKeys | Self::EndedRequests | Self::AuditEvents => &[],
        }
    }

    /// Returns all retention times, for the answer to a GET request.
    #[must_use]
    pub fn policies(retention_days: u32) -> Value {
        json!({
            "sessions": "8 days after the last use, 31 after the beginning",
            "tokens": "until they expire",
            "tempFiles": "3 days",
            "notificationLogs": "90 days",
            "mailLogs": "90 days",
            "analyticsEvents": "180 days",
            "performanceMetrics": "90 days",
            "publishedOutbox": "7 days",
            "cleanupRuns": "90 days",
            "endedRequests": format!("{retention_days} days"),
            "auditEvents": format!("{retention_days} days"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Task;

    #[test]
    fn task_names_equal_their_json_names() {
        for task in Task::ALL {
            assert_eq!(serde_json::json!(task), task.name());
        }
    }
}
