//! A mail that the caller built: RFC 5322 and MIME.
//!
//! SES's requirements: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_RawMessage.html>.

use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use super::content::{Content, Written, check_length};
use super::header;
use crate::mail::Header;
use crate::ses::refusal::{Code, Refusal};

/// The longest line, without its line break (RFC 5322 section 2.1.1).
const MAX_LINE: usize = 998;

/// Headers that a mail has as members, or that only transport it.
const NOT_SHOWN: &[&str] = &[
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// Validates and parses a raw mail.
pub(crate) fn parse(raw: &[u8]) -> Result<Content, Refusal> {
    check_length(raw.len())?;
    check_lines(raw)?;
    let message = MessageParser::default()
        .parse(raw)
        .ok_or_else(|| Code::MessageRejected.because("Message has no headers."))?;
    let headers = headers(&message);
    for header in &headers {
        header::check_name(&header.name)?;
    }
    header::check_single(&headers)?;
    Ok(Content {
        subject: message.subject().unwrap_or_default().to_owned(),
        html: body(&message, true),
        text: body(&message, false),
        attachments: message
            .attachments()
            .map(|part| part.attachment_name().unwrap_or("unnamed").to_owned())
            .collect(),
        written: written(&message),
        headers: headers.into_iter().filter(is_shown).collect(),
    })
}

fn check_lines(raw: &[u8]) -> Result<(), Refusal> {
    let too_long = raw
        .split(|byte| *byte == b'\n')
        .any(|line| line.strip_suffix(b"\r").unwrap_or(line).len() > MAX_LINE);
    if too_long {
        return Err(Code::MessageRejected.because(format!(
            "Message has a line of more than {MAX_LINE} octets."
        )));
    }
    Ok(())
}

fn headers(message: &Message<'_>) -> Vec<Header> {
    message
        .headers_raw()
        .map(|(name, value)| Header {
            name: name.to_owned(),
            value: unfolded(value),
        })
        .collect()
}

fn unfolded(value: &str) -> String {
    value.replace(['\r', '\n'], "").trim().to_owned()
}

fn is_shown(header: &Header) -> bool {
    !NOT_SHOWN.contains(&header.name.to_ascii_lowercase().as_str())
}

/// Returns the first body that really is HTML or text: neither is generated from the other.
fn body(message: &Message<'_>, wants_html: bool) -> String {
    message
        .html_bodies()
        .chain(message.text_bodies())
        .find_map(|part| match &part.body {
            PartType::Html(html) if wants_html => Some(html.clone().into_owned()),
            PartType::Text(text) if !wants_html => Some(text.clone().into_owned()),
            _ => None,
        })
        .unwrap_or_default()
}

fn written(message: &Message<'_>) -> Written {
    Written {
        from: message.header_raw("From").map(unfolded),
        to: plain(message.to()),
        cc: plain(message.cc()),
        bcc: plain(message.bcc()),
    }
}

fn plain(list: Option<&Address<'_>>) -> Vec<String> {
    list.into_iter()
        .flat_map(Address::iter)
        .filter_map(|mailbox| mailbox.address())
        .map(str::to_owned)
        .collect()
}
