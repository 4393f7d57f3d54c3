//! The headers that a sender may add, and those of a raw mail.
//!
//! Names, values and lengths: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html>. Headers
//! that may appear only once: <https://docs.aws.amazon.com/ses/latest/dg/header-fields.html>.

use std::collections::HashSet;

use crate::mail::Header;
use crate::ses::refusal::{Code, Refusal};

/// The maximum number of headers that `Simple` content may add.
const MAX_HEADERS: usize = 15;
const MAX_NAME: usize = 126;
/// The longest name and value together, so that the line with `: ` between them has at most RFC 5322's 998 octets.
const MAX_TOGETHER: usize = 996;

/// Headers that SES writes itself for `Simple` content.
const RESERVED: &[&str] = &[
    "bcc",
    "cc",
    "content-disposition",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// Headers that may appear once in a mail.
const SINGLE: &[&str] = &[
    "accept-language",
    "acceptlanguage",
    "archived-at",
    "auto-submitted",
    "bounces-to",
    "comments",
    "content-alternative",
    "content-base",
    "content-class",
    "content-description",
    "content-disposition",
    "content-duration",
    "content-id",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-transfer-encoding",
    "content-type",
    "date",
    "delivered-to",
    "disposition-notification-options",
    "disposition-notification-to",
    "dkim-signature",
    "domainkey-signature",
    "errors-to",
    "from",
    "importance",
    "in-reply-to",
    "keywords",
    "list-archive",
    "list-help",
    "list-id",
    "list-owner",
    "list-post",
    "list-subscribe",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "message-context",
    "message-id",
    "mime-version",
    "organization",
    "original-from",
    "original-message-id",
    "original-recipient",
    "original-subject",
    "precedence",
    "priority",
    "references",
    "reply-to",
    "return-path",
    "return-receipt-to",
    "sender",
    "sensitivity",
    "solicitation",
    "subject",
    "thread-index",
    "thread-topic",
    "user-agent",
    "vbr-info",
];

/// Checks the headers that `Simple` content adds.
pub(crate) fn check_added(headers: &[Header]) -> Result<(), Refusal> {
    if headers.len() > MAX_HEADERS {
        return Err(bad(format!("At most {MAX_HEADERS} headers can be added.")));
    }
    for Header { name, value } in headers {
        check_name(name)?;
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(bad(format!("Header {name} is reserved.")));
        }
        if value.is_empty() || !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(bad(format!(
                "Header {name} has illegal characters in its value."
            )));
        }
        if name.len() + value.len() > MAX_TOGETHER {
            return Err(bad(format!(
                "Header {name} is longer than {MAX_TOGETHER} characters."
            )));
        }
    }
    check_single(headers)
}

/// Rejects a repeated header that may appear only once.
pub(crate) fn check_single(headers: &[Header]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for Header { name, .. } in headers {
        let lower = name.to_ascii_lowercase();
        if SINGLE.contains(&lower.as_str()) && !seen.insert(lower) {
            return Err(bad(format!("Duplicate header '{name}'.")));
        }
    }
    Ok(())
}

/// Rejects a name that is empty, too long or has invalid characters.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |byte: u8| matches!(byte, b'!'..=b'9' | b';'..=b'~');
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(legal) {
        return Err(bad("A header has an illegal name.".to_owned()));
    }
    Ok(())
}

fn bad(message: String) -> Refusal {
    Code::BadRequest.because(message)
}

#[cfg(test)]
mod tests {
    use super::check_added;
    use crate::mail::Header;

    fn header(name: &str, value: &str) -> Header {
        Header {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn header_up_to_the_limit_is_accepted() {
        let fits = "x".repeat(996 - "X-Note".len());
        check_added(&[
            header("X-Note", &fits),
            header("X-Note", "again"),
            header("List-Unsubscribe", "<https://a.b>"),
        ])
        .unwrap();
    }

    #[test]
    fn invalid_header_is_refused() {
        let long = "x".repeat(997 - "X-Note".len());
        for headers in [
            vec![header("", "x")],
            vec![header("X Note", "x")],
            vec![header("X:Note", "x")],
            vec![header("X-Nöte", "x")],
            vec![header(&"X".repeat(127), "x")],
            vec![header("X-Note", "")],
            vec![header("X-Note", "a\r\nBcc: x@y.z")],
            vec![header("X-Note", "ü")],
            vec![header("X-Note", &long)],
            vec![header("subject", "again")],
            vec![
                header("List-Unsubscribe", "<a>"),
                header("list-unsubscribe", "<b>"),
            ],
            (0..16).map(|n| header(&format!("X-{n}"), "x")).collect(),
        ] {
            assert!(check_added(&headers).is_err(), "{headers:?} were taken");
        }
    }
}
