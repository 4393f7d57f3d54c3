//! A mail as Resend's JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::protocol::mail::{EmailAddress, LEDGER_TAG, Mail};

/// The body of `POST /emails`. Its members come in a fixed order, headers in that of their names.
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

/// A word that the events of the mail bring back.
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
