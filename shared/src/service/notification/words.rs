//! The words of notifications that bring none of their own.

use super::Notification;

/// What a type usually says.
pub(super) struct Usual {
    pub(super) title: &'static str,
    pub(super) message: String,
}

impl Usual {
    /// The words of a notification's type, with what it says of the request.
    pub(super) fn of(notification: &Notification) -> Self {
        let (title, message) = match notification {
            Notification::SignatureRequest(_) => (
                "Signature requested",
                "You are asked to sign a document.".to_owned(),
            ),
            Notification::SequentialSignatureRequest(_) => (
                "Your turn to sign",
                "Those before you have signed. It is your turn now.".to_owned(),
            ),
            Notification::Reminder(_) => (
                "Reminder",
                "A document still waits for your signature.".to_owned(),
            ),
            Notification::SignatureCompleted(it) => (
                "Document signed",
                match &it.words.signer_email {
                    Some(signer) => format!("{} has signed.", signer.as_str()),
                    None => "A signer has signed.".to_owned(),
                },
            ),
            Notification::DocumentExpiryWarning(it) => (
                "A request is about to expire",
                match it.side.hours_until_expiry {
                    Some(hours) => time_left(hours),
                    None => "The time to sign is about to end.".to_owned(),
                },
            ),
            Notification::DocumentExpired(_) => (
                "A request has expired",
                "The time to sign has ended before everybody signed.".to_owned(),
            ),
            Notification::PdfGenerationCompleted(_) => (
                "The signed document is ready",
                "You can download it now.".to_owned(),
            ),
            Notification::SystemNotification(_)
            | Notification::General(_)
            | Notification::BulkNotification(_) => ("", String::new()),
        };
        Self { title, message }
    }
}

/// Hours that a sentence may name: ten years. More is no deadline that anybody counts in hours.
const MAX_HOURS: f64 = 87_600.0;

/// The time that is left, in a sentence.
fn time_left(hours: f64) -> String {
    if hours <= 0.0 {
        "The time to sign has ended.".to_owned()
    } else if hours <= 1.0 {
        "The time to sign ends in an hour.".to_owned()
    } else if hours <= MAX_HOURS {
        format!("The time to sign ends in {} hours.", hours.ceil())
    } else {
        "The time to sign is limited.".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::time_left;

    #[test]
    fn hours_that_are_left_make_a_sentence_whatever_their_number() {
        for (hours, sentence) in [
            (-1.0, "The time to sign has ended."),
            (-0.5, "The time to sign has ended."),
            (-0.0, "The time to sign has ended."),
            (0.0, "The time to sign has ended."),
            (0.5, "The time to sign ends in an hour."),
            (1.0, "The time to sign ends in an hour."),
            (1.5, "The time to sign ends in 2 hours."),
            (24.0, "The time to sign ends in 24 hours."),
            (1e21, "The time to sign is limited."),
            (f64::MAX, "The time to sign is limited."),
            (-1e300, "The time to sign has ended."),
        ] {
            assert_eq!(time_left(hours), sentence, "{hours}");
        }
    }
}
