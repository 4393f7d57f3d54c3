//! One cache entry: get, put and delete.

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

/// The longest accepted entity tag, in bytes.
const MAX_TAG_LEN: usize = 128;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// Get a cached entry
///
/// Reads from the cache, or from Postgres on a miss; `X-Cache` says which. Users see their own entries, and those of
/// requests that they own or sign, matched by `X-User-Email`. Domain administrators see the `domain-*` entries of their
/// domain and the requests of its users.
#[utoipa::path(
    get,
    operation_id = "getCached",
    path = "/api/cache/{kind}/{id}",
    tag = "cache",
    params(
        ("kind" = AnyKind, Path, description = "The kind; `totp-configs` and `domain-*` are at most 60 seconds old"),
        ("id" = String, Path, description = "A user id, signing request id or domain", min_length = 1, max_length = 320),
        Caller
    ),
    responses(
        (
            status = 200,
            description = "The entry. ETag is its generation, for If-Match of PUT; absent while Redis is unavailable",
            body = Object,
            headers(
                ("X-Cache" = String, description = "HIT, MISS or STALE; only display kinds can be STALE"),
                ("ETag" = String, description = "The generation of the entry")
            )
        ),
        (
            status = 404,
            description = "Unknown kind or id, or not visible to the caller",
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
    let Found::Value {
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

/// The generation to replace.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatch {
    /// The `ETag` of the entry that was read.
    #[param(rename = "If-Match", value_type = String, required = false, format = "entity-tag", pattern = r#"^"[!#-~]{1,128}"$"#)]
    _tag: Option<String>,
}

/// Put a cache entry
///
/// Stores any JSON object under a display kind until it expires or its row changes. Pass the `ETag` of your read in
/// `If-Match`; without it, the entry must not exist yet. An entry stored without `If-Match` is visible only to the
/// service until it is loaded again.
#[utoipa::path(
    put,
    operation_id = "putCached",
    path = "/api/cache/{kind}/{id}",
    tag = "cache",
    params(
        ("kind" = DisplayKind, Path, description = "The kind of entry; a display kind"),
        ("id" = String, Path, description = "A user id or signing request id", min_length = 1, max_length = 320),
        IfMatch,
        Caller
    ),
    request_body = Object,
    responses(
        (status = 204, description = "The entry is cached", headers(("ETag" = String, description = "The new generation"))),
        (
            status = 404,
            description = "Unknown kind or id",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 405,
            description = "A security kind, which is loaded from the database only",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 412,
            description = "The entry has another generation now; read it again",
            body = ProblemDocument,
            content_type = "application/problem+json"
        ),
        (
            status = 428,
            description = "The entry exists; pass its ETag in If-Match",
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

/// Delete a cache entry
///
/// Once the call returns, values read before it are never returned again. An entry that is not cached counts as
/// deleted.
#[utoipa::path(
    delete,
    operation_id = "deleteCached",
    path = "/api/cache/{kind}/{id}",
    tag = "cache",
    params(
        ("kind" = AnyKind, Path, description = "The kind of entry"),
        ("id" = String, Path, description = "A user id, signing request id or domain", min_length = 1, max_length = 320),
        Caller
    ),
    responses(
        (status = 204, description = "The entry is not cached"),
        (
            status = 404,
            description = "Unknown kind, or an id that cannot exist",
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

/// Returns a generation as an entity tag (RFC 9110 section 8.8.3).
fn etag(generation: &Generation) -> Result<HeaderValue> {
    HeaderValue::from_str(&format!("\"{generation}\"")).map_err(|_| not_found())
}

/// Returns the generation in `If-Match`: one strong entity tag.
fn generation(headers: &HeaderMap) -> Result<Option<Generation>> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().ok().map(str::trim);
    let tag = text
        .and_then(|text| text.strip_prefix('"'))
        .and_then(|text| text.strip_suffix('"'))
        .filter(|tag| (1..=MAX_TAG_LEN).contains(&tag.len()))
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

/// Returns 404. The response is the same if the id does not exist and if the caller may not see it.
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
