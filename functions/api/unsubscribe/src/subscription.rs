//! The actions of a visit: show the state, unsubscribe, and resubscribe.

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::Uri;
use shared::base::causes::causes;
use shared::edge::documented::LimitProblems;
use shared::service::mail::unsubscribe::{Error, Link, SubscriptionState};
use url::form_urlencoded;

use crate::AppState;
use crate::page::Page;

/// The largest accepted form. A mail program's form has about 200 bytes.
const MAX_FORM: usize = 16 * 1024;

/// The field of the page's own form that resubscribes.
const UNDO: (&str, &str) = ("action", "undo");

/// The action that a POST requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Unsubscribe,
    Resubscribe,
}

/// Show the unsubscribe page
///
/// The page says which mails unsubscribing stops. Opening it changes nothing.
#[utoipa::path(
    get,
    operation_id = "lookAtSubscription",
    path = "/api/unsubscribe",
    tag = "mail",
    params(("token" = String, Query, format = "unsubscribe-token", description = "The token of an unsubscribe link")),
    responses(
        (status = 200, description = "The unsubscribe page", body = String, content_type = "text/html"),
        (status = 400, description = "The link is damaged or was not issued here", body = String, content_type = "text/html"),
        (status = 404, description = "The mail is no longer known", body = String, content_type = "text/html"),
        (status = 503, description = "The database is unavailable", body = String, content_type = "text/html"),
        LimitProblems,
    )
)]
pub async fn show(State(state): State<AppState>, uri: Uri) -> Response {
    let Some(link) = link(&state, &uri) else {
        return Page::Invalid.response();
    };
    to_response(state.subscriptions.find(&link).await, |subscription| {
        if subscription.is_unsubscribed {
            Page::Unsubscribed(subscription)
        } else {
            Page::Confirm(subscription)
        }
    })
}

/// Unsubscribe with one click
///
/// Mail programs send `List-Unsubscribe=One-Click` (RFC 8058), as a form or as multipart; only the token identifies the
/// recipient. The page's own form can send `action=undo` to resubscribe. Repeating either call changes nothing.
#[utoipa::path(
    post,
    operation_id = "unsubscribe",
    path = "/api/unsubscribe",
    tag = "mail",
    params(("token" = String, Query, format = "unsubscribe-token", description = "The token of an unsubscribe link")),
    request_body(content = Option<serde_json::Value>, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The change is saved", body = String, content_type = "text/html"),
        (status = 400, description = "The link is damaged or was not issued here", body = String, content_type = "text/html"),
        (status = 404, description = "The mail is no longer known", body = String, content_type = "text/html"),
        (status = 413, description = "The form exceeds 16 KB", body = String, content_type = "text/html"),
        (status = 503, description = "The database is unavailable", body = String, content_type = "text/html"),
        LimitProblems,
    )
)]
pub async fn submit(State(state): State<AppState>, request: Request) -> Response {
    let Some(link) = link(&state, request.uri()) else {
        return Page::Invalid.response();
    };
    let Ok(form) = axum::body::to_bytes(request.into_body(), MAX_FORM).await else {
        return Page::TooLarge.response();
    };
    match action(&form) {
        Action::Unsubscribe => to_response(
            state.subscriptions.unsubscribe(&link).await,
            Page::Unsubscribed,
        ),
        Action::Resubscribe => to_response(
            state.subscriptions.resubscribe(&link).await,
            Page::Resubscribed,
        ),
    }
}

/// Returns the content of the link if its token is valid. A link has one token.
fn link(state: &AppState, uri: &Uri) -> Option<Link> {
    let query = uri.query().unwrap_or_default();
    let mut tokens = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "token");
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => state.tokens.read(&token),
        _ => None,
    }
}

/// Returns the action of a form. Only the page's own undo field resubscribes. Any other form with a genuine link, even
/// an empty one, unsubscribes.
fn action(form: &Bytes) -> Action {
    let has = |field| form_urlencoded::parse(form).any(|(name, value)| (&*name, &*value) == field);
    if has(UNDO) && !has(("List-Unsubscribe", "One-Click")) {
        Action::Resubscribe
    } else {
        Action::Unsubscribe
    }
}

/// Returns the page for the result from the database.
fn to_response(
    answer: Result<Option<SubscriptionState>, Error>,
    page: impl FnOnce(SubscriptionState) -> Page,
) -> Response {
    match answer {
        Ok(Some(subscription)) => page(subscription).response(),
        Ok(None) => Page::Gone.response(),
        Err(error) => {
            tracing::error!(
                error = causes(&error),
                "mail subscription not read or changed; the page asks to try again"
            );
            Page::Unavailable.response()
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Action, action};

    #[test]
    fn only_the_undo_form_of_the_page_resubscribes() {
        for (form, undone) in [
            ("List-Unsubscribe=One-Click", false),
            ("", false),
            ("action=leave", false),
            ("action=undo", true),
            ("List-Unsubscribe=One-Click&action=undo", false),
            (
                "--b\r\ncontent-disposition: form-data; name=\"action\"\r\n\r\nundo\r\n--b--",
                false,
            ),
            ("%ff%00=&&=&action=undo%00", false),
        ] {
            let action = action(&Bytes::from_static(form.as_bytes()));
            assert_eq!(action == Action::Resubscribe, undone, "{form}");
        }
    }
}
