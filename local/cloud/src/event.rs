//! Sample events, prepared for the running cloud: tokens filled in, and signed as the real sender signs.
//!
//! An event in a file cannot be signed, because signatures name an address and expire after minutes. The file has
//! placeholders in the signature headers, and [`ready`] replaces them:
//!
//! - a word of a header that is the name of a variable becomes the variable's value (`Bearer API_TOKEN`);
//! - `upstash-signature` is signed as QStash signs a delivery;
//! - `svix-signature` and `svix-timestamp` are those of a Resend webhook;
//! - with `x-amz-sns-message-id`, the body becomes the message of a signed SNS notification;
//! - a `token` in the query that is a ledger key (64 hex digits) becomes the token of that mail's link.

use std::collections::BTreeMap;

use jiff::Timestamp;
use local_mail::events::{sns, svix};
use serde_json::{Map, Value};
use shared::base::secret::Secret;
use shared::protocol::mail::EmailAddress;
use shared::service::mail::unsubscribe::Tokens;

/// Why an event cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not an event of API Gateway's HTTP API (payload format 2.0).
    #[error("not an event of API Gateway's HTTP API: it lacks {0}")]
    NotAnEvent(&'static str),
    /// The running cloud does not set this variable.
    #[error("the local cloud does not set the variable {0}")]
    NoVariable(&'static str),
    /// A key of the local cloud cannot sign it.
    #[error("the event cannot be signed: {0}")]
    Signing(String),
}

/// Returns the event as its sender would send it at `now` to the cloud with these variables.
pub fn ready(
    mut event: Value,
    variables: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<Value, Error> {
    let path = event["rawPath"]
        .as_str()
        .ok_or(Error::NotAnEvent("rawPath"))?
        .to_owned();
    let body = event["body"].as_str().unwrap_or_default().to_owned();
    let headers = event["headers"]
        .as_object_mut()
        .ok_or(Error::NotAnEvent("headers"))?;
    name_values(headers, variables);
    let variable = |name| variables.get(name).ok_or(Error::NoVariable(name));
    if headers.contains_key("upstash-signature") {
        let url = format!("{}{path}", variable("FUNCTIONS_URL")?);
        let key = variable("QSTASH_CURRENT_SIGNING_KEY")?;
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let token = local_qstash::signature(key, &url, body.as_bytes(), millis)
            .map_err(|error| Error::Signing(error.to_string()))?;
        headers.insert("upstash-signature".into(), token.into());
    }
    if headers.contains_key("svix-signature") {
        svix(headers, variable("RESEND_WEBHOOK_SECRET")?, &body, now)?;
    }
    if headers.contains_key("x-amz-sns-message-id") {
        event["body"] = notification(headers, variable("AWS_ENDPOINT_URL_SNS")?, &body)?.into();
    }
    let key = event["queryStringParameters"]["token"].as_str();
    if let Some(token) = key.and_then(|key| token(variables.get("TICKET_SECRET")?, key)) {
        event["rawQueryString"] = format!("token={token}").into();
        event["queryStringParameters"]["token"] = token.into();
    }
    Ok(event)
}

/// Replaces names of variables in headers by their values.
fn name_values(headers: &mut Map<String, Value>, variables: &BTreeMap<String, String>) {
    for value in headers.values_mut() {
        let words = value.as_str().unwrap_or_default().split(' ');
        let words: Vec<&str> = words
            .map(|word| variables.get(word).map_or(word, String::as_str))
            .collect();
        *value = words.join(" ").into();
    }
}

fn svix(
    headers: &mut Map<String, Value>,
    secret: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let failed = |error: svix::BadSecret| Error::Signing(error.to_string());
    let id = headers
        .get("svix-id")
        .and_then(Value::as_str)
        .ok_or(Error::NotAnEvent("svix-id"))?;
    let signature = svix::Key::parse(secret)
        .and_then(|key| key.sign(id, now.as_second(), body.as_bytes()))
        .map_err(failed)?;
    headers.insert("svix-signature".into(), signature.into());
    headers.insert("svix-timestamp".into(), now.as_second().to_string().into());
    Ok(())
}

/// Returns the body of a notification with this text, and adds its headers.
fn notification(
    headers: &mut Map<String, Value>,
    origin: &str,
    text: &str,
) -> Result<String, Error> {
    let message = sns::Signer::new(origin)
        .and_then(|signer| signer.notification(text))
        .map_err(|error| Error::Signing(error.to_string()))?;
    for (name, value) in message.headers() {
        headers.insert(name.to_owned(), value.into());
    }
    Ok(message.body())
}

/// Returns the token for the link of a mail with this ledger key; none if the text is not a key.
fn token(secret: &str, key: &str) -> Option<String> {
    let tokens = Tokens::new(vec![Secret::new(secret.to_owned())], "");
    let recipient = EmailAddress::parse("somebody@example.com").ok()?;
    let link = tokens.link(key, &recipient)?;
    link.split_once("token=").map(|(_, token)| token.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::{Error, ready};

    fn readied(headers: &Value, body: &str) -> Result<Value, Error> {
        let variables = [
            ("API_TOKEN", "secret token"),
            ("FUNCTIONS_URL", "http://localhost:3000"),
            ("QSTASH_CURRENT_SIGNING_KEY", "sig_key"),
            (
                "RESEND_WEBHOOK_SECRET",
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ),
            ("AWS_ENDPOINT_URL_SNS", "http://localhost:1"),
        ];
        let variables: BTreeMap<String, String> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let event = json!({ "rawPath": "/api/x", "headers": headers, "body": body });
        ready(event, &variables, "2021-02-25T15:02:10Z".parse().unwrap())
    }

    #[test]
    fn header_gets_the_value_of_its_variable() {
        let headers = json!({ "authorization": "Bearer API_TOKEN", "accept": "API_TOKENS" });
        let event = readied(&headers, "").unwrap();
        assert_eq!(event["headers"]["authorization"], "Bearer secret token");
        assert_eq!(event["headers"]["accept"], "API_TOKENS");
    }

    #[test]
    fn resend_webhook_has_the_documented_signature() {
        let headers = json!({ "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "svix-signature": "" });
        let event = readied(&headers, "{\"test\": 2432232314}").unwrap();
        assert_eq!(event["headers"]["svix-timestamp"], "1614265330");
        assert_eq!(
            event["headers"]["svix-signature"],
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn notification_text_becomes_its_message() {
        let headers = json!({ "x-amz-sns-message-id": "" });
        let event = readied(&headers, "{\"eventType\":\"Send\"}").unwrap();
        let message: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        assert_eq!(message["Message"], "{\"eventType\":\"Send\"}");
        assert_eq!(
            event["headers"]["x-amz-sns-message-id"],
            message["MessageId"]
        );
    }

    #[test]
    fn event_without_signature_headers_is_unchanged() {
        let event = readied(&json!({ "accept": "*/*" }), "{}").unwrap();
        assert_eq!(event["headers"], json!({ "accept": "*/*" }));
        assert_eq!(event["body"], "{}");
        assert!(matches!(
            readied(&Value::Null, ""),
            Err(Error::NotAnEvent("headers"))
        ));
    }
}
