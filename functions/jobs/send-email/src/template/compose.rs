//! Composes a draft from each type's payload: its words, values and button.

use shared::service::mail::branding::Brand;
use shared::service::mail::payload::{
    Addressed, Cancelled, Completion, Date, Declined, DisplayName, EmailVerification, Expired,
    ExpiryWarning, HttpUrl, Invitation, Message, PasswordReset, Reference, Reminder, Role,
    SecurityAlert, SecurityEvent, Turn,
};

use super::draft::{Action, Draft};
use super::page::Kind;
use super::phrase::Phrase;
use super::wording::{Wording, Words};

/// A type of mail that can be composed.
pub(crate) trait Compose {
    /// The templates of the type.
    const KIND: Kind;

    /// Returns the draft for one recipient.
    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a>;
}

/// The context that all types share: the language and the branding.
#[derive(Clone, Copy)]
pub(crate) struct RenderContext<'a> {
    pub(crate) wording: &'static Wording,
    pub(crate) brand: &'a Brand,
}

impl<'a> RenderContext<'a> {
    /// Returns a draft with its sentences filled and all other parts empty.
    fn draft(
        self,
        words: &'static Words,
        recipient: Option<&'a DisplayName>,
        closing: Phrase,
        values: &[(&str, &'a str)],
    ) -> Draft<'a> {
        let wording = self.wording;
        let greeting = match recipient {
            Some(name) => wording.greeting.parts(&[("name", name.as_str())]),
            None => Phrase(wording.greeting_without_name).parts(&[]),
        };
        let value = |place| values.iter().find(|(name, _)| *name == place);
        let sender = value("sender").map_or_else(|| self.brand.name(), |(_, sender)| sender);
        Draft {
            wording,
            words,
            brand: self.brand,
            subject: words.subject.text(values),
            preview: words.preview.text(values),
            greeting,
            lead: words.lead.parts(values),
            title: value("title").map(|(_, title)| *title),
            title_note: None,
            message: None,
            action: None,
            facts: Vec::new(),
            note: None,
            closing: closing.parts(&[("sender", sender)]),
            unsubscribe: None,
        }
    }

    fn invitation(self, words: &'static Words, it: &'a Invitation) -> Draft<'a> {
        let values = [
            ("title", it.document_title.as_str()),
            ("sender", it.sender_name.as_str()),
        ];
        let closing = self.wording.closing_signing;
        let mut draft = self.draft(words, Some(&it.signer_name), closing, &values);
        draft.title_note = dated(self.wording.sign_by, it.due_date.as_ref());
        draft.message = it.message.as_ref();
        draft.action(&it.signature_url);
        draft
    }

    /// Returns the draft about the outcome of a request.
    fn notice(
        self,
        words: &'static Words,
        recipient: &'a DisplayName,
        values: &[(&str, &'a str)],
        reason: Option<&'a Message>,
        url: Option<&'a HttpUrl>,
    ) -> Draft<'a> {
        let mut draft = self.draft(words, Some(recipient), self.wording.closing_notice, values);
        draft.message = reason;
        if let Some(url) = url {
            draft.action(url);
        }
        draft
    }
}

impl<'a> Draft<'a> {
    fn action(&mut self, url: &'a HttpUrl) {
        self.action = Some(Action {
            label: self.words.action,
            url,
        });
    }
}

fn dated(phrase: Phrase, date: Option<&Date>) -> Option<String> {
    date.map(|date| phrase.text(&[("date", &date.to_string())]))
}

impl Compose for Addressed<Invitation> {
    const KIND: Kind = Kind::SignatureRequest;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        context.invitation(&context.wording.signature_request, &self.body)
    }
}

impl Compose for Addressed<Reminder> {
    const KIND: Kind = Kind::Reminder;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let Reminder { invitation, count } = &self.body;
        let mut draft = context.invitation(&context.wording.reminder, invitation);
        draft.note = count
            .reminder_count
            .filter(|count| *count > 0)
            .map(|count| {
                let count = count.to_string();
                context.wording.reminder_count.text(&[("count", &count)])
            });
        draft
    }
}

impl Compose for Addressed<Turn> {
    const KIND: Kind = Kind::SequentialNotification;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let Turn { invitation, place } = &self.body;
        let mut draft = context.invitation(&context.wording.turn, invitation);
        if let Some(previous) = &place.previous_signer_name {
            draft.lead = context.wording.turn_after.parts(&[
                ("previous", previous.as_str()),
                ("sender", invitation.sender_name.as_str()),
            ]);
        }
        // A position outside the order would make an invalid sentence.
        if let (Some(own @ 1..), Some(total)) = (place.current_signer_order, place.total_signers)
            && own <= total
        {
            let (own, total) = (own.to_string(), total.to_string());
            let values = [("place", own.as_str()), ("total", total.as_str())];
            draft.note = Some(context.wording.place.text(&values));
        }
        draft
    }
}

impl Compose for Addressed<Completion> {
    const KIND: Kind = Kind::Completion;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let it = &self.body;
        let values = [
            ("title", it.document_title.as_str()),
            ("sender", it.sender_name.as_str()),
        ];
        let words = &context.wording.completion;
        let url = Some(&it.document_url);
        let mut draft = context.notice(words, &it.recipient_name, &values, None, url);
        draft.title_note = dated(context.wording.completed_on, it.completed_at.as_ref());
        let names = it.signers.as_slice().iter().map(DisplayName::as_str);
        let signers = names.collect::<Vec<_>>().join(", ");
        if !signers.is_empty() {
            draft.facts.push((context.wording.signed_by, signers));
        }
        draft
    }
}

impl Compose for Addressed<ExpiryWarning> {
    const KIND: Kind = Kind::ExpiryWarning;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let it = &self.body;
        let values = [
            ("title", it.document_title.as_str()),
            ("sender", it.sender_name.as_str()),
        ];
        let words = &context.wording.expiry_warning;
        let closing = match it.role {
            Role::Signer => context.wording.closing_signing,
            Role::Owner => context.wording.closing_notice,
        };
        let mut draft = context.draft(words, Some(&it.recipient_name), closing, &values);
        let date = it.expires_at.to_string();
        let dated = [("title", it.document_title.as_str()), ("date", &date)];
        draft.preview = words.preview.text(&dated);
        draft.title_note = Some(context.wording.until.text(&dated));
        draft.action(&it.action_url);
        if let (Role::Owner, Some(action)) = (it.role, &mut draft.action) {
            action.label = context.wording.view;
        }
        draft
    }
}

impl Compose for Addressed<Expired> {
    const KIND: Kind = Kind::Expired;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let it = &self.body;
        let values = [
            ("title", it.document_title.as_str()),
            ("sender", it.sender_name.as_str()),
        ];
        let words = &context.wording.expired;
        let url = it.document_url.as_ref();
        let mut draft = context.notice(words, &it.recipient_name, &values, None, url);
        draft.title_note = dated(context.wording.expired_on, it.expired_at.as_ref());
        draft
    }
}

impl Compose for Addressed<Declined> {
    const KIND: Kind = Kind::Declined;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let it = &self.body;
        let values = [
            ("title", it.document_title.as_str()),
            ("signer", it.signer_name.as_str()),
        ];
        let (reason, url) = (it.reason.as_ref(), it.document_url.as_ref());
        let words = &context.wording.declined;
        context.notice(words, &it.recipient_name, &values, reason, url)
    }
}

impl Compose for Addressed<Cancelled> {
    const KIND: Kind = Kind::Cancelled;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let it = &self.body;
        let values = [
            ("title", it.document_title.as_str()),
            ("sender", it.sender_name.as_str()),
        ];
        let words = &context.wording.cancelled;
        context.notice(words, &it.recipient_name, &values, it.reason.as_ref(), None)
    }
}

impl Compose for Addressed<EmailVerification> {
    const KIND: Kind = Kind::EmailVerification;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let it = &self.body;
        let words = &context.wording.email_verification;
        let closing = context.wording.closing_account;
        let mut draft = context.draft(words, it.recipient_name.as_ref(), closing, &[]);
        draft.note = dated(context.wording.link_expires, it.expires_at.as_ref());
        draft.action(&it.verification_url);
        draft
    }
}

impl Compose for Addressed<PasswordReset> {
    const KIND: Kind = Kind::PasswordReset;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let it = &self.body;
        let words = &context.wording.password_reset;
        let closing = context.wording.closing_account;
        let mut draft = context.draft(words, it.recipient_name.as_ref(), closing, &[]);
        draft.note = dated(context.wording.link_expires, it.expires_at.as_ref());
        draft.action(&it.reset_url);
        draft
    }
}

impl Compose for Addressed<SecurityAlert> {
    const KIND: Kind = Kind::SecurityAlert;

    fn compose<'a>(&'a self, context: RenderContext<'a>) -> Draft<'a> {
        let it = &self.body;
        let wording = context.wording;
        let event = match it.event {
            SecurityEvent::NewDevice => wording.new_device,
            SecurityEvent::AccountLocked => wording.account_locked,
            SecurityEvent::PasswordChanged => wording.password_changed,
            SecurityEvent::TotpChanged => wording.totp_changed,
            SecurityEvent::SessionsRevoked => wording.sessions_revoked,
        };
        let words = &wording.security_alert;
        let name = it.recipient_name.as_ref();
        let mut draft = context.draft(words, name, wording.closing_alert, &[("event", event)]);
        draft.lead = Phrase(event).parts(&[]);
        draft.facts.push((wording.when, it.at.to_string()));
        let device = it.device.as_ref().map(DisplayName::as_str);
        let address = it.ip_address.as_ref().map(Reference::as_str);
        for (label, value) in [(wording.device, device), (wording.ip_address, address)] {
            draft
                .facts
                .extend(value.map(|value| (label, value.to_owned())));
        }
        if let Some(url) = &it.action_url {
            draft.action(url);
        }
        draft
    }
}
