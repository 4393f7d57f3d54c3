//! Decides which bodies are text in an event; all others are base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Returns a body as an event's `body` member, and whether it is base64.
pub(super) fn body(content_type: &str, body: &[u8]) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    match std::str::from_utf8(body) {
        Ok(text) if is_text(content_type) => (Some(text.to_owned()), false),
        _ => (Some(STANDARD.encode(body)), true),
    }
}

fn is_text(content_type: &str) -> bool {
    let media = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let Some((kind, subtype)) = media.split_once('/') else {
        return false;
    };
    let textual = matches!(
        subtype,
        "json" | "xml" | "javascript" | "x-www-form-urlencoded"
    );
    kind == "text"
        || (kind == "application" && textual)
        || subtype.ends_with("+json")
        || subtype.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_body_is_encoded_in_base64() {
        assert_eq!(
            body("application/json; charset=utf-8", b"{}"),
            (Some("{}".to_owned()), false)
        );
        assert_eq!(
            body("application/problem+json", b"{}"),
            (Some("{}".to_owned()), false)
        );
        assert_eq!(body("TEXT/plain", b"a"), (Some("a".to_owned()), false));
        assert_eq!(
            body("application/pdf", b"a"),
            (Some("YQ==".to_owned()), true)
        );
        assert_eq!(body("", b"a"), (Some("YQ==".to_owned()), true));
        assert_eq!(
            body("application/json", b"\xff"),
            (Some("/w==".to_owned()), true)
        );
        assert_eq!(body("application/pdf", b""), (None, false));
    }
}
