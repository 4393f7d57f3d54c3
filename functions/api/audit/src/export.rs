//! `GET /api/audit/export`: the log as CSV or JSON lines, in pages that fit into a response.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Uri, header};
use serde::Deserialize;
use shared::base::json::RawJson;
use shared::edge::documented::GuardProblems;
use shared::edge::input::Query;
use shared::edge::{Caller, Result};
use shared::service::audit::{Entry, Filter, PageRequest};
use shared::service::page::{Cursor, MAX_LIMIT};
use url::form_urlencoded;

use crate::AppState;
use crate::csv;
use crate::list::{ListQuery, TooLong};
use crate::viewer::viewer;

/// A page ends after this many bytes. A response holds 6 MB, an event at most 64 KB, and a database page 100 events.
const MAX_BYTES: usize = 2_000_000;

/// A page ends after this many entries.
const MAX_ITEMS: usize = 5000;

/// The byte order mark by which spreadsheets detect UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The columns of CSV.
const COLUMNS: [&str; 15] = [
    "createdAt",
    "recordedAt",
    "action",
    "userId",
    "domain",
    "resourceType",
    "resourceId",
    "requestId",
    "details",
    "metadata",
    "ipAddress",
    "userAgent",
    "chain",
    "sequence",
    "hash",
];

/// The format of the export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 4180 in UTF-8, with column names on the first page. Cells that a spreadsheet would execute are escaped.
    #[default]
    Csv,
    /// One JSON object per line, with the canonical text that the hash covers. Keep this form as evidence.
    Jsonl,
}

fn default_bom() -> bool {
    true
}

/// The format and the page of the export.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `csv` or `jsonl`.
    #[serde(default)]
    #[param(inline, required = false)]
    format: Format,
    /// Whether CSV starts with a byte order mark, so that Excel detects UTF-8. It is on the first page only.
    #[serde(default = "default_bom")]
    #[param(inline, required = false, default = true)]
    bom: bool,
    /// The cursor from the `Link` of the previous page.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// Export the audit log
///
/// Returns the same events as `GET /api/audit`, with the same access rules, oldest first. A page ends at 2 MB; the
/// `Link` header with `rel="next"` leads to the next one. The pages in sequence form the file.
#[utoipa::path(
    get,
    operation_id = "exportAudit",
    path = "/api/audit/export",
    tag = "audit",
    params(ListQuery, ExportQuery, Caller),
    responses(
        (
            status = 200,
            description = "A page of the file",
            content((String = "text/csv"), (String = "application/jsonl")),
            headers(("Link" = Option<String>, description = "Next page, with `rel=\"next\"`; absent on the last page"))
        ),
        TooLong,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn export(
    State(state): State<AppState>,
    caller: Caller,
    uri: Uri,
    Query(query): Query<ListQuery>,
    Query(format_query): Query<ExportQuery>,
) -> Result<Response> {
    let (viewer, filter) = (viewer(&caller), Filter::from(query));
    let mut text = String::new();
    if format_query.format == Format::Csv && format_query.cursor.is_none() {
        if format_query.bom {
            text.push(BYTE_ORDER_MARK);
        }
        csv::record(&mut text, COLUMNS);
    }
    let (mut entries, mut cursor) = (0, format_query.cursor);
    let next = loop {
        let part = PageRequest {
            newest_first: false,
            limit: MAX_LIMIT,
            cursor: cursor.take(),
        };
        let page = state.audit.entries(&viewer, &filter, &part).await?;
        entries += page.items.len();
        for entry in &page.items {
            write(&mut text, format_query.format, entry);
        }
        match page.cursor {
            Some(next) if text.len() < MAX_BYTES && entries < MAX_ITEMS => cursor = Some(next),
            next => break next,
        }
    };
    let (kind, name) = match format_query.format {
        Format::Csv => (
            "text/csv; charset=utf-8",
            "attachment; filename=\"audit.csv\"",
        ),
        Format::Jsonl => ("application/jsonl", "attachment; filename=\"audit.jsonl\""),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, name),
    ];
    let mut response = (headers, text).into_response();
    if format_query.format == Format::Csv {
        // lambda_http decodes a text body and drops its byte order mark. It leaves a body with a Content-Encoding
        // unchanged.
        let encoding = HeaderValue::from_static("identity");
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, encoding);
    }
    if let Some(link) = next.and_then(|next| link(&uri, &next)) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// Returns the same request at the next page (RFC 8288), relative to this one.
fn link(uri: &Uri, next: &Cursor) -> Option<HeaderValue> {
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(given.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", &next.to_string())
        .finish();
    HeaderValue::try_from(format!("<{}?{query}>; rel=\"next\"", uri.path())).ok()
}

fn write(text: &mut String, format: Format, entry: &Entry) {
    match format {
        Format::Csv => record(text, entry),
        // Values read from JSON can be written as JSON.
        Format::Jsonl => {
            text.push_str(&serde_json::to_string(entry).unwrap_or_default());
            text.push('\n');
        }
    }
}

fn record(text: &mut String, entry: &Entry) {
    // The text as the log holds it, even if a JSON parser rejects it.
    let json = |value: &Option<RawJson>| value.as_ref().map(RawJson::compact).unwrap_or_default();
    let plain = |value: &Option<String>| value.clone().unwrap_or_default();
    let fields: [String; COLUMNS.len()] = [
        entry.created_at.to_string(),
        entry
            .recorded_at
            .map(|at| at.to_string())
            .unwrap_or_default(),
        entry.action.clone(),
        plain(&entry.user_id),
        plain(&entry.domain),
        plain(&entry.resource_type),
        plain(&entry.resource_id),
        plain(&entry.request_id),
        json(&entry.details),
        json(&entry.metadata),
        plain(&entry.ip_address),
        plain(&entry.user_agent),
        plain(&entry.chain),
        entry
            .sequence
            .map(|place| place.to_string())
            .unwrap_or_default(),
        plain(&entry.hash),
    ];
    csv::record(text, fields.iter().map(String::as_str));
}
