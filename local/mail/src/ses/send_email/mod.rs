//! `POST /v2/email/outbound-emails`: SES's checks in order, then the stored mail.
//!
//! <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>.

mod content;
mod envelope;
mod header;
mod raw;
mod request;

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request as HttpRequest};
use serde_json::json;
use uuid::Uuid;

use self::content::Content;
use self::envelope::Envelope;
use self::request::{Pair, Request};
use super::authorization::{self, Region};
use super::refusal::{Code, Refusal};
use crate::account::Account;
use crate::address::Address;
use crate::clock;
use crate::fault::{self, Fault};
use crate::listener::Cut;
use crate::mail::{Mail, Provider, Tag};

/// The longest accepted body: a mail of 40 MB, with its base64 inside JSON.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The maximum number of tags.
const MAX_TAGS: usize = 50;

/// Runs the operation. It continues after the caller disconnects, as at a provider.
pub(crate) async fn send_email(
    State(account): State<Arc<Account>>,
    request: HttpRequest<Body>,
) -> Response {
    account.count();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return answered(Err(Code::MessageRejected.because(format!(
            "Message length is more than {MAX_BODY} bytes long."
        ))));
    };
    let sending = tokio::spawn(async move { account.take(&parts.headers, &body).await });
    sending.await.unwrap_or_else(|error| {
        tracing::error!(%error, "send request failed; answered 500");
        answered(Err(Code::InternalFailure.unprovoked()))
    })
}

/// Answers any other method and path.
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
        // A mail to three recipients counts as three: <https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html>.
        if !self.rates.ses.take(request.recipients().count()) {
            return answered(Err(Code::TooManyRequests.unprovoked()));
        }
        let fault = self.fault(&request);
        let keep = || self.keep_sent(request, &region);
        match fault::apply(fault, refusal, keep).await {
            Some(outcome) => answered(outcome),
            None => Cut.into_response(),
        }
    }

    fn fault(&self, request: &Request) -> Option<Fault> {
        let plain: Vec<Address> = request
            .recipients()
            .filter_map(|recipient| Address::parse(recipient).ok())
            .collect();
        let recipients: Vec<&str> = plain.iter().map(Address::as_str).collect();
        self.faults.take(Provider::Ses, &recipients)
    }

    fn keep_sent(&self, request: Request, region: &Region) -> Result<String, Refusal> {
        check_tags(&request.email_tags)?;
        self.check_configuration_set(request.configuration_set_name.as_deref())?;
        let reply_to = request.reply_to_addresses;
        for address in &reply_to {
            Address::parse_seven_bit(address)?;
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
            provider: Provider::Ses,
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
            tags: request.email_tags.into_iter().map(Tag::from).collect(),
            configuration_set: request.configuration_set_name,
            idempotency_key: None,
            at,
        };
        self.keep(&mail, None).map_err(|error| {
            tracing::error!(%error, "mail not stored; answered 500");
            Code::InternalFailure.unprovoked()
        })?;
        Ok(mail.id)
    }

    fn check_configuration_set(&self, name: Option<&str>) -> Result<(), Refusal> {
        match name {
            Some(name) if name != self.configuration_set => {
                Err(Code::NotFound.because(format!("Configuration set <{name}> does not exist.")))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the sender and the bounce address are both identities of the account.
    fn check_senders(
        &self,
        envelope: &Envelope,
        returns: Option<&str>,
        region: &Region,
    ) -> Result<(), Refusal> {
        let returns = returns.map(Address::parse_seven_bit).transpose()?;
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

impl From<Pair> for Tag {
    fn from(Pair { name, value }: Pair) -> Self {
        Self { name, value }
    }
}

/// Checks the tags (<https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html>).
fn check_tags(tags: &[Pair]) -> Result<(), Refusal> {
    let legal = |text: &str| {
        (1..=256).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if tags.len() > MAX_TAGS || !tags.iter().all(|tag| legal(&tag.name) && legal(&tag.value)) {
        return Err(Code::BadRequest.because("Invalid EmailTags."));
    }
    Ok(())
}

/// Returns SES's error for a rejecting fault.
fn refusal(fault: &Fault) -> Refusal {
    let code = match fault {
        Fault::Throttled => Code::TooManyRequests,
        Fault::Rejected => Code::MessageRejected,
        Fault::Refused(code) => *code,
        _ => Code::InternalFailure,
    };
    code.unprovoked()
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
