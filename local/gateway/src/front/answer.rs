//! Converts a function's result to an HTTP response by the rules of payload format 2.0. A result without `statusCode`
//! is the body of a 200. Any other result states each part itself.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;

use crate::listening::Answer;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Structured {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Returns the response; none if the result is invalid: API Gateway then answers 500.
pub(super) fn build(result: &[u8]) -> Option<Answer> {
    let value: Value = serde_json::from_slice(result).ok()?;
    if value.get("statusCode").is_none() {
        return Some(inferred(value));
    }
    structured(serde_json::from_value(value).ok()?)
}

fn inferred(value: Value) -> Answer {
    let body = match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    answer
}

fn structured(result: Structured) -> Option<Answer> {
    let status = StatusCode::from_u16(result.status_code)
        .ok()
        .filter(|status| status.as_u16() >= 200)?;
    let body = match result.body {
        Some(text) if result.is_base64_encoded => STANDARD.decode(text).ok()?,
        Some(text) => text.into_bytes(),
        None => Vec::new(),
    };
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = status;
    for (name, value) in result.headers.unwrap_or_default() {
        let name: HeaderName = name.parse().ok()?;
        if is_ours(&name) {
            continue;
        }
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_str(&plain(&value)?).ok()?);
    }
    for cookie in result.cookies.unwrap_or_default() {
        answer
            .headers_mut()
            .append(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
    }
    if !body.is_empty() && !answer.headers().contains_key(header::CONTENT_TYPE) {
        answer.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
    }
    *answer.body_mut() = Full::new(Bytes::from(body));
    Some(answer)
}

/// Returns whether the connection to the client determines this header, not the function.
fn is_ours(name: &HeaderName) -> bool {
    [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ]
    .contains(name)
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn result_without_status_is_the_body_of_a_200() {
        let answer = build(br#"{"a":1}"#).unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(
            answer.into_body().collect().await.unwrap().to_bytes(),
            r#"{"a":1}"#
        );
    }

    #[tokio::test]
    async fn structured_result_sets_status_headers_cookies_and_body() {
        let result = br#"{"statusCode":201,"headers":{"X-N":7},"cookies":["a=1","b=2"],"body":"aGk=","isBase64Encoded":true}"#;
        let answer = build(result).unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["x-n"], "7");
        assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hi");
    }

    #[test]
    fn malformed_result_is_refused() {
        for result in [
            "",
            "{",
            r#"{"statusCode":"x"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":1000}"#,
            r#"{"statusCode":200,"body":{}}"#,
            r#"{"statusCode":200,"body":"?","isBase64Encoded":true}"#,
            r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
            r#"{"statusCode":200,"headers":{"a":"b\nc"}}"#,
        ] {
            assert!(build(result.as_bytes()).is_none(), "{result}");
        }
    }
}
