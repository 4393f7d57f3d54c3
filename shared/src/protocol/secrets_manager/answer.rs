//! The answer of Secrets Manager, and the entries of the secret.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Error, not_answered};
use crate::base::secret::Secret;

/// The largest answer that is read, in bytes. A secret holds 64 KB, and JSON escapes can multiply its size.
const MAX_ANSWER: usize = 512 << 10;

/// The longest name of an exception or an entry that is printed.
const MAX_NAME_LEN: usize = 64;

/// The used members of the answer to `GetSecretValue`.
#[derive(Deserialize)]
struct Taken {
    #[serde(rename = "SecretString")]
    text: Option<String>,
}

/// The answer to a rejected call.
#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    code: String,
}

/// Returns the body of an answer; a rejection is an error.
pub(super) async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| not_answered(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Error::NotAnswered("the answer is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    if answer.status().is_success() {
        return Ok(body);
    }
    Err(Error::Refused {
        status: answer.status().as_u16(),
        code: exception(&body).unwrap_or_else(|| "without a reason".to_owned()),
    })
}

/// Returns the name of the exception, without the namespace that some answers add.
fn exception(body: &[u8]) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let name = refusal.code.rsplit('#').next()?;
    is_name(name).then(|| name.to_owned())
}

/// Returns the entries of the secret: the members of its JSON object, which must be strings.
pub(super) fn entries(answer: &[u8]) -> Result<BTreeMap<String, Secret>, Error> {
    // The parser's own message may quote the secret, so it is dropped.
    let taken: Taken =
        serde_json::from_slice(answer).map_err(|_| Error::NotAnswered("the answer is not JSON"))?;
    let text = taken.text.ok_or_else(|| unusable("it holds no text"))?;
    let members: BTreeMap<String, Value> =
        serde_json::from_str(&text).map_err(|_| unusable("it is not a JSON object"))?;
    members
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, Secret::new(text))),
            _ if is_name(&name) => Err(unusable(&format!("its member {name} is not a string"))),
            _ => Err(unusable("one of its members is not a string")),
        })
        .collect()
}

fn unusable(reason: &str) -> Error {
    Error::Unusable(reason.to_owned())
}

/// Returns whether a text may be printed as a name: letters, digits and underscores, and too short to be a misplaced
/// secret.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_LEN).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{entries, exception};

    /// Returns the error of `entries` as text.
    fn refusal(answer: &str) -> String {
        entries(answer.as_bytes()).unwrap_err().to_string()
    }

    fn holding(secret: &str) -> String {
        json!({ "ARN": "arn", "SecretString": secret }).to_string()
    }

    #[test]
    fn secret_members_become_entries() {
        let found = entries(holding(r#"{"A": "1", "B": ""}"#).as_bytes()).unwrap();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        assert_eq!(found, [("A", "1"), ("B", "")]);
    }

    #[test]
    fn member_that_is_not_a_string_is_refused_by_name() {
        for value in ["7", "null", "true", "[\"hush\"]", "{\"hush\":\"hush\"}"] {
            let message = refusal(&holding(&format!("{{\"A\": \"1\", \"TOKEN_B\": {value}}}")));
            assert!(
                message.ends_with("its member TOKEN_B is not a string"),
                "{message}"
            );
        }
    }

    #[test]
    fn error_does_not_quote_the_secret() {
        for secret in [
            "hush",
            "\"hush\"",
            "[\"hush\"]",
            "{\"A\": \"hush\"",
            "{\"A\": hush}",
            "{\"hush, hush\": 1}",
        ] {
            let message = refusal(&holding(secret));
            assert!(!message.contains("hush"), "{message}");
            assert!(message.contains("SECRETS_ARN"), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn secret_without_text_is_refused() {
        let message = refusal(r#"{"SecretBinary": "aHVzaA=="}"#);
        assert!(message.ends_with("it holds no text"), "{message}");
        assert!(refusal("<html>").ends_with("the answer is not JSON"));
    }

    #[test]
    fn error_repeats_only_the_exception_name() {
        let of = |body: &str| exception(body.as_bytes());
        assert_eq!(
            of(r#"{"__type": "ResourceNotFoundException", "Message": "arn:..."}"#).unwrap(),
            "ResourceNotFoundException"
        );
        assert_eq!(
            of(r#"{"__type": "com.amazonaws.x#AccessDeniedException"}"#).unwrap(),
            "AccessDeniedException"
        );
        assert_eq!(of(r#"{"__type": "line\nbreak"}"#), None);
        assert_eq!(of("<html>"), None);
    }
}
