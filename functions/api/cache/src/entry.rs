//! One entry: read, put, taken away.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Path};
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::cache::kind::DisplayKind;
use shared::service::cache::{
    AnyKind, Caches, Found, Generation, InvalidObject, Object, Put, Source,
};

use crate::kind;

/// The longest entity tag that is compared, in bytes.
const LONGEST_TAG: usize = 128;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// What is known of an id.
///
/// From the cache, or from Postgres where nothing is cached; `X-Cache` says which. A user sees the own `user-profiles`,
/// `totp-configs` and `notification-preferences`, and the `documents`, `signing-requests` and `document-status` of
/// requests that the user owns or is to sign (by `X-User-Email`); a domain administrator the `domain-*` kinds of the
/// domain and the requests of its users. `STALE` comes only of kinds that are shown: `totp-configs` and `domain-*` are
/// at most 60 seconds old.
#[utoipa::path(
    get,
    operation_id = "getCached",
    path = "/api/cache/{kind}/{id}",
    tag = "cache",
    params(
        ("kind" = AnyKind, Path, description = "What is cached"),
        ("id" = String, Path, description = "A user, a signing request or a domain", min_length = 1, max_length = 320),
        Caller
    ),
    responses(
        (
            status = 200,
            description = "The entry. ETag is its generation, for If-Match of PUT; absent while Redis is down",
            body = Object,
            headers(
                ("X-Cache" = String, description = "HIT, MISS or STALE"),
                ("ETag" = String, description = "The generation")
            )
        ),
        (
            status = 404,
            description = "No such kind or id, or not yours to see",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn show(
    State(caches): State<Caches>,
    caller: Caller,
    Path((kind_name, id)): Path<(String, String)>,
) -> Result<Response> {
    let viewer = caller.viewer();
    let found = match kind(&kind_name)? {
        AnyKind::Security(kind) => caches.get(kind, &id, &viewer).await?,
        AnyKind::Display(kind) => caches.get(kind, &id, &viewer).await?,
    };
    let Found::Here {
        value,
        generation,
        source,
    } = found
    else {
        return Err(not_found());
    };
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(X_CACHE, HeaderValue::from_static(name(source)));
    if let Some(generation) = generation {
        headers.insert(header::ETAG, etag(&generation)?);
    }
    Ok((headers, value).into_response())
}

/// Which generation is to be replaced.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatch {
    /// The `ETag` of the read.
    #[param(rename = "If-Match", value_type = String, required = false, format = "entity-tag", pattern = r#"^"[!#-~]{1,128}"$"#)]
    _tag: Option<String>,
}

/// Put a value of your own into the cache.
///
/// Only of kinds that are shown; any JSON object, answered as it is. Name the generation that you read in `If-Match`:
/// when the entry has changed since, 412, read it again. Without `If-Match` it is put where nothing is cached, and is
/// then shown to the service only until it is filled anew. A change of the row takes it away like any other entry.
#[utoipa::path(
    put,
    operation_id = "putCached",
    path = "/api/cache/{kind}/{id}",
    tag = "cache",
    params(
        ("kind" = DisplayKind, Path, description = "What is cached; a kind that is shown"),
        ("id" = String, Path, description = "A user or a signing request", min_length = 1, max_length = 320),
        IfMatch,
        Caller
    ),
    request_body = Object,
    responses(
        (status = 204, description = "It is cached", headers(("ETag" = String, description = "The new generation"))),
        (
            status = 404,
            description = "No such kind or id",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 405,
            description = "A kind of security data, which is filled from the database only",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 412,
            description = "The entry is of another generation by now",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 428,
            description = "There is a value: name the generation that you read",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn put(
    State(caches): State<Caches>,
    caller: Caller,
    Path((kind_name, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: input::Json<Map<String, Value>>,
) -> Result<Response> {
    caller.must_be_admin()?;
    let AnyKind::Display(kind) = kind(&kind_name)? else {
        return Ok(not_allowed());
    };
    let read = generation(&headers)?;
    let value = Object::read(&body.bytes).map_err(|error| match error {
        InvalidObject::NoObject => input::invalid("", "must be a JSON object"),
        InvalidObject::TooLarge => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The value exceeds 512 KB.",
        ),
    })?;
    match caches.put(kind, &id, &value, read.as_ref()).await? {
        Put::Done(generation) => {
            Ok((StatusCode::NO_CONTENT, [(header::ETAG, etag(&generation)?)]).into_response())
        }
        Put::Changed => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "generation_changed",
            "The entry has changed. Read it again and send its new ETag.",
        )),
        Put::Cached => Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "generation_required",
            "The entry exists. Read it and send its ETag in If-Match.",
        )),
        Put::NoSuchId => Err(not_found()),
    }
}

/// Take an entry out of the cache.
///
/// Once this is answered, nothing that was read before is answered any more. What is not cached is gone already.
#[utoipa::path(
    delete,
    operation_id = "deleteCached",
    path = "/api/cache/{kind}/{id}",
    tag = "cache",
    params(
        ("kind" = AnyKind, Path, description = "What is cached"),
        ("id" = String, Path, description = "A user, a signing request or a domain", min_length = 1, max_length = 320),
        Caller
    ),
    responses(
        (status = 204, description = "It is not cached"),
        (
            status = 404,
            description = "No such kind, or nothing can have this id",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn remove(
    State(caches): State<Caches>,
    caller: Caller,
    Path((kind_name, id)): Path<(String, String)>,
) -> Result<StatusCode> {
    caller.must_be_admin()?;
    let kind = kind(&kind_name)?;
    if kind.key(&id).is_none() {
        return Err(not_found());
    }
    caches.invalidate(kind, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn name(source: Source) -> &'static str {
    match source {
        Source::Hit => "HIT",
        Source::Miss => "MISS",
        Source::Stale => "STALE",
    }
}

/// A generation as an entity tag (RFC 9110 section 8.8.3).
fn etag(generation: &Generation) -> Result<HeaderValue> {
    HeaderValue::from_str(&format!("\"{generation}\"")).map_err(|_| not_found())
}

/// The generation that `If-Match` names: one strong entity tag.
fn generation(headers: &HeaderMap) -> Result<Option<Generation>> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().ok().map(str::trim);
    let tag = text
        .and_then(|text| text.strip_prefix('"'))
        .and_then(|text| text.strip_suffix('"'))
        .filter(|tag| (1..=LONGEST_TAG).contains(&tag.len()))
        .filter(|tag| {
            tag.bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"')
        });
    match tag {
        Some(tag) => Ok(Some(Generation::claimed(tag))),
        None => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "if_match_malformed",
            "If-Match must be one ETag, with its quotation marks.",
        )),
    }
}

/// There is no such id, or the caller may not see it: the two are not told apart.
pub(crate) fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "cache_entry_not_found",
        "Entry not found.",
    )
}

fn not_allowed() -> Response {
    let mut response = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "cache_kind_readonly",
        "Security data cannot be written to the cache. Use DELETE to invalidate it.",
    )
    .into_response();
    let methods = HeaderValue::from_static("GET,HEAD,DELETE");
    response.headers_mut().insert(header::ALLOW, methods);
    response
}
