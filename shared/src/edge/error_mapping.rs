//! Maps all errors of the lower layers to problems.
//!
//! The cause is logged here, once. The client gets a status, a code and the next step.

use std::time::Duration;

use http::StatusCode;

use super::problem::Problem;
use crate::base::causes::causes;
use crate::protocol::{postgres, qstash, sns, svix, upstash};
use crate::service::{audit, cache, job, mail, notification, security, session, token};

impl From<upstash::Error> for Problem {
    fn from(error: upstash::Error) -> Self {
        tracing::error!(error = causes(&error), "request failed: Redis error");
        match error {
            upstash::Error::RateLimited { retry_after } => {
                let problem =
                    Self::unavailable("The Redis request limit is reached. Try again later.");
                match retry_after {
                    Some(wait) => problem.after(wait),
                    None => problem,
                }
            }
            upstash::Error::Full(_) => {
                Self::unavailable("Redis is full and accepts no writes. Try again later.")
            }
            error if error.is_transient() => Self::unavailable(
                "Redis is unavailable. A change may not have been applied. Try again.",
            ),
            upstash::Error::Unauthorized => {
                Self::unavailable("Redis rejected the configured token.")
            }
            _ => internal(),
        }
    }
}

/// The code of the problem for a used-up QStash quota.
pub(super) const QUEUE_QUOTA: &str = "queue_quota_used_up";

impl From<qstash::Error> for Problem {
    fn from(error: qstash::Error) -> Self {
        let message = causes(&error);
        if error.is_rejection() {
            tracing::error!(
                error = message,
                "request failed: QStash rejected the request"
            );
            return internal();
        }
        tracing::error!(error = message, "request failed: QStash error");
        let problem = if error.is_quota() {
            Self {
                code: QUEUE_QUOTA,
                ..Self::unavailable("The QStash quota is used up. Try again later.")
            }
        } else {
            Self::unavailable("QStash did not accept the request. Try again.")
        };
        match error.retry_after() {
            Some(wait) => problem.after(wait),
            None => problem,
        }
    }
}

impl From<postgres::Error> for Problem {
    fn from(error: postgres::Error) -> Self {
        tracing::error!(error = causes(&error), "request failed: Postgres error");
        if error.is_transient() {
            return Self::unavailable("Postgres is unavailable. Try again.");
        }
        internal()
    }
}

impl From<audit::Error> for Problem {
    fn from(error: audit::Error) -> Self {
        match error {
            audit::Error::Postgres(error) => error.into(),
            audit::Error::Refused(_) | audit::Error::Unreadable => internal(),
        }
    }
}

impl From<mail::event::Error> for Problem {
    fn from(error: mail::event::Error) -> Self {
        match error {
            mail::event::Error::Postgres(error) => error.into(),
            mail::event::Error::Unreadable => internal(),
        }
    }
}

impl From<notification::Error> for Problem {
    fn from(error: notification::Error) -> Self {
        match error {
            notification::Error::Postgres(error) => error.into(),
            notification::Error::Unreadable => internal(),
        }
    }
}

impl From<security::Error> for Problem {
    fn from(error: security::Error) -> Self {
        match error {
            security::Error::Redis(error) => error.into(),
            security::Error::Postgres(error) => error.into(),
            security::Error::Unreadable => internal(),
        }
    }
}

impl From<mail::suppression::Error> for Problem {
    fn from(error: mail::suppression::Error) -> Self {
        match error {
            mail::suppression::Error::Postgres(error) => error.into(),
            mail::suppression::Error::Unreadable => internal(),
        }
    }
}

impl From<cache::Error> for Problem {
    fn from(error: cache::Error) -> Self {
        match error {
            cache::Error::Store(error) => error.into(),
            cache::Error::Postgres(error) => error.into(),
            cache::Error::Busy => {
                tracing::warn!("request failed: cache entry still loading after the wait");
                Self::unavailable("Another request is loading this entry. Try again.")
                    .after(Duration::from_secs(1))
            }
        }
    }
}

impl From<session::Error> for Problem {
    fn from(error: session::Error) -> Self {
        match error {
            session::Error::Store(error) => error.into(),
            session::Error::Archive(error) => error.into(),
            // Waiting for the queue may help; a used-up quota or a rejected message is a different problem.
            session::Error::Queue(job::Error::Publish(queue))
                if !queue.is_quota() && !queue.is_rejection() =>
            {
                tracing::error!(
                    error = causes(&queue),
                    "session change not saved: Postgres and QStash are unavailable"
                );
                not_saved()
            }
            session::Error::Queue(error) => error.into(),
            session::Error::Paused => {
                tracing::error!(
                    "session change not saved: Postgres is unavailable and persist-session is paused"
                );
                not_saved()
            }
            session::Error::Contended => {
                Self::unavailable("Other requests are changing this session. Try again.")
            }
            session::Error::Unreadable(what) => {
                tracing::error!(what, "request failed: session record unreadable");
                internal()
            }
        }
    }
}

impl From<token::Error> for Problem {
    fn from(error: token::Error) -> Self {
        match error {
            token::Error::Store(error) => error.into(),
            error @ (token::Error::Random | token::Error::Unreadable) => {
                tracing::error!(error = causes(&error), "request failed: token error");
                internal()
            }
        }
    }
}

impl From<job::Error> for Problem {
    fn from(error: job::Error) -> Self {
        match error {
            job::Error::Record(error) => error.into(),
            job::Error::Publish(error) => error.into(),
            job::Error::Refused(refusal) => {
                tracing::error!(error = %refusal, "request failed: QStash rejected the job");
                internal()
            }
            job::Error::TooLarge { bytes }
            | job::Error::Message(qstash::MessageError::TooLarge { bytes }) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "job_too_large",
                format!(
                    "The job is {bytes} bytes. The limit is {} bytes per message and 6 MB per delivered event.",
                    qstash::MAX_BODY
                ),
            ),
            error @ (job::Error::Message(_)
            | job::Error::Payload(_)
            | job::Error::Unreadable(_)) => {
                tracing::error!(
                    error = causes(&error),
                    "request failed: job record or message invalid"
                );
                internal()
            }
        }
    }
}

impl From<sns::Error> for Problem {
    fn from(error: sns::Error) -> Self {
        match error {
            sns::Error::Malformed(what) => {
                tracing::warn!(what, "SNS message rejected: malformed");
                Self::new(
                    StatusCode::BAD_REQUEST,
                    "message_malformed",
                    "The body is not an Amazon SNS message.",
                )
            }
            sns::Error::Refused(sns::Refusal::SignatureVersion) => {
                tracing::error!(
                    reason = %sns::Refusal::SignatureVersion,
                    "SNS message rejected: set the topic's SignatureVersion to 2"
                );
                Self::new(
                    StatusCode::UNAUTHORIZED,
                    "signature_version",
                    "SHA-1 signatures are not accepted. Set the topic's SignatureVersion to 2.",
                )
            }
            sns::Error::Refused(reason) => {
                tracing::warn!(%reason, "SNS message rejected: not genuine");
                unsigned()
            }
            sns::Error::Unavailable(error) => {
                tracing::error!(
                    error = causes(&error),
                    "SNS message not verified: SNS unavailable; SNS sends it again"
                );
                Self::unavailable("Amazon SNS is unavailable. Send the message again.")
            }
        }
    }
}

impl From<svix::SignatureError> for Problem {
    fn from(reason: svix::SignatureError) -> Self {
        tracing::warn!(%reason, "webhook rejected: not genuine");
        unsigned()
    }
}

/// Returns the problem for a signature that is not valid.
#[must_use]
pub fn unsigned() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "signature_invalid",
        "The event is not signed by a configured provider.",
    )
}

/// Returns the problem for a change that neither Postgres nor the queue has.
fn not_saved() -> Problem {
    Problem::unavailable("The change could not be saved. Repeat the same request.")
}

/// Returns the problem for a fault of ours, which the client cannot fix.
pub(super) fn internal() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Internal error. Quote the requestId when you report it.",
    )
}
