//! What a visit does: looking, unsubscribing, and taking that back.

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::Uri;
use shared::base::causes::causes;
use shared::edge::documented::LimitProblems;
use shared::service::unsubscribe::{Error, Link, Standing};
use url::form_urlencoded;

use crate::Desk;
use crate::page::Page;

/// The largest form that is read. A mail program's has some 200 bytes.
const LARGEST_FORM: usize = 16 * 1024;

/// The field of the page's own form that takes an unsubscription back.
const UNDO: (&str, &str) = ("action", "undo");

/// What a POST asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Leave,
    ComeBack,
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
pub async fn look(State(desk): State<Desk>, uri: Uri) -> Response {
    let Some(link) = named(&desk, &uri) else {
        return Page::Invalid.response();
    };
    shown(desk.subscriptions.look(&link).await, |standing| {
        if standing.is_unsubscribed {
            Page::Left(standing)
        } else {
            Page::Ask(standing)
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
pub async fn act(State(desk): State<Desk>, request: Request) -> Response {
    let Some(link) = named(&desk, request.uri()) else {
        return Page::Invalid.response();
    };
    let Ok(form) = axum::body::to_bytes(request.into_body(), LARGEST_FORM).await else {
        return Page::TooLarge.response();
    };
    match wish(&form) {
        Wish::Leave => shown(desk.subscriptions.leave(&link).await, Page::Left),
        Wish::ComeBack => shown(desk.subscriptions.come_back(&link).await, Page::Back),
    }
}

/// What the link says, if the link is ours. A link has one token.
fn named(desk: &Desk, uri: &Uri) -> Option<Link> {
    let query = uri.query().unwrap_or_default();
    let mut tokens = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "token");
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => desk.tokens.read(&token),
        _ => None,
    }
}

/// What a form asks for. Only the page's own way back is told apart: whatever else comes with a genuine link, be it
/// nothing at all, wants out.
fn wish(form: &Bytes) -> Wish {
    let has = |field| form_urlencoded::parse(form).any(|(name, value)| (&*name, &*value) == field);
    if has(UNDO) && !has(("List-Unsubscribe", "One-Click")) {
        Wish::ComeBack
    } else {
        Wish::Leave
    }
}

/// The page of what the database said.
fn shown(answer: Result<Option<Standing>, Error>, page: impl FnOnce(Standing) -> Page) -> Response {
    match answer {
        Ok(Some(standing)) => page(standing).response(),
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

    use super::{Wish, wish};

    #[test]
    fn only_the_pages_own_way_back_takes_an_unsubscription_back() {
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
            let wish = wish(&Bytes::from_static(form.as_bytes()));
            assert_eq!(wish == Wish::ComeBack, undone, "{form}");
        }
    }
}
