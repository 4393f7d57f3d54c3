//! `/api/cache`: entries of nine kinds, groups of entries, and hit statistics.

pub mod entry;
pub mod group;
pub mod stats;

use axum::Router;
use axum::routing::{delete, get};
use http::StatusCode;
use shared::base::env;
use shared::edge::{Guard, Problem, limiter};
use shared::service::cache::invalidation::Group;
use shared::service::cache::kind::DisplayKind;
use shared::service::cache::{AnyKind, Caches};
use utoipa::OpenApi;

/// Returns the routes, each behind the guard.
pub fn router(caches: Caches, guard: &Guard) -> Result<Router, env::Error> {
    let guarded = |methods| guard.service(limiter::API, methods);
    let one = get(entry::show).put(entry::put).delete(entry::remove);
    Ok(Router::new()
        .route("/api/cache/{kind}/{id}", guarded(one)?)
        .route(
            "/api/cache/groups/{group}/{id}",
            guarded(delete(group::remove))?,
        )
        .route("/api/cache/stats", guarded(get(stats::show))?)
        .with_state(caches))
}

/// The routes' documentation.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(entry::show, entry::put, entry::remove, group::remove, stats::show),
    components(schemas(AnyKind, DisplayKind, Group))
)]
pub struct Documentation;

/// Returns the kind that a path names.
fn kind(name: &str) -> shared::edge::Result<AnyKind> {
    AnyKind::named(name).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "cache_kind_unknown",
            "Unknown cache kind.",
        )
    })
}
