//! The templates, one pair for each type of mail. They escape all user text.

use askama::Template;

use super::draft::Draft;

/// The templates of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    SignatureRequest,
    Reminder,
    SequentialNotification,
    Completion,
    ExpiryWarning,
    Expired,
    Declined,
    Cancelled,
    EmailVerification,
    PasswordReset,
    SecurityAlert,
}

/// The HTML and text parts of a mail.
pub(crate) struct Parts {
    pub(crate) html: String,
    pub(crate) text: String,
}

#[derive(Template)]
#[template(path = "signature-request.html")]
struct SignatureRequestHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "signature-request.txt")]
struct SignatureRequestText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "reminder.html")]
struct ReminderHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "reminder.txt")]
struct ReminderText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "sequential-notification.html")]
struct SequentialNotificationHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "sequential-notification.txt")]
struct SequentialNotificationText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "completion.html")]
struct CompletionHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "completion.txt")]
struct CompletionText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "expiry-warning.html")]
struct ExpiryWarningHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "expiry-warning.txt")]
struct ExpiryWarningText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "expired.html")]
struct ExpiredHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "expired.txt")]
struct ExpiredText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "declined.html")]
struct DeclinedHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "declined.txt")]
struct DeclinedText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "cancelled.html")]
struct CancelledHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "cancelled.txt")]
struct CancelledText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "email-verification.html")]
struct EmailVerificationHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "email-verification.txt")]
struct EmailVerificationText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "password-reset.html")]
struct PasswordResetHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "password-reset.txt")]
struct PasswordResetText<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "security-alert.html")]
struct SecurityAlertHtml<'a> {
    draft: &'a Draft<'a>,
}

#[derive(Template)]
#[template(path = "security-alert.txt")]
struct SecurityAlertText<'a> {
    draft: &'a Draft<'a>,
}

impl Kind {
    /// Returns the name of the type, as in the payload's `type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SignatureRequest => "signature-request",
            Self::Reminder => "reminder",
            Self::SequentialNotification => "sequential-notification",
            Self::Completion => "completion",
            Self::ExpiryWarning => "expiry-warning",
            Self::Expired => "expired",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::EmailVerification => "email-verification",
            Self::PasswordReset => "password-reset",
            Self::SecurityAlert => "security-alert",
        }
    }

    /// Renders a draft.
    pub(crate) fn render(self, draft: &Draft<'_>) -> Result<Parts, askama::Error> {
        match self {
            Self::SignatureRequest => parts(
                &SignatureRequestHtml { draft },
                &SignatureRequestText { draft },
            ),
            Self::Reminder => parts(&ReminderHtml { draft }, &ReminderText { draft }),
            Self::SequentialNotification => parts(
                &SequentialNotificationHtml { draft },
                &SequentialNotificationText { draft },
            ),
            Self::Completion => parts(&CompletionHtml { draft }, &CompletionText { draft }),
            Self::ExpiryWarning => {
                parts(&ExpiryWarningHtml { draft }, &ExpiryWarningText { draft })
            }
            Self::Expired => parts(&ExpiredHtml { draft }, &ExpiredText { draft }),
            Self::Declined => parts(&DeclinedHtml { draft }, &DeclinedText { draft }),
            Self::Cancelled => parts(&CancelledHtml { draft }, &CancelledText { draft }),
            Self::EmailVerification => parts(
                &EmailVerificationHtml { draft },
                &EmailVerificationText { draft },
            ),
            Self::PasswordReset => {
                parts(&PasswordResetHtml { draft }, &PasswordResetText { draft })
            }
            Self::SecurityAlert => {
                parts(&SecurityAlertHtml { draft }, &SecurityAlertText { draft })
            }
        }
    }
}

fn parts(html: &impl Template, text: &impl Template) -> Result<Parts, askama::Error> {
    Ok(Parts {
        html: html.render()?,
        text: text.render()?,
    })
}
