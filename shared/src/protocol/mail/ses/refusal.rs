//! Maps SES's answers, and missing answers, to errors (SES API v2, `SendEmail`, errors).

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;

use crate::protocol::http;
use crate::protocol::mail::SendError;
use crate::protocol::mail::reason::without_addresses;

/// The wait when the daily quota is used up: it is a sliding 24 hours, so a part of it is soon available again.
const QUOTA_WAIT: Duration = Duration::from_mins(15);

type Failure = SdkError<SendEmailError, HttpResponse>;

pub(super) fn decide(failure: Failure) -> SendError {
    if let SdkError::ServiceError(answer) = &failure {
        let status = answer.raw().status().as_u16();
        let retry_after = answer
            .raw()
            .headers()
            .get("retry-after")
            .and_then(http::bounded_wait);
        let error = answer.err();
        let code = error.code().unwrap_or("no code");
        let words = error.message().unwrap_or_default();
        return refused(status, code, words, retry_after);
    }
    let certainly_not_sent =
        matches!(failure, SdkError::ConstructionFailure(_)) || never_sent(&failure);
    let cause = failure
        .into_source()
        .unwrap_or_else(|failure| failure.to_string().into());
    if certainly_not_sent {
        SendError::Unavailable(cause)
    } else {
        SendError::Unknown(cause)
    }
}

/// Returns whether the request failed before it was sent: no credentials, or no connection.
fn never_sent(failure: &Failure) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(failure);
    while let Some(error) = cause {
        if error.is::<CredentialsError>()
            || error
                .downcast_ref::<hyper_util::client::legacy::Error>()
                .is_some_and(hyper_util::client::legacy::Error::is_connect)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn refused(status: u16, code: &str, words: &str, retry_after: Option<Duration>) -> SendError {
    let reason = format!("{code}: {}", without_addresses(words));
    let retry_after = retry_after.or(words.contains("quota").then_some(QUOTA_WAIT));
    match code {
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" => SendError::Throttled {
            retry_after,
            reason,
        },
        "LimitExceededException" => SendError::Throttled {
            retry_after: retry_after.or(Some(QUOTA_WAIT)),
            reason,
        },
        // SES says "not verified" about a sender, and in the sandbox about a recipient: both concern the account.
        "MessageRejected" if words.contains("not verified") => SendError::NotAllowed { reason },
        "MessageRejected" | "BadRequestException" => SendError::Rejected { reason },
        "MailFromDomainNotVerifiedException"
        | "AccountSuspendedException"
        | "SendingPausedException"
        | "NotFoundException" => SendError::NotAllowed { reason },
        _ if status == 429 => SendError::Throttled {
            retry_after,
            reason,
        },
        // The remaining errors are failures of the service, or rejected calls: rights, clock, signature.
        _ => SendError::Unavailable(reason.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::refused;
    use crate::protocol::mail::SendError;

    #[test]
    fn each_error_code_is_mapped_to_its_decision() {
        let decision = |status, code, words| match refused(status, code, words, None) {
            SendError::Throttled { .. } => "throttled",
            SendError::Rejected { .. } => "rejected",
            SendError::Unavailable(_) => "unavailable",
            SendError::Unknown(_) => "unknown",
            SendError::NotAllowed { .. } => "not allowed",
        };
        for (status, code, words, expected) in [
            (
                429,
                "TooManyRequestsException",
                "Maximum sending rate exceeded.",
                "throttled",
            ),
            (
                400,
                "LimitExceededException",
                "Daily message quota exceeded.",
                "throttled",
            ),
            (429, "Other", "", "throttled"),
            (
                400,
                "MessageRejected",
                "Email address is not verified.",
                "not allowed",
            ),
            (400, "MessageRejected", "Illegal content", "rejected"),
            (
                400,
                "BadRequestException",
                "Missing final '@domain'",
                "rejected",
            ),
            (400, "SendingPausedException", "", "not allowed"),
            (403, "AccessDeniedException", "", "unavailable"),
            (403, "ExpiredTokenException", "", "unavailable"),
            (500, "InternalFailure", "", "unavailable"),
            (503, "no code", "", "unavailable"),
        ] {
            assert_eq!(decision(status, code, words), expected, "{code} {words}");
        }
    }

    #[test]
    fn spent_quota_waits_longer_than_a_rate_limit() {
        let wait = |code, words| match refused(429, code, words, None) {
            SendError::Throttled { retry_after, .. } => retry_after,
            other => panic!("{other:?}"),
        };
        let rate = wait("TooManyRequestsException", "Maximum sending rate exceeded.");
        assert_eq!(rate, None);
        for code in ["TooManyRequestsException", "LimitExceededException"] {
            let quota = wait(code, "Daily message quota exceeded.");
            assert_eq!(quota, Some(super::QUOTA_WAIT), "{code}");
        }
    }

    #[test]
    fn error_does_not_quote_an_address() {
        let error = refused(
            400,
            "MessageRejected",
            "Address ann@example.com is odd",
            None,
        );
        assert_eq!(
            error.to_string(),
            "the mail provider rejected the mail: MessageRejected: Address [address] is odd"
        );
    }
}
