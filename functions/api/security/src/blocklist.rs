//! `/api/security/blocklist`: blocked networks.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::base::network::Network;
use shared::edge::documented::{BodyProblems, GuardProblems};
use shared::edge::input::{self, Query};
use shared::edge::instant::Instant;
use shared::edge::page::Limit;
use shared::edge::{Caller, Result};
use shared::service::page::Cursor;
use shared::service::security::{Blocked, Entry};

use crate::AppState;

/// The longest reason, in characters.
const MAX_REASON_LEN: usize = 500;

/// The page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Items per page: 1 to 100, default 20.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `cursor` of the previous page.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// A page of the block list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BlocklistPage {
    /// The entries, newest first.
    items: Vec<Blocked>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// A network to block.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewBlock)]
pub struct BlockRequest {
    /// An address, or a network such as `192.0.2.0/24` or `2001:db8::/48`.
    #[schema(value_type = String, format = "cidr")]
    cidr: Network,
    /// The reason.
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\u0000]*$")]
    reason: String,
    /// When the block ends; without it, the block stays until it is removed.
    expires_at: Option<Instant>,
}

/// The network to unblock.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// The address or network.
    #[param(value_type = String, format = "cidr")]
    cidr: Network,
}

/// List blocked networks
///
/// Returns the block list, newest first.
#[utoipa::path(
    get,
    operation_id = "listBlocklist",
    path = "/api/security/blocklist",
    tag = "security",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of the block list", body = BlocklistPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<BlocklistPage>> {
    caller.must_be_admin()?;
    let limit = query.limit.into();
    let page = state.blocklist.list(limit, query.cursor.as_ref()).await?;
    Ok(Json(BlocklistPage {
        items: page.items,
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}

/// Block a network
///
/// Requests from the network are rejected with 403. Public routes check the source address, other routes `X-Client-Ip`.
/// Repeating the call updates the reason and the end.
#[utoipa::path(
    put,
    operation_id = "putBlock",
    path = "/api/security/blocklist",
    tag = "security",
    request_body = BlockRequest,
    responses(
        (status = 200, description = "The entry as listed", body = Blocked),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn put(
    State(state): State<AppState>,
    caller: Caller,
    request: input::Json<BlockRequest>,
) -> Result<Json<Blocked>> {
    caller.must_be_admin()?;
    let request = request.value;
    let length = request.reason.chars().count();
    if !(1..=MAX_REASON_LEN).contains(&length) || request.reason.contains('\0') {
        return Err(input::invalid(
            "/reason",
            "must be 1 to 500 characters long",
        ));
    }
    let listed = state
        .blocklist
        .put(&Entry {
            network: request.cidr,
            reason: &request.reason,
            author: caller.user_id.as_deref(),
            expires_at: request.expires_at.map(Timestamp::from),
        })
        .await?;
    Ok(Json(listed))
}

/// Unblock a network
///
/// A network that is not listed counts as removed. Networks around it or inside it stay listed.
#[utoipa::path(
    delete,
    operation_id = "deleteBlock",
    path = "/api/security/blocklist",
    tag = "security",
    params(DeleteQuery),
    responses(
        (status = 204, description = "The network is not listed"),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<DeleteQuery>,
) -> Result<StatusCode> {
    caller.must_be_admin()?;
    let author = caller.user_id.as_deref();
    state.blocklist.remove(query.cidr, author).await?;
    Ok(StatusCode::NO_CONTENT)
}
