//! The mailbox: shows the stored mails to people and tests.

mod page;

use std::io;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::events::{self, Events, MailEvent};
use crate::mail::{Mail, Provider, Tag};
use crate::store::{Filter, Store};

/// The maximum number of mails in one response.
const MAX_LIMIT: usize = 5000;

/// The policy of a shown mail: it may display itself and open links in a new tab. Scripts do not run.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
    style-src 'unsafe-inline'; img-src data: http: https:; font-src data: http: https:";

#[derive(Clone, Debug)]
struct Mailbox {
    store: Arc<Store>,
    events: Events,
    /// Distinguishes the states of this process from those of the previous one.
    boot: Uuid,
}

/// Returns the routes of the mailbox.
pub(crate) fn router(store: Arc<Store>, events: Events) -> Router {
    let mailbox = Mailbox {
        store,
        events,
        boot: Uuid::new_v4(),
    };
    Router::new()
        .route("/", get(page::html))
        .route("/inbox.css", get(page::css))
        .route("/inbox.js", get(page::js))
        .route("/messages", get(list).delete(clear))
        .route("/messages/{id}", get(one))
        .route("/messages/{id}/html", get(html))
        .route("/messages/{id}/events", get(history))
        .route("/messages/{id}/opened", post(opened))
        .route("/messages/{id}/complained", post(complained))
        .with_state(mailbox)
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct ListQuery {
    to: String,
    search: String,
    limit: usize,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            to: String::new(),
            search: String::new(),
            limit: 50,
        }
    }
}

/// A mail in a list. The complete mail has its own route.
#[derive(Serialize)]
struct Listed {
    id: String,
    provider: Provider,
    to: Vec<String>,
    from: String,
    subject: String,
    html: String,
    text: String,
    tags: Vec<Tag>,
    at: Timestamp,
}

/// `GET /messages?to=&search=&limit=`: newest first; `to` is a complete address, `search` a part of one.
async fn list(
    State(mailbox): State<Mailbox>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Response, Unreadable> {
    let tag = format!("\"{}-{}\"", mailbox.boot, mailbox.store.generation());
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|seen| seen == tag.as_str())
    {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let filter = Filter {
        to: query.to,
        search: query.search,
    };
    let mails = mailbox.store.list(&filter, query.limit.min(MAX_LIMIT))?;
    let listed: Vec<Listed> = mails.into_iter().map(Listed::from).collect();
    Ok((
        [(ETAG, tag), (CACHE_CONTROL, "no-cache".to_owned())],
        Json(listed),
    )
        .into_response())
}

/// `GET /messages/{id}`: one mail with all members.
async fn one(
    State(mailbox): State<Mailbox>,
    Path(id): Path<String>,
) -> Result<Response, Unreadable> {
    Ok(match mailbox.store.get(&id)? {
        Some(mail) => Json(mail).into_response(),
        None => missing(),
    })
}

/// The options of a shown mail.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Shown {
    /// `tab`: its links open in a new tab, as they must inside the inbox's frame.
    links: String,
}

/// `GET /messages/{id}/html?links=`: the mail as it was sent. A mail without HTML is shown as text.
async fn html(
    State(mailbox): State<Mailbox>,
    Path(id): Path<String>,
    Query(shown): Query<Shown>,
) -> Result<Response, Unreadable> {
    let Some(mail) = mailbox.store.get(&id)? else {
        return Ok(missing());
    };
    let guard = [
        (CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok(match mail.html {
        html if html.is_empty() => (guard, mail.text).into_response(),
        html if shown.links == "tab" => (guard, Html(with_links_in_tabs(&html))).into_response(),
        html => (guard, Html(html)).into_response(),
    })
}

/// Returns the page with a `base` that sends its links to a new tab. The `base` is in the head if there is one, else at
/// the end, so that a doctype stays first.
fn with_links_in_tabs(html: &str) -> String {
    let is_head = |start: usize| {
        let next = html.as_bytes().get(start + "<head".len());
        next.is_some_and(|byte| *byte == b'>' || byte.is_ascii_whitespace())
    };
    let head = html
        .match_indices("<head")
        .find(|(start, _)| is_head(*start))
        .and_then(|(start, _)| Some(start + html[start..].find('>')? + 1));
    let (before, after) = html.split_at(head.unwrap_or(html.len()));
    format!("{before}<base target=\"_blank\">{after}")
}

/// `GET /messages/{id}/events`: the events of a mail, oldest first; empty for an unknown mail.
async fn history(State(mailbox): State<Mailbox>, Path(id): Path<String>) -> Response {
    Json(mailbox.events.history(&id)).into_response()
}

/// `POST /messages/{id}/opened`: records that the mail was opened.
async fn opened(
    State(mailbox): State<Mailbox>,
    Path(id): Path<String>,
) -> Result<Response, Unreadable> {
    mailbox.record_event(&id, MailEvent::Opened)
}

/// `POST /messages/{id}/complained`: records a complaint.
async fn complained(
    State(mailbox): State<Mailbox>,
    Path(id): Path<String>,
) -> Result<Response, Unreadable> {
    mailbox.record_event(&id, MailEvent::Complained)
}

impl Mailbox {
    /// Records an event of all recipients of a mail.
    fn record_event(&self, id: &str, mail_event: MailEvent) -> Result<Response, Unreadable> {
        let Some(mail) = self.store.get(id)? else {
            return Ok(missing());
        };
        let recipients: Vec<&str> = mail.recipients().collect();
        self.events.record_event(&mail, mail_event, &recipients)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }
}

/// `DELETE /messages`: deletes all mails.
async fn clear(State(mailbox): State<Mailbox>) -> Result<StatusCode, Unreadable> {
    mailbox.store.clear()?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Mail> for Listed {
    fn from(mail: Mail) -> Self {
        Self {
            id: mail.id,
            provider: mail.provider,
            to: mail.to,
            from: mail.from,
            subject: mail.subject,
            html: mail.html,
            text: mail.text,
            tags: mail.tags,
            at: mail.at,
        }
    }
}

fn missing() -> Response {
    (
        StatusCode::NOT_FOUND,
        Json(json!({ "error": "no such message" })),
    )
        .into_response()
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    /// The file of mails cannot be read or written.
    #[error("the mails cannot be read")]
    Mails(#[from] io::Error),
    /// An event cannot be created.
    #[error("the events cannot be signed")]
    Events(#[from] events::Error),
}

impl IntoResponse for Unreadable {
    fn into_response(self) -> Response {
        tracing::error!(error = ?self, "mailbox request failed; answered 500");
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({ "error": self.to_string() })),
        )
            .into_response()
    }
}
