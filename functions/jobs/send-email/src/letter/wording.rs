//! Every word of the mails that is not the sender's own, in one place for each language. English is the only one yet:
//! another is another [`Wording`], and a rule for whom it is meant.

use super::phrase::Phrase;

/// The words of one type of mail.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) subject: Phrase,
    /// What mailboxes show beside the subject.
    pub(crate) preview: Phrase,
    pub(crate) heading: &'static str,
    pub(crate) lead: Phrase,
    /// The button, where there is one.
    pub(crate) action: &'static str,
}

/// The words of a language.
#[derive(Debug)]
pub(crate) struct Wording {
    /// Its tag (BCP 47).
    pub(crate) language: &'static str,
    pub(crate) greeting: Phrase,
    pub(crate) greeting_without_name: &'static str,
    pub(crate) sign_by: Phrase,
    pub(crate) until: Phrase,
    pub(crate) completed_on: Phrase,
    pub(crate) expired_on: Phrase,
    pub(crate) signed_by: &'static str,
    pub(crate) reminder_count: Phrase,
    pub(crate) place: Phrase,
    pub(crate) link_expires: Phrase,
    pub(crate) fallback: &'static str,
    pub(crate) via: Phrase,
    pub(crate) closing_signing: Phrase,
    pub(crate) closing_told: Phrase,
    pub(crate) closing_alert: Phrase,
    pub(crate) closing_account: Phrase,
    pub(crate) unsubscribe: &'static str,
    pub(crate) unsubscribe_link: &'static str,
    pub(crate) when: &'static str,
    pub(crate) device: &'static str,
    pub(crate) ip_address: &'static str,
    pub(crate) new_device: &'static str,
    pub(crate) account_locked: &'static str,
    pub(crate) password_changed: &'static str,
    pub(crate) totp_changed: &'static str,
    pub(crate) sessions_revoked: &'static str,
    pub(crate) turn_after: Phrase,
    pub(crate) view: &'static str,
    pub(crate) signature_request: Words,
    pub(crate) reminder: Words,
    pub(crate) turn: Words,
    pub(crate) completion: Words,
    pub(crate) expiry_warning: Words,
    pub(crate) expired: Words,
    pub(crate) declined: Words,
    pub(crate) cancelled: Words,
    pub(crate) email_verification: Words,
    pub(crate) password_reset: Words,
    pub(crate) security_alert: Words,
}

/// English.
pub(crate) static ENGLISH: Wording = Wording {
    language: "en",
    greeting: Phrase("Hello {name},"),
    greeting_without_name: "Hello,",
    sign_by: Phrase("Please sign by {date}"),
    until: Phrase("Open for signature until {date}"),
    completed_on: Phrase("Completed on {date}"),
    expired_on: Phrase("Expired on {date}"),
    signed_by: "Signed by",
    reminder_count: Phrase("This is reminder {count}."),
    place: Phrase("You are signer {place} of {total}."),
    link_expires: Phrase("The link works until {date}."),
    fallback: "If the button does not work, open this link:",
    via: Phrase("{name} via SignTusk"),
    closing_signing: Phrase(
        "{sender} sent you this through SignTusk. If you did not expect it, do not sign; you can ignore this e-mail.",
    ),
    closing_told: Phrase(
        "You get this because you take part in this signing request. There is nothing you have to do.",
    ),
    closing_alert: Phrase(
        "{sender} sent you this to protect your account. If it was you, there is nothing you have to do.",
    ),
    closing_account: Phrase(
        "{sender} sent you this because somebody used this address. If it was not you, do not follow the link.",
    ),
    unsubscribe: "You can stop reminders and mails to many recipients to this address:",
    unsubscribe_link: "Unsubscribe",
    when: "When",
    device: "Device",
    ip_address: "IP address",
    new_device: "Somebody signed in to your account from a device that was not used before.",
    account_locked: "Your account is locked for a while, because sign-in failed too often.",
    password_changed: "The password of your account was changed.",
    totp_changed: "The two-factor authentication of your account was changed.",
    sessions_revoked: "Your account was signed out on every device.",
    turn_after: Phrase(
        "{previous} has signed. Now it is your turn to sign this document from {sender}:",
    ),
    view: "View the document",
    signature_request: Words {
        subject: Phrase("Signature Request: {title}"),
        preview: Phrase("{sender} asks you to sign {title}."),
        heading: "Your signature is requested",
        lead: Phrase("{sender} asks you to review and sign this document:"),
        action: "Review and sign",
    },
    reminder: Words {
        subject: Phrase("Reminder: {title} - Signature Required"),
        preview: Phrase("{title} still waits for your signature."),
        heading: "Your signature is still needed",
        lead: Phrase("This document from {sender} still waits for your signature:"),
        action: "Review and sign",
    },
    turn: Words {
        subject: Phrase("Your turn to sign: {title}"),
        preview: Phrase("{title} is ready for your signature."),
        heading: "It is your turn to sign",
        lead: Phrase(
            "Those before you have signed. Now it is your turn to sign this document from {sender}:",
        ),
        action: "Review and sign",
    },
    completion: Words {
        subject: Phrase("Completed: {title}"),
        preview: Phrase("Everybody has signed {title}."),
        heading: "Everybody has signed",
        lead: Phrase("All signatures that {sender} asked for are in. The document is complete:"),
        action: "View the document",
    },
    expiry_warning: Words {
        subject: Phrase("Expiring soon: {title}"),
        preview: Phrase("{title} can be signed until {date}."),
        heading: "The time to sign runs out",
        lead: Phrase(
            "This document from {sender} is not signed by everybody yet, and soon it no longer can be:",
        ),
        action: "Review and sign",
    },
    expired: Words {
        subject: Phrase("Expired: {title}"),
        preview: Phrase("{title} can no longer be signed."),
        heading: "The time to sign has run out",
        lead: Phrase(
            "This document from {sender} was not signed by everybody in time and can no longer be signed:",
        ),
        action: "View the document",
    },
    declined: Words {
        subject: Phrase("Declined: {title}"),
        preview: Phrase("{signer} declined to sign {title}."),
        heading: "A signer declined",
        lead: Phrase("{signer} declined to sign this document:"),
        action: "View the document",
    },
    cancelled: Words {
        subject: Phrase("Cancelled: {title}"),
        preview: Phrase("{sender} withdrew {title}."),
        heading: "The request was withdrawn",
        lead: Phrase("{sender} no longer asks for your signature under this document:"),
        action: "",
    },
    email_verification: Words {
        subject: Phrase("Confirm your e-mail address"),
        preview: Phrase("One click, and your address is confirmed."),
        heading: "Confirm your e-mail address",
        lead: Phrase("Please confirm that this address is yours."),
        action: "Confirm this address",
    },
    password_reset: Words {
        subject: Phrase("Choose a new password"),
        preview: Phrase("Follow the link to choose a new password."),
        heading: "Choose a new password",
        lead: Phrase(
            "Somebody asked for a new password for your account. If it was you, choose one here.",
        ),
        action: "Choose a new password",
    },
    security_alert: Words {
        subject: Phrase("Security alert for your account"),
        preview: Phrase("{event}"),
        heading: "Was this you?",
        lead: Phrase("{event}"),
        action: "Check your account",
    },
};

impl Wording {
    /// The words of every type.
    #[cfg(test)]
    pub(crate) fn types(&self) -> [&Words; 11] {
        [
            &self.signature_request,
            &self.reminder,
            &self.turn,
            &self.completion,
            &self.expiry_warning,
            &self.expired,
            &self.declined,
            &self.cancelled,
            &self.email_verification,
            &self.password_reset,
            &self.security_alert,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::ENGLISH;

    #[test]
    fn every_place_in_a_sentence_is_one_that_is_filled() {
        let values = ["title", "sender", "signer", "date", "event"].map(|place| (place, "x"));
        for words in ENGLISH.types() {
            for phrase in [words.subject, words.preview, words.lead] {
                let text = phrase.text(&values);
                assert!(!text.contains(['{', '}']), "{text}");
            }
            assert!(words.subject.text(&values).chars().count() < 80);
        }
    }
}
