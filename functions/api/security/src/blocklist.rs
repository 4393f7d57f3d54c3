//! `/api/security/blocklist`: networks that may not call.

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

use crate::Desk;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Items on the page, 1 to 100; 20 if absent.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// The `cursor` of the page before.
    #[param(inline, value_type = Cursor, required = false)]
    cursor: Option<Cursor>,
}

/// A page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BlocklistPage {
    /// The entries, those that were added last first.
    items: Vec<Blocked>,
    /// Where the next page goes on; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// What is put on the list.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewBlock)]
pub struct New {
    /// An address, or a network such as `192.0.2.0/24` or `2001:db8::/48`.
    #[schema(value_type = String, format = "cidr")]
    cidr: Network,
    /// Why.
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\u0000]*$")]
    reason: String,
    /// Until when; without one, until it is taken off.
    expires_at: Option<Instant>,
}

/// What is taken off it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Lifted {
    /// The address or the network.
    #[param(value_type = String, format = "cidr")]
    cidr: Network,
}

/// Networks that may not call, newest first.
#[utoipa::path(
    get,
    operation_id = "listBlocklist",
    path = "/api/security/blocklist",
    tag = "security",
    params(Wanted),
    responses(
        (status = 200, description = "A page", body = BlocklistPage),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<BlocklistPage>> {
    caller.must_be_admin()?;
    let limit = wanted.limit.into();
    let page = desk.blocklist.list(limit, wanted.cursor.as_ref()).await?;
    Ok(Json(BlocklistPage {
        items: page.items,
        cursor: page.cursor.map(|cursor| cursor.to_string()),
    }))
}

/// Put a network on the block list.
///
/// It is refused from then on with 403, on public routes by where it comes from and else by `X-Client-Ip`. Repeated, it
/// changes the reason and the end.
#[utoipa::path(
    put,
    operation_id = "putBlock",
    path = "/api/security/blocklist",
    tag = "security",
    request_body = New,
    responses(
        (status = 200, description = "The entry as it is listed", body = Blocked),
        BodyProblems,
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn put(
    State(desk): State<Desk>,
    caller: Caller,
    new: input::Json<New>,
) -> Result<Json<Blocked>> {
    caller.must_be_admin()?;
    let new = new.value;
    let length = new.reason.chars().count();
    if !(1..=LONGEST_REASON).contains(&length) || new.reason.contains('\0') {
        return Err(input::invalid(
            "/reason",
            "must be 1 to 500 characters long",
        ));
    }
    let listed = desk
        .blocklist
        .put(&Entry {
            network: new.cidr,
            reason: &new.reason,
            author: caller.user_id.as_deref(),
            expires_at: new.expires_at.map(Timestamp::from),
        })
        .await?;
    Ok(Json(listed))
}

/// Take a network off the block list.
///
/// What is not listed is gone already; networks around it or within it stay.
#[utoipa::path(
    delete,
    operation_id = "deleteBlock",
    path = "/api/security/blocklist",
    tag = "security",
    params(Lifted),
    responses(
        (status = 204, description = "It is not on the list"),
        GuardProblems,
    ),
    security(("serviceToken" = []))
)]
pub async fn remove(
    State(desk): State<Desk>,
    caller: Caller,
    Query(lifted): Query<Lifted>,
) -> Result<StatusCode> {
    caller.must_be_admin()?;
    let author = caller.user_id.as_deref();
    desk.blocklist.remove(lifted.cidr, author).await?;
    Ok(StatusCode::NO_CONTENT)
}
