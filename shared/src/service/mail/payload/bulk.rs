//! One mail to each of many signers of one document.

use std::collections::HashSet;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decode::{Optional, optional};
use super::{
    Addressed, Date, DisplayName, EmailAddress, Envelope, HttpUrl, Invitation, Message, Reference,
    Title,
};
use crate::service::job::parts;

/// The largest number of recipients of one request.
const MAX_RECIPIENTS: usize = 10_000;

/// Asks many signers to sign one document. Missing members get the defaults of the web app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bulk {
    /// The title of the document; default "Document".
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Title>)]
    pub document_title: Option<Title>,
    /// The name of the sender; default "SignTusk".
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<DisplayName>)]
    pub sender_name: Option<DisplayName>,
    /// The recipients.
    pub emails: Recipients,
    /// The sender's message.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Message>)]
    pub message: Option<Message>,
    /// The date to sign by.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Date>)]
    pub due_date: Option<Date>,
    /// The id of the document in the link to the signing page.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub document_id: Option<Reference>,
    /// The organisation that the mails are sent for.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<Reference>)]
    pub domain: Option<Reference>,
    /// The address for replies.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Optional<EmailAddress>)]
    pub sender_email: Option<EmailAddress>,
}

/// A recipient of a bulk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Recipient {
    /// The signer's name.
    pub name: DisplayName,
    /// The signer's e-mail address.
    pub email: EmailAddress,
}

/// The recipients: 1 to 10,000. An address counts once, ignoring case; its first entry is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<Recipient>", into = "Vec<Recipient>")]
#[schema(value_type = Vec<Recipient>, min_items = 1, max_items = 10_000)]
pub struct Recipients(Vec<Recipient>);

/// Why a list of recipients is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must contain 1 to {MAX_RECIPIENTS} recipients, not {0}")]
pub struct InvalidRecipients(usize);

impl Bulk {
    /// The number of recipients of one job. A killed job leaves at most one of them in doubt, and skips the mails that
    /// were sent.
    pub const PER_JOB: usize = 100;

    /// Splits the recipients into jobs of at most [`Self::PER_JOB`], in order.
    #[must_use]
    pub fn split(mut self) -> Vec<Self> {
        let recipients = std::mem::take(&mut self.emails.0);
        let job = |chunk: &[Recipient]| Self {
            emails: Recipients(chunk.to_vec()),
            ..self.clone()
        };
        parts(&recipients, Self::PER_JOB)
            .into_iter()
            .map(job)
            .collect()
    }

    /// Returns the mail of one recipient, with the signing page of the web app at `app`.
    #[must_use]
    pub fn invitation(&self, recipient: &Recipient, app: &HttpUrl) -> Addressed<Invitation> {
        let document = self.document_id.as_ref().map_or("", Reference::as_str);
        let title = self.document_title.clone();
        let sender = self.sender_name.clone();
        Addressed {
            envelope: Envelope {
                to: recipient.email.clone(),
                request_id: None,
                signer_id: None,
                occurrence: None,
                supersedes: None,
                domain: self.domain.clone(),
                sender_email: self.sender_email.clone(),
            },
            body: Invitation {
                signer_name: recipient.name.clone(),
                document_title: title.unwrap_or_else(Title::of_unnamed),
                sender_name: sender.unwrap_or_else(DisplayName::of_product),
                message: self.message.clone(),
                due_date: self.due_date,
                signature_url: app.signing_page(document, recipient.email.as_str()),
            },
        }
    }
}

impl Deref for Recipients {
    type Target = [Recipient];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl TryFrom<Vec<Recipient>> for Recipients {
    type Error = InvalidRecipients;

    fn try_from(mut recipients: Vec<Recipient>) -> Result<Self, Self::Error> {
        if !(1..=MAX_RECIPIENTS).contains(&recipients.len()) {
            return Err(InvalidRecipients(recipients.len()));
        }
        // Each address gets one mail, even if the list repeats it.
        let mut named = HashSet::new();
        recipients.retain(|it| named.insert(it.email.as_str().to_lowercase()));
        Ok(Self(recipients))
    }
}

impl From<Recipients> for Vec<Recipient> {
    fn from(recipients: Recipients) -> Self {
        recipients.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Bulk, HttpUrl};

    fn bulk(recipients: usize) -> Result<Bulk, serde_json::Error> {
        let emails: Vec<_> = (0..recipients)
            .map(|n| json!({"name": format!("Signer {n}"), "email": format!("s{n}@example.com")}))
            .collect();
        serde_json::from_value(json!({"emails": emails, "documentTitle": "", "message": "Hello"}))
    }

    #[test]
    fn many_recipients_are_split_into_jobs_of_100_without_loss() {
        let jobs = bulk(250).unwrap().split();
        let sizes: Vec<_> = jobs.iter().map(|job| job.emails.len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
        assert_eq!(jobs[2].emails[49].email.as_str(), "s249@example.com");
        assert!(jobs.iter().all(|job| job.message.is_some()));
    }

    #[test]
    fn address_repeated_in_another_case_gets_one_mail() {
        let mut emails: Vec<_> = (0..250)
            .map(|n| json!({"name": "Ann", "email": format!("s{n}@example.com")}))
            .collect();
        emails.push(json!({"name": "Ann again", "email": "S0@Example.com"}));
        emails.insert(120, json!({"name": "Ann again", "email": "s5@example.com"}));
        let bulk: Bulk = serde_json::from_value(json!({"emails": emails})).unwrap();
        assert_eq!(bulk.emails.len(), 250);
        assert_eq!(bulk.emails[0].name.as_str(), "Ann");
    }

    #[test]
    fn no_recipients_and_too_many_recipients_are_refused() {
        assert!(bulk(0).is_err());
        assert!(bulk(10_000).is_ok());
        assert!(bulk(10_001).is_err());
    }

    #[test]
    fn members_omitted_by_the_web_app_get_defaults() {
        let bulk = bulk(1).unwrap();
        let app = HttpUrl::parse("https://app.example.com").unwrap();
        let invitation = bulk.invitation(&bulk.emails[0], &app);
        assert_eq!(invitation.body.document_title.as_str(), "Document");
        assert_eq!(invitation.body.sender_name.as_str(), "SignTusk");
        assert_eq!(
            invitation.body.signature_url.as_str(),
            "https://app.example.com/sign/?signer=s0%40example.com"
        );
    }
}
