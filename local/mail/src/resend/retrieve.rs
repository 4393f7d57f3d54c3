//! `GET /emails/{id}`: retrieves a mail with its last event.
//!
//! <https://resend.com/docs/api-reference/emails/retrieve-email>.

use axum::Json;
use axum::extract::{Path, State};
use http::HeaderMap;
use serde_json::{Value, json};

use super::refusal::{Code, Refusal};
use super::{Resend, authorization};
use crate::mail::Provider;

/// Returns the mail with its last event.
pub(super) async fn retrieve(
    State(resend): State<Resend>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    authorization::check(&headers, &resend.account.resend_key)?;
    resend.count()?;
    let found = resend.account.store.get(&id).map_err(|error| {
        tracing::error!(%error, "mail not read; answered 500");
        Code::InternalServerError
    })?;
    let mail = found
        .filter(|mail| mail.provider == Provider::Resend)
        .ok_or_else(|| Code::NotFound.because("Email not found"))?;
    let last = resend.account.events.history(&id).pop();
    let part = |text: String| (!text.is_empty()).then_some(text);
    Ok(Json(json!({
        "object": "email",
        "id": mail.id,
        "to": mail.to,
        "from": mail.from,
        "created_at": mail.at,
        "subject": mail.subject,
        "html": part(mail.html),
        "text": part(mail.text),
        "bcc": mail.bcc,
        "cc": mail.cc,
        "reply_to": mail.reply_to,
        "tags": mail.tags,
        "last_event": last.map_or("queued", |happened| happened.what),
    })))
}
