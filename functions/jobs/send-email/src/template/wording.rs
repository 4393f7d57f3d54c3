//! The wording of the mails, except user text, in one place for each language. English is the only language so far.
//! Another language needs another [`Wording`] and a rule that selects it.

use super::phrase::Phrase;

/// The wording of one type of mail.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) subject: Phrase,
    /// The text that mailboxes show beside the subject.
    pub(crate) preview: Phrase,
    pub(crate) heading: &'static str,
    pub(crate) lead: Phrase,
    /// The button, if there is one.
    pub(crate) action: &'static str,
}

/// The wording of a language.
#[derive(Debug)]
pub(crate) struct Wording {
    /// The language tag (BCP 47).
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
    pub(crate) closing_notice: Phrase,
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
    until: Phrase("Expires on {date}"),
    completed_on: Phrase("Completed on {date}"),
    expired_on: Phrase("Expired on {date}"),
    signed_by: "Signed by",
    reminder_count: Phrase("This is reminder {count}."),
    place: Phrase("You are signer {place} of {total}."),
    link_expires: Phrase("This link expires on {date}."),
    fallback: "If the button does not work, open this link:",
    via: Phrase("{name} via SignTusk"),
    closing_signing: Phrase(
        "{sender} sent you this request through SignTusk. If you were not expecting it, do not sign, and ignore this email.",
    ),
    closing_notice: Phrase(
        "You are receiving this because you are part of this signing request. No action is needed.",
    ),
    closing_alert: Phrase(
        "{sender} sent you this to protect your account. If this was you, no action is needed.",
    ),
    closing_account: Phrase(
        "{sender} sent you this because someone entered your email address. If this was not you, do not open the link.",
    ),
    unsubscribe: "To stop reminders and bulk requests to this address:",
    unsubscribe_link: "Unsubscribe",
    when: "When",
    device: "Device",
    ip_address: "IP address",
    new_device: "There was a sign-in to your account from a new device.",
    account_locked: "Your account is temporarily locked after too many failed sign-in attempts.",
    password_changed: "Your password was changed.",
    totp_changed: "Your two-factor authentication settings were changed.",
    sessions_revoked: "Your account was signed out on all devices.",
    turn_after: Phrase(
        "{previous} has signed. It is now your turn to sign this document from {sender}:",
    ),
    view: "View document",
    signature_request: Words {
        subject: Phrase("Signature Request: {title}"),
        preview: Phrase("{sender} has asked you to sign {title}."),
        heading: "Your signature is requested",
        lead: Phrase("{sender} has asked you to review and sign this document:"),
        action: "Review and sign",
    },
    reminder: Words {
        subject: Phrase("Reminder: {title} - Signature Required"),
        preview: Phrase("{title} is waiting for your signature."),
        heading: "Your signature is still needed",
        lead: Phrase("This document from {sender} is waiting for your signature:"),
        action: "Review and sign",
    },
    turn: Words {
        subject: Phrase("Your turn to sign: {title}"),
        preview: Phrase("{title} is ready for your signature."),
        heading: "It is your turn to sign",
        lead: Phrase(
            "The previous signers have signed. It is now your turn to sign this document from {sender}:",
        ),
        action: "Review and sign",
    },
    completion: Words {
        subject: Phrase("Completed: {title}"),
        preview: Phrase("Everyone has signed {title}."),
        heading: "Everyone has signed",
        lead: Phrase("All signatures are in, and this document from {sender} is complete:"),
        action: "View document",
    },
    expiry_warning: Words {
        subject: Phrase("Expiring soon: {title}"),
        preview: Phrase("{title} expires on {date}."),
        heading: "The deadline to sign is approaching",
        lead: Phrase(
            "This document from {sender} has not been signed by everyone yet and will expire soon:",
        ),
        action: "Review and sign",
    },
    expired: Words {
        subject: Phrase("Expired: {title}"),
        preview: Phrase("{title} can no longer be signed."),
        heading: "The deadline to sign has passed",
        lead: Phrase(
            "This document from {sender} was not signed by everyone in time and can no longer be signed:",
        ),
        action: "View document",
    },
    declined: Words {
        subject: Phrase("Declined: {title}"),
        preview: Phrase("{signer} declined to sign {title}."),
        heading: "A signer declined",
        lead: Phrase("{signer} declined to sign this document:"),
        action: "View document",
    },
    cancelled: Words {
        subject: Phrase("Cancelled: {title}"),
        preview: Phrase("{sender} cancelled the request to sign {title}."),
        heading: "The request was cancelled",
        lead: Phrase("{sender} has cancelled the request to sign this document:"),
        action: "",
    },
    email_verification: Words {
        subject: Phrase("Confirm your email address"),
        preview: Phrase("Confirm your email address with one click."),
        heading: "Confirm your email address",
        lead: Phrase("Please confirm that this email address is yours."),
        action: "Confirm email address",
    },
    password_reset: Words {
        subject: Phrase("Reset your password"),
        preview: Phrase("Use the link to choose a new password."),
        heading: "Reset your password",
        lead: Phrase(
            "A password reset was requested for your account. If this was you, choose a new password here.",
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
    /// Returns the wording of every type.
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
    fn every_placeholder_in_a_sentence_is_filled() {
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
