//! The default texts of notifications.

use super::Notification;

/// The default text of a type.
pub(super) struct DefaultText {
    pub(super) title: &'static str,
    pub(super) message: String,
}

impl DefaultText {
    /// Returns the text of a notification's type, with its data about the request.
    pub(super) fn of(notification: &Notification) -> Self {
        let (title, message) = match notification {
            Notification::SignatureRequest(_) => (
                "Signature requested",
                "You have been asked to sign a document.".to_owned(),
            ),
            Notification::SequentialSignatureRequest(_) => (
                "Your turn to sign",
                "The previous signers have signed. It is now your turn.".to_owned(),
            ),
            Notification::Reminder(_) => (
                "Reminder",
                "A document is waiting for your signature.".to_owned(),
            ),
            Notification::SignatureCompleted(it) => (
                "Document signed",
                match &it.common.signer_email {
                    Some(signer) => format!("{} has signed the document.", signer.as_str()),
                    None => "A signer has signed the document.".to_owned(),
                },
            ),
            Notification::DocumentExpiryWarning(it) => (
                "Signing request expiring soon",
                match it.side.hours_until_expiry {
                    Some(hours) => time_left(hours),
                    None => "The deadline to sign is approaching.".to_owned(),
                },
            ),
            Notification::DocumentExpired(_) => (
                "Signing request expired",
                "The deadline passed before everyone signed.".to_owned(),
            ),
            Notification::PdfGenerationCompleted(_) => (
                "Signed document ready",
                "You can download it now.".to_owned(),
            ),
            Notification::SystemNotification(_)
            | Notification::General(_)
            | Notification::BulkNotification(_) => ("", String::new()),
        };
        Self { title, message }
    }
}

/// The largest number of hours in a text: ten years. No reader counts a longer time in hours.
const MAX_HOURS: f64 = 87_600.0;

/// Returns the remaining time, as a phrase.
fn time_left(hours: f64) -> String {
    if hours <= 0.0 {
        "The deadline to sign has passed.".to_owned()
    } else if hours <= 1.0 {
        "The deadline to sign is within an hour.".to_owned()
    } else if hours <= MAX_HOURS {
        format!("The deadline to sign is in {} hours.", hours.ceil())
    } else {
        "The signing request has a deadline.".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::time_left;

    #[test]
    fn remaining_hours_make_a_sentence_for_every_number() {
        for (hours, sentence) in [
            (-1.0, "The deadline to sign has passed."),
            (-0.5, "The deadline to sign has passed."),
            (-0.0, "The deadline to sign has passed."),
            (0.0, "The deadline to sign has passed."),
            (0.5, "The deadline to sign is within an hour."),
            (1.0, "The deadline to sign is within an hour."),
            (1.5, "The deadline to sign is in 2 hours."),
            (24.0, "The deadline to sign is in 24 hours."),
            (1e21, "The signing request has a deadline."),
            (f64::MAX, "The signing request has a deadline."),
            (-1e300, "The deadline to sign has passed."),
        ] {
            assert_eq!(time_left(hours), sentence, "{hours}");
        }
    }
}
