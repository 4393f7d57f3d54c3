//! Renders a payload as a mail: words, values, templates and headers.
//!
//! The same payload always gives the same bytes: a provider that recognises a mail by its key compares them.

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

/// Renders the mails of one deployment.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    from: Mailbox,
    app: HttpUrl,
}

/// The branding of a mail, and its unsubscribe link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) brand: &'a Brand,
    /// The unsubscribe link of an optional mail.
    pub(crate) unsubscribe: Option<&'a str>,
}

impl Writer {
    /// Reads the sender from `EMAIL_FROM` and the web app's URL from `APP_URL`.
    pub(crate) fn from_env() -> Result<Self, env::Error> {
        Ok(Self {
            from: env::parsed("EMAIL_FROM")?,
            app: env::parsed("APP_URL")?,
        })
    }

    /// Returns the URL of the web app, the base of all links.
    pub(crate) fn app(&self) -> &HttpUrl {
        &self.app
    }

    /// Returns the mail of a payload for one recipient; none for a bulk, whose mails are rendered one by one.
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

    /// Returns one mail of a type.
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
        // No person would read an automatic reply to it (RFC 3834, section 5).
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
