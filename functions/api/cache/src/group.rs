//! `DELETE /api/cache/groups/{group}/{id}`: deletes all cached entries of a user or a domain in one request.

use axum::extract::State;
use http::StatusCode;
use shared::edge::documented::GuardProblems;
use shared::edge::input::Path;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Caller, Problem, Result};
use shared::service::cache::Caches;
use shared::service::cache::invalidation::Group;

use crate::entry::not_found;

/// Delete a cache group
///
/// A user's group has `user-profiles`, `totp-configs` and `notification-preferences`. A domain's group has
/// `domain-settings`, `domain-admins` and `domain-users`. Delete the entries of signing requests by their own ids.
#[utoipa::path(
    delete,
    operation_id = "deleteCachedGroup",
    path = "/api/cache/groups/{group}/{id}",
    tag = "cache",
    params(
        ("group" = Group, Path, description = "The kind of group: a user or a domain"),
        ("id" = String, Path, description = "A user id or domain", min_length = 1, max_length = 320),
        Caller
    ),
    responses(
        (status = 204, description = "No entry of the group is cached"),
        (
            status = 404,
            description = "Unknown group, or an id that cannot exist",
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
    Path((group, id)): Path<(String, String)>,
) -> Result<StatusCode> {
    caller.must_be_admin()?;
    let group = Group::named(&group).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "cache_group_unknown",
            "Unknown group. Use user or domain.",
        )
    })?;
    if !group.may_have(&id) {
        return Err(not_found());
    }
    caches.invalidate_group(group, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
