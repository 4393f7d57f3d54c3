//! Reading the audit log: entries in the order of time, as far as the viewer may see them.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Error;
use crate::base::identity;
use crate::base::json::RawJson;
use crate::protocol::postgres::{Json, Parameter, Postgres, Type, column};
use crate::service::page::{self, Cursor, Page};

/// One page, newest or oldest first. The entries that a viewer may see are read from one index for each permission, so
/// that other users' events are not scanned.
static NEWEST: LazyLock<String> = LazyLock::new(|| page_in_order("<", "DESC"));
static OLDEST: LazyLock<String> = LazyLock::new(|| page_in_order(">", "ASC"));

fn page_in_order(after: &str, order: &str) -> String {
    let branch = |reason: &str| {
        include_str!("seen.sql")
            .replace("{reason}", reason)
            .replace("{after}", after)
            .replace("{order}", order)
    };
    let seen = [
        branch("$9"),
        branch("NOT $9 AND user_id = $10"),
        branch("NOT $9 AND domain = $11 AND user_id IS DISTINCT FROM $10"),
        branch(include_str!("made.sql")),
    ];
    include_str!("page.sql")
        .replace("{seen}", &seen.join(" UNION ALL "))
        .replace("{order}", order)
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
pub struct Entry {
    /// The id of the row.
    pub id: String,
    /// The id of the event; absent on rows older than the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// When the event happened.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the event was written, by the database clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recorded_at: Option<Timestamp>,
    /// The user who acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The domain of the user who acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The action.
    #[serde(default)]
    pub action: String,
    /// The type of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The id of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The signing request that the event belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Details of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    pub details: Option<RawJson>,
    /// Metadata of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    pub metadata: Option<RawJson>,
    /// The IP address of the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The user agent of the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The chain; absent on rows older than the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The position in the chain, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// The SHA-256 of `canonical`, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The event in canonical form (RFC 8785), as hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
}

/// The viewer of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The service itself, or an administrator.
    All,
    /// A user, who may see the user's own actions, and all events of the user's own requests. An administrator of a
    /// domain may see the actions of the domain's users, and all events of their requests.
    Of {
        /// The user.
        user: String,
        /// The domain that the user administers.
        domain: Option<String>,
    },
}

/// The filter of a page. Entries match every member that is set.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The signing request of the events.
    pub request_id: Option<String>,
    /// The user who acted.
    pub user_id: Option<String>,
    /// The action.
    pub action: Option<String>,
    /// The type of the resource.
    pub resource_type: Option<String>,
    /// The id of the resource.
    pub resource_id: Option<String>,
    /// Only entries at this instant or later.
    pub from: Option<Timestamp>,
    /// Only entries before this instant.
    pub to: Option<Timestamp>,
}

/// The order and the size of a page.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Whether the newest come first.
    pub newest_first: bool,
    /// The largest number of entries, 1 to 100.
    pub limit: u32,
    /// The cursor of the previous page.
    pub cursor: Option<Cursor>,
}

pub(super) async fn entries(
    postgres: &Postgres,
    viewer: &Viewer,
    filter: &Filter,
    part: &PageRequest,
) -> Result<Page<Entry>, Error> {
    let (all, user, domain) = match viewer {
        Viewer::All => (true, None, None),
        Viewer::Of { user, domain } => {
            let domain = domain.as_deref().map(identity::domain);
            (false, Some(identity::user(user)), domain)
        }
    };
    let normal = |id: &Option<String>| id.as_deref().map(identity::id);
    let request = normal(&filter.request_id);
    let (of_user, resource) = (normal(&filter.user_id), normal(&filter.resource_id));
    let uuid = request
        .as_deref()
        .and_then(|id| Uuid::parse_str(id).ok())
        .map(|id| id.to_string());
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    let (from, to) = (micros(filter.from), micros(filter.to));
    let after = part.cursor.as_ref().map(Cursor::micros);
    let key = part.cursor.as_ref().map(Cursor::key);
    let limit = page::rows(part.limit);
    let parameters: [Parameter<'_>; 14] = [
        (&request, Type::TEXT),
        (&uuid, Type::TEXT),
        (&of_user, Type::TEXT),
        (&filter.action, Type::TEXT),
        (&filter.resource_type, Type::TEXT),
        (&resource, Type::TEXT),
        (&from, Type::INT8),
        (&to, Type::INT8),
        (&all, Type::BOOL),
        (&user, Type::TEXT),
        (&domain, Type::TEXT),
        (&after, Type::INT8),
        (&key, Type::TEXT),
        (&limit, Type::INT8),
    ];
    let sql = if part.newest_first { &NEWEST } else { &OLDEST };
    let rows = postgres.query_repeatable(sql, &parameters).await?;
    let entries = rows
        .iter()
        .map(|row| column::<Json<Entry>>(row, "entry").map(|Json(entry)| entry))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(entries, part.limit, |entry| {
        Cursor::new(entry.created_at, &entry.id)
    }))
}

pub(super) async fn may_see_request(
    postgres: &Postgres,
    viewer: &Viewer,
    request_id: &str,
) -> Result<bool, Error> {
    let Viewer::Of { user, domain } = viewer else {
        return Ok(true);
    };
    let Ok(uuid) = Uuid::parse_str(request_id) else {
        return Ok(false);
    };
    let (uuid, domain) = (uuid.to_string(), domain.as_deref().map(identity::domain));
    let sql = "SELECT EXISTS (SELECT FROM public.signing_requests AS request \
        LEFT JOIN public.user_profiles AS maker ON maker.id = request.initiated_by \
        WHERE request.id = $1::uuid AND (request.initiated_by::text = $2 \
          OR signtusk.domain_of(maker.email) = $3)) AS may";
    let parameters: [Parameter<'_>; 3] = [
        (&uuid, Type::TEXT),
        (user, Type::TEXT),
        (&domain, Type::TEXT),
    ];
    let rows = postgres.query_repeatable(sql, &parameters).await?;
    let row = rows.first().ok_or(Error::Unreadable)?;
    Ok(column(row, "may")?)
}
