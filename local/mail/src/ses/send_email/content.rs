//! The content of a mail, from either form that SES accepts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::header;
use super::request::{self, Pair, Simple, Text};
use crate::mail::Header;
use crate::ses::refusal::{Code, Refusal};

/// The largest mail, in bytes and after base64:
/// <https://docs.aws.amazon.com/ses/latest/dg/quotas.html#limits-message>.
const MAX_MESSAGE: usize = 40 * 1024 * 1024;

/// A mail without its envelope.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) subject: String,
    pub(crate) html: String,
    pub(crate) text: String,
    pub(crate) headers: Vec<Header>,
    pub(crate) attachments: Vec<String>,
    /// The envelope in the headers of a raw mail.
    pub(crate) written: Written,
}

/// Addresses in the headers of a raw mail; they apply if the request names none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) from: Option<String>,
    pub(crate) to: Vec<String>,
    pub(crate) cc: Vec<String>,
    pub(crate) bcc: Vec<String>,
}

impl Content {
    /// Validates and parses the form that is present.
    pub(crate) fn parse(content: request::Content) -> Result<Self, Refusal> {
        match (content.simple, content.raw, content.template) {
            (Some(simple), None, None) => Self::from_simple(simple),
            (None, Some(raw), None) => super::raw::parse(&decoded("Content.Raw.Data", &raw.data)?),
            (None, None, Some(template)) => {
                let name = template.template_name.unwrap_or_default();
                Err(Code::NotFound.because(format!("Template {name} does not exist.")))
            }
            _ => Err(Code::BadRequest
                .because("Content must have exactly one of Simple, Raw and Template.")),
        }
    }

    fn from_simple(simple: Simple) -> Result<Self, Refusal> {
        let size = check_size(&simple)?;
        check_length(size)?;
        let subject = as_sent("Subject", simple.subject)?;
        if subject.chars().any(char::is_control) {
            return Err(Code::BadRequest.because("Subject contains control characters."));
        }
        if simple.body.html.is_none() && simple.body.text.is_none() {
            return Err(Code::BadRequest.because("Body must have at least one of Text and Html."));
        }
        let headers: Vec<Header> = simple.headers.into_iter().map(Header::from).collect();
        header::check_added(&headers)?;
        Ok(Self {
            subject,
            html: part("Html", simple.body.html)?,
            text: part("Text", simple.body.text)?,
            headers,
            attachments: simple
                .attachments
                .into_iter()
                .map(|file| file.file_name)
                .collect(),
            written: Written::default(),
        })
    }
}

impl From<Pair> for Header {
    fn from(Pair { name, value }: Pair) -> Self {
        Self { name, value }
    }
}

/// Rejects a mail that is too long for SES.
pub(crate) fn check_length(size: usize) -> Result<(), Refusal> {
    if size > MAX_MESSAGE {
        return Err(Code::MessageRejected.because(format!(
            "Message length is more than {MAX_MESSAGE} bytes long: '{size}'."
        )));
    }
    Ok(())
}

/// Returns the approximate size of the MIME that SES builds: the parts unchanged, attachments in base64.
fn check_size(simple: &Simple) -> Result<usize, Refusal> {
    let mut size = simple.subject.data.len();
    size += [&simple.body.html, &simple.body.text]
        .into_iter()
        .flatten()
        .map(|text| text.data.len())
        .sum::<usize>();
    for file in &simple.attachments {
        decoded("Attachment.RawContent", &file.raw_content)?;
        size += file.raw_content.len();
    }
    Ok(size)
}

fn part(what: &str, text: Option<Text>) -> Result<String, Refusal> {
    text.map_or(Ok(String::new()), |text| as_sent(what, text))
}

/// Returns the text as it is sent: without a character set SES sends seven bits, and other characters become `?`.
fn as_sent(what: &str, text: Text) -> Result<String, Refusal> {
    match text.charset.as_deref() {
        None => Ok(seven_bits(&text.data)),
        Some(set) if set.eq_ignore_ascii_case("us-ascii") => Ok(seven_bits(&text.data)),
        Some(set)
            if KNOWN_SETS
                .iter()
                .any(|known| set.eq_ignore_ascii_case(known)) =>
        {
            Ok(text.data)
        }
        Some(set) => {
            Err(Code::BadRequest.because(format!("{what} has the unknown charset '{set}'.")))
        }
    }
}

/// Character sets of SES's documentation. Text in sets other than UTF-8 is stored unchanged.
const KNOWN_SETS: &[&str] = &["utf-8", "iso-8859-1", "shift_jis"];

fn seven_bits(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_ascii() { character } else { '?' })
        .collect()
}

fn decoded(what: &str, base64: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD
        .decode(base64)
        .map_err(|error| Code::Serialization.because(format!("{what} is not base64: {error}")))
}
