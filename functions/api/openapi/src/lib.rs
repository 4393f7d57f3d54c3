//! `GET /api/openapi.json`: the OpenAPI document of all routes.

use axum::Router;
use axum::routing::get;
use http::header;
use shared::edge::unlimited;
use utoipa::OpenApi;

/// The document, as `make openapi` wrote it from the routes' own documentation.
pub const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// The route. Anybody may call it: the document tells no secret.
pub fn router() -> Router {
    Router::new().route(
        "/api/openapi.json",
        unlimited("the document is part of the binary", get(document)),
    )
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(document))]
pub struct Documentation;

/// Get the OpenAPI document
///
/// The document describes all routes.
#[utoipa::path(
    get,
    operation_id = "getOpenApi",
    path = "/api/openapi.json",
    tag = "documentation",
    responses((status = 200, description = "The OpenAPI document", body = serde_json::Value))
)]
async fn document() -> impl axum::response::IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, DOCUMENT)
}
