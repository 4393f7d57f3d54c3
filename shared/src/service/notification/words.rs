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
                    Some(hours) => format!("The time to sign ends in {}.", hours_left(hours)),
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

fn hours_left(hours: f64) -> String {
    match hours.ceil() {
        1.0 => "an hour".to_owned(),
        whole => format!("{whole} hours"),
    }
}
