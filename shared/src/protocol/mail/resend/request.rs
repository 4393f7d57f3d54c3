//! A mail in Resend's JSON format.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::protocol::mail::{EmailAddress, LEDGER_TAG, Mail};

/// The body of `POST /emails`. Its members have a fixed order, and its headers are sorted by name.
#[derive(Debug, Serialize)]
pub(super) struct Email<'a> {
    from: String,
    to: [&'a str; 1],
    subject: &'a str,
    html: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a str>,
    headers: BTreeMap<&'a str, &'a str>,
    tags: [Tag<'a>; 1],
}

/// A tag, which the events of the mail return.
#[derive(Debug, Serialize)]
struct Tag<'a> {
    name: &'static str,
    value: &'a str,
}

impl<'a> Email<'a> {
    pub(super) fn new(mail: &'a Mail, key: &'a str) -> Self {
        let headers = mail.headers.iter();
        Self {
            from: mail.from.in_unicode(),
            to: [mail.to.as_str()],
            subject: &mail.subject,
            html: &mail.html,
            text: &mail.text,
            reply_to: mail.reply_to.as_ref().map(EmailAddress::as_str),
            headers: headers
                .map(|(name, value)| (*name, value.as_str()))
                .collect(),
            tags: [Tag {
                name: LEDGER_TAG,
                value: key,
            }],
        }
    }
}
