//! `POST /api/mail-events`: receives a provider's event.
//!
//! A provider repeats an event until it gets a success: Resend for hours, until it disables the webhook; SNS for an
//! hour, and only after a 5xx. So the status is 503 if a repetition can help. It is 401 or 400 if the sender is not the
//! provider. It is 200 for every genuine event, including types that change nothing here and undocumented structures.
//! Those structures are logged as errors: a repetition would be identical.

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use serde::Serialize;
use shared::edge::input::Raw;
use shared::edge::problem::ProblemDocument;
use shared::edge::{Result, unsigned};
use shared::protocol::sns::Verified;
use shared::service::mail::event::{MailEvent, Recorded};

use crate::parse::ParseError;
use crate::{AppState, resend, ses};

/// The header with the type of an SNS message.
const SNS_HEADER: &str = "x-amz-sns-message-type";

/// The header that identifies a Resend webhook.
const SVIX_HEADER: &str = "svix-id";

/// The outcome of a mail event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MailEventOutcome)]
pub enum Outcome {
    /// The event is new and was applied to its mail.
    Applied,
    /// The event was already received.
    Replayed,
    /// The event is new, but its mail is unknown.
    Unmatched,
    /// The event changes nothing.
    Ignored,
    /// The event asked to confirm the subscription, which was confirmed.
    Confirmed,
}

/// The response to a mail provider.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MailEventTaken)]
pub struct ReceivedEvent {
    status: Outcome,
}

/// Report a mail event
///
/// For mail providers: Amazon SNS with SES events (signature version 2), and Resend webhooks.
#[utoipa::path(
    post,
    operation_id = "takeMailEvent",
    path = "/api/mail-events",
    tag = "mail",
    params(
        ("x-amz-sns-message-type" = Option<String>, Header, description = "Sent by Amazon SNS"),
        ("svix-id" = Option<String>, Header, description = "Sent by Resend, with svix-timestamp and svix-signature"),
    ),
    request_body(
        content = String,
        content_type = "text/plain",
        description = "An SNS message (text/plain) or a Resend webhook (application/json); both are JSON"
    ),
    responses(
        (status = 200, description = "Received; do not send it again", body = ReceivedEvent),
        (status = 400, description = "Not an SNS message", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "Not signed by a configured provider", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body exceeds 512 KB", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The event cannot be received now; send it again", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub async fn receive(
    State(state): State<AppState>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<ReceivedEvent>> {
    let status = if let Some(kind) = headers.get(SNS_HEADER) {
        state.receive_sns(kind.as_bytes(), &body).await?
    } else if headers.contains_key(SVIX_HEADER) {
        let receiver = state
            .sources
            .resend
            .as_ref()
            .ok_or_else(|| unexpected("resend"))?;
        let webhook = receiver.verify(&headers, body)?;
        state
            .record(resend::event(webhook.id(), webhook.body()))
            .await?
    } else {
        return Err(unexpected("unknown"));
    };
    Ok(Json(ReceivedEvent { status }))
}

impl AppState {
    async fn receive_sns(&self, kind: &[u8], body: &[u8]) -> Result<Outcome> {
        let receiver = self.sources.ses.as_ref().ok_or_else(|| unexpected("sns"))?;
        match receiver.verify(kind, body).await? {
            Verified::Notification(published) => {
                let event = ses::event(published.message_id(), published.message());
                self.record(event).await
            }
            Verified::Subscription(subscription) => {
                receiver.confirm(&subscription).await?;
                tracing::info!("SNS subscription confirmed; mail events of SES arrive from now on");
                Ok(Outcome::Confirmed)
            }
            Verified::Unsubscribed => {
                tracing::error!("SNS subscription ended; mail events of SES no longer arrive");
                Ok(Outcome::Ignored)
            }
        }
    }

    async fn record(&self, event: std::result::Result<MailEvent, ParseError>) -> Result<Outcome> {
        match event {
            Ok(event) => Ok(match self.events.record(&event).await? {
                Recorded::Applied => Outcome::Applied,
                Recorded::Replayed => Outcome::Replayed,
                Recorded::Unmatched => Outcome::Unmatched,
            }),
            Err(other @ ParseError::Other(_)) => {
                tracing::info!(event = %other, "mail event ignored: its type changes nothing");
                Ok(Outcome::Ignored)
            }
            Err(unreadable) => {
                tracing::error!(event = %unreadable, "mail event ignored: genuine but unreadable");
                Ok(Outcome::Ignored)
            }
        }
    }
}

/// Returns the rejection of an unknown sender: a source that is not configured here, or no signature.
fn unexpected(provider: &'static str) -> shared::edge::Problem {
    tracing::warn!(
        provider,
        "mail event rejected: its provider is not configured"
    );
    unsigned()
}
