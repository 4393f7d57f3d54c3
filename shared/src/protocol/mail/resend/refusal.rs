//! What Resend's refusal means for the mail (Resend's API reference, errors).

use std::time::Duration;

use serde::Deserialize;

use crate::protocol::mail::reason::without_addresses;
use crate::protocol::mail::{MessageId, SendError};

/// How long to stay away when a quota is used up: some of the day's comes back soon, and a plan may be raised.
const QUOTA_WAIT: Duration = Duration::from_mins(15);

/// How long another attempt with the same key may still be under way.
const CONCURRENT_WAIT: Duration = Duration::from_secs(10);

/// The body of an error.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Explanation {
    name: String,
    message: String,
}

/// The decision about an answer that is no success. One of them is good news: a mail under this key was taken before,
/// with other bytes (a template may have changed since), so that it must not go again; only its id is not known here.
pub(super) fn decide(
    status: u16,
    body: &[u8],
    retry_after: Option<Duration>,
) -> Result<MessageId, SendError> {
    let Explanation { name, message } = serde_json::from_slice(body).unwrap_or_default();
    let reason = format!("{name}: {}", without_addresses(&message));
    Err(match (status, name.as_str()) {
        (_, "invalid_idempotent_request") => return Ok(MessageId::unknown()),
        (_, "concurrent_idempotent_requests") => SendError::Throttled {
            retry_after: Some(retry_after.unwrap_or(CONCURRENT_WAIT)),
            reason,
        },
        (_, "daily_quota_exceeded" | "monthly_quota_exceeded") => SendError::Throttled {
            retry_after: Some(retry_after.unwrap_or(QUOTA_WAIT)),
            reason,
        },
        (429, _) => SendError::Throttled {
            retry_after,
            reason,
        },
        // Keys, domains and senders are the account's matter; so is a test account's choice of recipients.
        (401 | 403, _) | (_, "invalid_from_address" | "invalid_access") => {
            SendError::NotAllowed { reason }
        }
        (400 | 413 | 422 | 451, _) => SendError::Rejected { reason },
        // It may have been taken before it failed; the key makes it safe to ask again.
        (500.., _) => SendError::Unknown(reason.into()),
        _ => SendError::Unavailable(format!("{status} {reason}").into()),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::decide;
    use crate::protocol::mail::SendError;

    fn refusal(status: u16, name: &str) -> SendError {
        let body =
            format!(r#"{{"statusCode":{status},"name":"{name}","message":"for ann@example.com"}}"#);
        decide(status, body.as_bytes(), None).unwrap_err()
    }

    #[test]
    fn each_refusal_leads_to_its_decision() {
        for (status, name, decision) in [
            (400, "invalid_idempotency_key", "rejected"),
            (400, "validation_error", "rejected"),
            (401, "missing_api_key", "not allowed"),
            (401, "restricted_api_key", "not allowed"),
            (403, "invalid_api_key", "not allowed"),
            (403, "validation_error", "not allowed"),
            (404, "not_found", "unavailable"),
            (405, "method_not_allowed", "unavailable"),
            (409, "concurrent_idempotent_requests", "throttled"),
            (422, "missing_required_field", "rejected"),
            (422, "invalid_from_address", "not allowed"),
            (429, "rate_limit_exceeded", "throttled"),
            (429, "daily_quota_exceeded", "throttled"),
            (429, "monthly_quota_exceeded", "throttled"),
            (451, "security_error", "rejected"),
            (500, "application_error", "unknown"),
            (503, "", "unknown"),
        ] {
            let refusal = refusal(status, name);
            let decided = match &refusal {
                SendError::Throttled { .. } => "throttled",
                SendError::Rejected { .. } => "rejected",
                SendError::Unavailable(_) => "unavailable",
                SendError::Unknown(_) => "unknown",
                SendError::NotAllowed { .. } => "not allowed",
            };
            assert_eq!(decided, decision, "{status} {name}");
            assert!(!format!("{refusal:?}").contains("ann@"), "{refusal:?}");
        }
    }

    #[test]
    fn a_key_that_was_used_for_other_bytes_means_that_the_mail_has_gone() {
        let body = br#"{"statusCode":409,"name":"invalid_idempotent_request","message":""}"#;
        assert!(decide(409, body, None).unwrap().as_str().is_empty());
    }

    #[test]
    fn a_wait_that_resend_names_is_kept() {
        let wait = Duration::from_secs(7);
        let error = decide(429, b"{}", Some(wait)).unwrap_err();
        assert!(
            matches!(error, SendError::Throttled { retry_after: Some(named), .. } if named == wait)
        );
    }

    #[test]
    fn what_is_no_json_is_a_refusal_all_the_same() {
        assert!(matches!(
            decide(422, b"<html>", None),
            Err(SendError::Rejected { .. })
        ));
    }
}
