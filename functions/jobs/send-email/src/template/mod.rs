//! From a payload to a mail: words, values, templates, headers.
//!
//! The same payload gives the same bytes, at any time: a provider that knows a mail again by its key compares them.

mod compose;
mod draft;
mod page;
mod phrase;
mod wording;

use shared::base::env;
use shared::protocol::mail::{Mail, Mailbox};
use shared::service::mail::branding::Brand;
use shared::service::mail::payload::{Email, Envelope, HttpUrl};

use self::compose::{Compose, RenderContext};
use self::wording::ENGLISH;

/// Writes the mails of one deployment.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    from: Mailbox,
    app: HttpUrl,
}

/// In whose name a mail goes, and how its recipient can stop such mails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) brand: &'a Brand,
    /// The link to unsubscribe, of a mail that is optional.
    pub(crate) unsubscribe: Option<&'a str>,
}

impl Writer {
    /// The sender of `EMAIL_FROM` and the web app of `APP_URL`.
    pub(crate) fn from_env() -> Result<Self, env::Error> {
        Ok(Self {
            from: env::parsed("EMAIL_FROM")?,
            app: env::parsed("APP_URL")?,
        })
    }

    /// The web app, to which the links lead.
    pub(crate) fn app(&self) -> &HttpUrl {
        &self.app
    }

    /// The mail of a payload that goes to one person; none for a bulk, whose mails are written one by one.
    pub(crate) fn write(
        &self,
        email: &Email,
        terms: Terms<'_>,
    ) -> Result<Option<Mail>, askama::Error> {
        let Some(envelope) = email.envelope() else {
            return Ok(None);
        };
        match email {
            Email::Bulk(_) => return Ok(None),
            Email::SignatureRequest(mail) => self.mail(envelope, mail, terms),
            Email::Reminder(mail) => self.mail(envelope, mail, terms),
            Email::Completion(mail) => self.mail(envelope, mail, terms),
            Email::ExpiryWarning(mail) => self.mail(envelope, mail, terms),
            Email::SequentialNotification(mail) => self.mail(envelope, mail, terms),
            Email::Expired(mail) => self.mail(envelope, mail, terms),
            Email::Declined(mail) => self.mail(envelope, mail, terms),
            Email::Cancelled(mail) => self.mail(envelope, mail, terms),
            Email::EmailVerification(mail) => self.mail(envelope, mail, terms),
            Email::PasswordReset(mail) => self.mail(envelope, mail, terms),
            Email::SecurityAlert(mail) => self.mail(envelope, mail, terms),
        }
        .map(Some)
    }

    /// One mail of a type.
    pub(crate) fn mail<C: Compose>(
        &self,
        envelope: &Envelope,
        template: &C,
        terms: Terms<'_>,
    ) -> Result<Mail, askama::Error> {
        let brand = terms.brand;
        let wording = &ENGLISH;
        let mut draft = template.compose(RenderContext { wording, brand });
        draft.unsubscribe = terms.unsubscribe;
        let parts = C::KIND.render(&draft)?;
        let from = brand.own_name().map_or_else(
            || self.from.clone(),
            |name| self.from.with_name(&wording.via.text(&[("name", name)])),
        );
        let reply_to = envelope.sender_email.as_ref().or(brand.reply_to());
        Ok(Mail {
            from,
            to: envelope.to.clone(),
            reply_to: reply_to.cloned(),
            subject: draft.subject,
            html: parts.html,
            text: parts.text,
            headers: headers(C::KIND.name(), terms.unsubscribe),
        })
    }
}

fn headers(kind: &str, unsubscribe: Option<&str>) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        // An automatic answer to it would reach nobody (RFC 3834, section 5).
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-SignTusk-Type", kind.to_owned()),
    ];
    if let Some(link) = unsubscribe {
        headers.push(("List-Unsubscribe", format!("<{link}>")));
        // A mail program may unsubscribe without showing a page (RFC 8058).
        let one_click = "List-Unsubscribe=One-Click".to_owned();
        headers.push(("List-Unsubscribe-Post", one_click));
    }
    headers
}

#[cfg(test)]
mod tests;
