//! Typed input: a fully read body or query string, or the problem that says which field is invalid.

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{FieldError, Problem};
use crate::base::json;
use crate::base::pointer::pointer;

/// A JSON body, with its raw bytes.
#[derive(Clone, Debug)]
pub struct Json<T> {
    /// The parsed value.
    pub value: T,
    /// The raw body, for fingerprints.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !says_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Content-Type must be application/json.",
            ));
        }
        let Raw(bytes) = Raw::from_request(request, state).await?;
        let value = fit(object(&document(&bytes)?)?)?;
        Ok(Self { value, bytes })
    }
}

/// A raw body, for handlers that verify a signature: signatures cover bytes.
#[derive(Clone, Debug)]
pub struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_plain(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_content_encoding",
                "Send the body uncompressed, without Content-Encoding.",
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body exceeds the size limit of this route.",
            )
        })?;
        Ok(Self(bytes))
    }
}

/// Returns whether the body has no content encoding: none is decoded here.
fn is_plain(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    codings.into_iter().all(|value| {
        let names = value.to_str().unwrap_or("?").split(',').map(str::trim);
        names
            .into_iter()
            .all(|name| name.is_empty() || name.eq_ignore_ascii_case("identity"))
    })
}

/// Returns whether the media type is `application/json` or ends in `+json`, with any parameters.
fn says_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    let essence = value.to_str().unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a JSON document: 400 if it is not JSON, 422 with the field if it does not fit the type. It takes two steps,
/// because a typed parser reports a wrong type as a syntax error.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    fit(&document(bytes)?)
}

fn document(bytes: &[u8]) -> Result<Value, Problem> {
    let malformed = |detail| Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail);
    let value = serde_json::from_slice(bytes)
        .map_err(|error| malformed(format!("The body is not valid JSON: {error}.")))?;
    if !json::is_shallow(&value) {
        let levels = json::MAX_DEPTH;
        return Err(malformed(format!(
            "The body is nested more than {levels} levels deep."
        )));
    }
    Ok(value)
}

/// Returns the document, if it is an object. Serde also reads an object from a list of its members, in the order of
/// their declaration: `[]` would mean an object without any optional member.
fn object(document: &Value) -> Result<&Value, Problem> {
    if document.is_object() {
        return Ok(document);
    }
    Err(invalid("", "must be a JSON object"))
}

/// Converts a JSON document: 422 with the field if it does not fit.
pub fn fit<'de, T: Deserialize<'de>>(document: &'de Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(document)
        .map_err(|error| invalid(&pointer(error.path()), &error.inner().to_string()))
}

/// Returns the problem of a field that was read but is not accepted.
#[must_use]
pub fn invalid(at: &str, detail: &str) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_input",
        "Invalid fields. See errors[].",
    )
    .fields(vec![FieldError {
        pointer: at.to_owned(),
        detail: detail.to_owned(),
    }])
}

/// A query string.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|refusal| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "malformed_query",
                    format!("Invalid query: {refusal}."),
                )
            })
    }
}

/// The parameters of a path.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|refusal| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "malformed_path",
                    format!("Invalid path: {refusal}."),
                )
            })
    }
}

/// Returns a header's value without surrounding spaces, if it is 1 to `longest` visible ASCII characters and spaces.
#[must_use]
pub fn visible(value: &HeaderValue, longest: usize) -> Option<&str> {
    let text = value.to_str().ok()?.trim_matches([' ', '\t']);
    let fits = !text.is_empty() && text.len() <= longest && !text.contains('\t');
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{is_plain, read};
    use http::{HeaderMap, HeaderValue};
    use serde::Deserialize;

    #[test]
    fn encoded_body_is_not_plain() {
        for (value, plain) in [
            ("identity", true),
            ("Identity, identity", true),
            ("", true),
            ("gzip", false),
            ("identity, gzip", false),
            ("br", false),
            ("\u{fc}", false),
        ] {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.insert("content-encoding", value.clone());
            assert_eq!(is_plain(&headers), plain, "{value:?}");
        }
        assert!(is_plain(&HeaderMap::new()));
    }

    #[derive(Debug, Deserialize)]
    struct Body {
        #[expect(dead_code, reason = "only its reading is tested")]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        #[expect(dead_code, reason = "only its reading is tested")]
        n: Size,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
    }

    #[test]
    fn invalid_field_is_named_by_its_pointer() {
        for wrong in [r#""x""#, "1", "null", "{}"] {
            let body = format!(r#"{{"items":[{{"n":"small"}},{{"n":{wrong}}}]}}"#);
            let problem = read::<Body>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.status, 422, "{wrong}");
            assert!(
                problem.errors[0].pointer.starts_with("/items/1/n"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn malformed_json_is_answered_400() {
        for body in [&b"{"[..], b"", b"\xff", b"[1]]", b"nul"] {
            assert_eq!(read::<serde_json::Value>(body).unwrap_err().status, 400);
        }
    }
}
