//! The two templates, and which sections each type of mail has. They escape all user text.

use askama::Template;

use super::draft::Draft;

/// A type of mail that goes to one person.
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

/// A section between the first sentences and the closing. It stays empty if the draft has nothing for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Document,
    Message,
    Facts,
    Action,
    Note,
}

/// The HTML and text parts of a mail.
pub(crate) struct Parts {
    pub(crate) html: String,
    pub(crate) text: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    draft: &'a Draft<'a>,
    sections: &'static [Section],
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    draft: &'a Draft<'a>,
    sections: &'static [Section],
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

    /// Returns its sections, in order.
    fn sections(self) -> &'static [Section] {
        use Section::{Action, Document, Facts, Message, Note};

        match self {
            Self::SignatureRequest
            | Self::Reminder
            | Self::SequentialNotification
            | Self::ExpiryWarning => &[Document, Message, Action, Note],
            Self::Completion => &[Document, Facts, Action],
            Self::Expired | Self::Declined | Self::Cancelled => &[Document, Message, Action],
            Self::EmailVerification | Self::PasswordReset => &[Action, Note],
            Self::SecurityAlert => &[Facts, Action],
        }
    }

    /// Renders a draft.
    pub(crate) fn render(self, draft: &Draft<'_>) -> Result<Parts, askama::Error> {
        let sections = self.sections();
        Ok(Parts {
            html: Html { draft, sections }.render()?,
            text: Text { draft, sections }.render()?,
        })
    }
}
