//! The JSON request of `SendEmail`.
//!
//! Members: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_RequestSyntax>.
//! Other members are ignored.

use serde::Deserialize;

/// The whole body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    pub(crate) from_email_address: Option<String>,
    pub(crate) destination: Option<Destination>,
    #[serde(default)]
    pub(crate) reply_to_addresses: Vec<String>,
    pub(crate) feedback_forwarding_email_address: Option<String>,
    pub(crate) content: Content,
    #[serde(default)]
    pub(crate) email_tags: Vec<Pair>,
    pub(crate) configuration_set_name: Option<String>,
}

/// The recipients of the mail.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Destination {
    #[serde(rename = "ToAddresses")]
    pub(crate) to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    pub(crate) cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    pub(crate) bcc: Vec<String>,
}

/// The content. Exactly one member is present.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Content {
    pub(crate) simple: Option<Simple>,
    pub(crate) raw: Option<Raw>,
    pub(crate) template: Option<Template>,
}

/// Subject and bodies; SES builds the MIME.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Simple {
    pub(crate) subject: Text,
    pub(crate) body: Body,
    #[serde(default)]
    pub(crate) headers: Vec<Pair>,
    #[serde(default)]
    pub(crate) attachments: Vec<Attachment>,
}

/// The parts of a simple mail.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Body {
    pub(crate) text: Option<Text>,
    pub(crate) html: Option<Text>,
}

/// Text with its character set for sending.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Text {
    pub(crate) data: String,
    pub(crate) charset: Option<String>,
}

/// A file, in base64.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attachment {
    pub(crate) raw_content: String,
    pub(crate) file_name: String,
}

/// A whole MIME message, in base64.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Raw {
    pub(crate) data: String,
}

/// A template of the account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Template {
    pub(crate) template_name: Option<String>,
}

/// A header or a tag.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Request {
    /// Returns every recipient of the request, unchanged.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = &str> {
        self.destination
            .iter()
            .flat_map(|named| [&named.to, &named.cc, &named.bcc])
            .flatten()
            .map(String::as_str)
    }
}
