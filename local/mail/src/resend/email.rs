//! One mail of a request, validated field by field as at Resend.

use uuid::Uuid;

use super::refusal::{Code, Refusal};
use super::request::{Attachment, OneOrMany, Pair, Request};
use crate::account::Account;
use crate::address::Address;
use crate::clock;
use crate::mail::{Header, Mail, Provider, Tag};

/// The maximum number of recipients in `to`: <https://resend.com/docs/api-reference/emails/send-email>.
const MAX_RECIPIENTS: usize = 50;

/// The maximum number of tags, and the longest name or value: <https://resend.com/docs/dashboard/emails/tags>.
const MAX_TAGS: usize = 75;
const MAX_TAG: usize = 256;

/// The shared domain that every account may send from.
const ONBOARDING: &str = "resend.dev";

/// Returns all recipients of a request as plain addresses, without invalid ones.
pub(super) fn recipients(request: &Request) -> impl Iterator<Item = Address> {
    [&request.to, &request.cc, &request.bcc]
        .into_iter()
        .flat_map(OneOrMany::as_slice)
        .filter_map(|recipient| Address::parse(recipient).ok())
}

/// Returns the mail of a valid request.
pub(super) fn checked(account: &Account, request: Request) -> Result<Mail, Refusal> {
    let from = present("from", request.from)?;
    let to = addresses("to", request.to)?;
    if to.is_empty() {
        return Err(missing("to"));
    }
    if to.len() > MAX_RECIPIENTS {
        return Err(invalid("to", "at most 50 recipients are allowed"));
    }
    let subject = present("subject", request.subject)?;
    if subject.contains(['\r', '\n']) {
        return Err(invalid("subject", "line breaks are not allowed"));
    }
    if request.html.is_none() && request.text.is_none() {
        return Err(Code::MissingRequiredField.because("Missing `html` or `text` field."));
    }
    if request.scheduled_at.is_some() {
        return Err(invalid("scheduled_at", "nothing is sent later here"));
    }
    check_sender(account, &from)?;
    Ok(Mail {
        id: Uuid::new_v4().to_string(),
        provider: Provider::Resend,
        to,
        cc: addresses("cc", request.cc)?,
        bcc: addresses("bcc", request.bcc)?,
        from,
        reply_to: reply_to(request.reply_to)?,
        subject,
        html: request.html.unwrap_or_default(),
        text: request.text.unwrap_or_default(),
        headers: headers(request.headers.unwrap_or_default())?,
        attachments: attachments(request.attachments.unwrap_or_default())?,
        tags: tags(request.tags.unwrap_or_default())?,
        configuration_set: None,
        idempotency_key: None,
        at: clock::now(),
    })
}

/// Checks that the sender's domain is verified itself: at Resend, a domain does not cover its subdomains.
fn check_sender(account: &Account, from: &str) -> Result<(), Refusal> {
    let sender = Address::parse(from).map_err(|_| {
        Code::InvalidFromAddress.because(
            "Invalid `from` field. The email address needs to follow the `email@example.com` or \
             `Name <email@example.com>` format.",
        )
    })?;
    let domain = sender.domain().to_ascii_lowercase();
    if domain == ONBOARDING || account.verified.contains(&domain) {
        return Ok(());
    }
    Err(Code::DomainNotVerified.because(format!(
        "The {domain} domain is not verified. Please, add and verify your domain on https://resend.com/domains"
    )))
}

fn addresses(field: &str, given: OneOrMany) -> Result<Vec<String>, Refusal> {
    let plain = |address: String| match Address::parse(&address) {
        Ok(plain) => Ok(plain.as_str().to_owned()),
        Err(illegal) => Err(invalid(field, &illegal.to_string())),
    };
    given.list().into_iter().map(plain).collect()
}

fn reply_to(given: OneOrMany) -> Result<Vec<String>, Refusal> {
    let addresses = given.list();
    for address in &addresses {
        Address::parse(address).map_err(|illegal| invalid("reply_to", &illegal.to_string()))?;
    }
    Ok(addresses)
}

fn headers(given: std::collections::BTreeMap<String, String>) -> Result<Vec<Header>, Refusal> {
    let header = |(name, value): (String, String)| {
        let legal = |byte: u8| byte.is_ascii_graphic() && byte != b':';
        if name.is_empty() || !name.bytes().all(legal) || value.contains(['\r', '\n']) {
            return Err(invalid("headers", "a header has an illegal name or value"));
        }
        Ok(Header { name, value })
    };
    given.into_iter().map(header).collect()
}

fn attachments(given: Vec<Attachment>) -> Result<Vec<String>, Refusal> {
    let name = |file: Attachment| {
        if file.content.is_none() && file.path.is_none() {
            return Err(Code::InvalidAttachment.into());
        }
        Ok(file.filename.unwrap_or_else(|| "unnamed".to_owned()))
    };
    given.into_iter().map(name).collect()
}

fn tags(given: Vec<Pair>) -> Result<Vec<Tag>, Refusal> {
    if given.len() > MAX_TAGS {
        return Err(invalid("tags", "at most 75 tags are allowed"));
    }
    let legal = |text: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        text.len() <= MAX_TAG && text.bytes().all(known)
    };
    let tag = |Pair { name, value }: Pair| {
        if name.is_empty() || !legal(&name) || !legal(&value) {
            return Err(Code::InvalidField.because(
                "Tags should only contain ASCII letters, numbers, underscores, or dashes, and at most 256 of them.",
            ));
        }
        Ok(Tag { name, value })
    };
    given.into_iter().map(tag).collect()
}

fn present(field: &str, value: Option<String>) -> Result<String, Refusal> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| missing(field))
}

fn missing(field: &str) -> Refusal {
    Code::MissingRequiredField.because(format!("Missing `{field}` field."))
}

fn invalid(field: &str, why: &str) -> Refusal {
    Code::InvalidField.because(format!("Invalid `{field}` field: {why}"))
}
