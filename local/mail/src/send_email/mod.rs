//! `POST /v2/email/outbound-emails`: what SES checks, in the order in which it can be said, and what it then keeps.
//!
//! <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>.

mod address;
mod content;
mod envelope;
mod header;
mod raw;
mod request;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request as HttpRequest};
use serde_json::json;
use uuid::Uuid;

use self::address::Address;
use self::content::Content;
use self::envelope::Envelope;
use self::request::{Pair, Request};
use crate::authorization::{self, Region};
use crate::clock;
use crate::fault::{Fault, Faults};
use crate::listener::Cut;
use crate::mail::Mail;
use crate::refusal::{Code, Refusal};
use crate::store::Store;

/// The longest body that is read: a mail of 40 MB, with its base64 inside JSON.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// How many tags a mail may carry.
const MAX_TAGS: usize = 50;

/// The account that sends: who may, what happened, what was kept.
#[derive(Debug)]
pub(crate) struct Account {
    /// Addresses and domains that may send.
    pub(crate) verified: Vec<String>,
    /// The switched-on failures.
    pub(crate) faults: Faults,
    /// Where mails go.
    pub(crate) store: Arc<Store>,
    /// How many requests there were.
    pub(crate) requests: AtomicU64,
}

/// The operation. What it does goes on when the caller hangs up, as it does at a provider.
pub(crate) async fn send_email(
    State(account): State<Arc<Account>>,
    request: HttpRequest<Body>,
) -> Response {
    account.requests.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return answered(Err(Code::MessageRejected.because(format!(
            "Message length is more than {MAX_BODY} bytes long."
        ))));
    };
    let sending = tokio::spawn(async move { account.take(&parts.headers, &body).await });
    sending.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a mail could not be taken");
        answered(Err(Code::InternalFailure.unprovoked()))
    })
}

/// Any other method and path.
pub(crate) async fn unknown_operation() -> Response {
    answered(Err(Code::UnknownOperation.unprovoked()))
}

impl Account {
    async fn take(&self, headers: &HeaderMap, body: &Bytes) -> Response {
        let checked = authorization::check(headers).and_then(|region| Ok((region, parsed(body)?)));
        let (region, request) = match checked {
            Ok(checked) => checked,
            Err(refusal) => return answered(Err(refusal)),
        };
        match self.fault(&request) {
            None => answered(self.keep(request, &region)),
            Some(Fault::Throttled) => answered(Err(Code::TooManyRequests.unprovoked())),
            Some(Fault::ServerError) => answered(Err(Code::InternalFailure.unprovoked())),
            Some(Fault::Rejected) => answered(Err(Code::MessageRejected.unprovoked())),
            Some(Fault::Refused(code)) => answered(Err(code.unprovoked())),
            Some(Fault::Slow(delay)) => {
                tokio::time::sleep(delay).await;
                answered(self.keep(request, &region))
            }
            Some(Fault::AcceptThenCut) => cut(self.keep(request, &region)),
            Some(Fault::Hook { before: true, run }) => {
                pull(run).await;
                Cut.into_response()
            }
            Some(Fault::Hook { before: false, run }) => {
                let kept = self.keep(request, &region);
                if kept.is_ok() {
                    pull(run).await;
                }
                cut(kept)
            }
        }
    }

    fn fault(&self, request: &Request) -> Option<Fault> {
        let plain: Vec<Address> = request
            .recipients()
            .filter_map(|recipient| Address::parse(recipient).ok())
            .collect();
        let recipients: Vec<&str> = plain.iter().map(Address::as_str).collect();
        self.faults.take(&recipients)
    }

    fn keep(&self, request: Request, region: &Region) -> Result<String, Refusal> {
        check_tags(&request.email_tags)?;
        if let Some(name) = &request.configuration_set_name {
            return Err(
                Code::NotFound.because(format!("Configuration set <{name}> does not exist."))
            );
        }
        let reply_to = request.reply_to_addresses;
        for address in &reply_to {
            Address::parse(address)?;
        }
        let content = Content::parse(request.content)?;
        let envelope = Envelope::new(
            request.from_email_address,
            request.destination.unwrap_or_default(),
            content.written,
        )?;
        let returns = request.feedback_forwarding_email_address;
        self.check_senders(&envelope, returns.as_deref(), region)?;
        let at = clock::now();
        let mail = Mail {
            id: format!("{:016x}-{}-000000", at.as_millisecond(), Uuid::new_v4()),
            to: envelope.to,
            cc: envelope.cc,
            bcc: envelope.bcc,
            from: envelope.from,
            reply_to,
            subject: content.subject,
            html: content.html,
            text: content.text,
            headers: content.headers,
            attachments: content.attachments,
            at,
        };
        self.store.keep(&mail).map_err(|error| {
            tracing::error!(%error, "a mail could not be kept");
            Code::InternalFailure.unprovoked()
        })?;
        Ok(mail.id)
    }

    /// The sender, and the address that bounces go to, must both be identities of the account.
    fn check_senders(
        &self,
        envelope: &Envelope,
        returns: Option<&str>,
        region: &Region,
    ) -> Result<(), Refusal> {
        let returns = returns.map(Address::parse).transpose()?;
        let failed: Vec<&str> = std::iter::once(&envelope.sender)
            .chain(&returns)
            .filter(|sender| {
                !self
                    .verified
                    .iter()
                    .any(|identity| sender.is_verified_by(identity))
            })
            .map(Address::as_str)
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Code::MessageRejected.because(format!(
            "Email address is not verified. The following identities failed the check in region {}: {}",
            region.0.to_uppercase(),
            failed.join(", ")
        )))
    }
}

fn parsed(body: &[u8]) -> Result<Request, Refusal> {
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Code::Serialization.because(error.to_string()))
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html>.
fn check_tags(tags: &[Pair]) -> Result<(), Refusal> {
    let legal = |text: &str| {
        (1..=256).contains(&text.len())
            && text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@')
            })
    };
    if tags.len() > MAX_TAGS || !tags.iter().all(|tag| legal(&tag.name) && legal(&tag.value)) {
        return Err(Code::BadRequest.because("Invalid EmailTags."));
    }
    Ok(())
}

/// Runs what a test hung on this call, where blocking hurts nobody.
async fn pull(run: Arc<dyn Fn() + Send + Sync>) {
    if let Err(error) = tokio::task::spawn_blocking(move || run()).await {
        tracing::warn!(%error, "a fault's hook failed");
    }
}

/// No answer where there would have been one; a refusal is still said.
fn cut(kept: Result<String, Refusal>) -> Response {
    match kept {
        Ok(_) => Cut.into_response(),
        Err(refusal) => answered(Err(refusal)),
    }
}

fn answered(outcome: Result<String, Refusal>) -> Response {
    let mut response = match outcome {
        Ok(id) => Json(json!({ "MessageId": id })).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
