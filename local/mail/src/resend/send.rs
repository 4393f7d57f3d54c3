//! `POST /emails` and `POST /emails/batch`.
//!
//! <https://resend.com/docs/api-reference/emails/send-email>,
//! <https://resend.com/docs/api-reference/emails/send-batch-emails>.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Request as HttpRequest};
use serde_json::{Value, json};

use super::refusal::{Code, Refusal};
use super::request::Request;
use super::{MAX_BODY, Resend, authorization, email, idempotency};
use crate::address::Address;
use crate::fault::{self, Fault};
use crate::listener::Cut;
use crate::mail::{Mail, Provider};

/// The maximum number of mails in a batch.
const MAX_BATCH: usize = 100;

/// One mail: `{"id": ...}`.
pub(super) async fn one(State(resend): State<Resend>, request: HttpRequest<Body>) -> Response {
    let read = |body: Value| Ok(vec![parsed(body)?]);
    let answer = |ids: Vec<String>| json!({ "id": ids.first() });
    run(resend, request, read, answer).await
}

/// Up to a hundred: `{"data": [{"id": ...}, ...]}`. One rejected mail rejects the whole batch.
pub(super) async fn batch(State(resend): State<Resend>, request: HttpRequest<Body>) -> Response {
    let read = |body: Value| {
        let Value::Array(mails) = body else {
            return Err(Code::InvalidField.because("A batch is an array of emails."));
        };
        let requests: Vec<Request> = mails.into_iter().map(parsed).collect::<Result<_, _>>()?;
        let whole = |request: &Request| request.attachments.is_none();
        if requests.is_empty() || requests.len() > MAX_BATCH {
            return Err(Code::InvalidField.because("A batch has 1 to 100 emails."));
        }
        if !requests.iter().all(whole) {
            return Err(Code::InvalidField.because("A batch has no attachments."));
        }
        Ok(requests)
    };
    let answer = |ids: Vec<String>| {
        let data: Vec<Value> = ids.into_iter().map(|id| json!({ "id": id })).collect();
        json!({ "data": data })
    };
    run(resend, request, read, answer).await
}

/// Runs the operation. It continues after the caller disconnects, as at a provider.
async fn run(
    resend: Resend,
    request: HttpRequest<Body>,
    read: impl FnOnce(Value) -> Result<Vec<Request>, Refusal> + Send + 'static,
    answer: impl FnOnce(Vec<String>) -> Value + Send + 'static,
) -> Response {
    resend.account.count();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return Refusal::from(Code::UnreadableBody).into_response();
    };
    let sending = tokio::spawn(async move {
        let path = parts.uri.path();
        match resend.take(path, &parts.headers, &body, read).await {
            None => Cut.into_response(),
            Some(Ok(ids)) => Json(answer(ids)).into_response(),
            Some(Err(refusal)) => refusal.into_response(),
        }
    });
    sending.await.unwrap_or_else(|error| {
        tracing::error!(%error, "send request failed; answered 500");
        Refusal::from(Code::InternalServerError).into_response()
    })
}

impl Resend {
    /// Returns the ids of the mails accepted now or earlier with the same key; none if no response is sent.
    async fn take(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
        read: impl FnOnce(Value) -> Result<Vec<Request>, Refusal>,
    ) -> Option<Result<Vec<String>, Refusal>> {
        let parsed_request = match self.parse_request(path, headers, body) {
            Ok(parsed_request) => parsed_request,
            Err(refusal) => return Some(Err(refusal)),
        };
        let flight = parsed_request
            .key
            .as_deref()
            .map(|key| self.in_flight.begin(key));
        let _flight = match flight.transpose() {
            Ok(flight) => flight,
            Err(refusal) => return Some(Err(refusal)),
        };
        match self.answered(&parsed_request) {
            Ok(None) => {}
            Ok(Some(ids)) => return Some(Ok(ids)),
            Err(refusal) => return Some(Err(refusal)),
        }
        let requests = match read(parsed_request.body) {
            Ok(requests) => requests,
            Err(refusal) => return Some(Err(refusal)),
        };
        let fault = self.fault(&requests);
        let key = parsed_request.key.map(|key| (key, parsed_request.payload));
        let keep = || self.keep(requests, key);
        fault::apply(fault, refusal, keep).await
    }

    fn parse_request(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<ParsedRequest, Refusal> {
        authorization::check(headers, &self.account.resend_key)?;
        self.count()?;
        let key = idempotency::key(headers)?;
        let body: Value = serde_json::from_slice(body).map_err(|_| Code::UnreadableBody)?;
        let payload = idempotency::payload(path, &body);
        Ok(ParsedRequest { key, payload, body })
    }

    fn answered(&self, parsed_request: &ParsedRequest) -> Result<Option<Vec<String>>, Refusal> {
        let Some(key) = &parsed_request.key else {
            return Ok(None);
        };
        idempotency::answered(&self.account.store, key, &parsed_request.payload)
    }

    fn fault(&self, requests: &[Request]) -> Option<Fault> {
        let recipients: Vec<Address> = requests.iter().flat_map(email::recipients).collect();
        let recipients: Vec<&str> = recipients.iter().map(Address::as_str).collect();
        self.account.faults.take(Provider::Resend, &recipients)
    }

    /// Stores every mail, or none if one of them is rejected.
    fn keep(
        &self,
        requests: Vec<Request>,
        key: Option<(String, String)>,
    ) -> Result<Vec<String>, Refusal> {
        let (key, payload) = key.unzip();
        let mails: Vec<Mail> = requests
            .into_iter()
            .map(|request| {
                let mail = email::checked(&self.account, request)?;
                Ok(Mail {
                    idempotency_key: key.clone(),
                    ..mail
                })
            })
            .collect::<Result<_, Refusal>>()?;
        for mail in &mails {
            self.account
                .keep(mail, payload.as_deref())
                .map_err(|error| {
                    tracing::error!(%error, "mail not stored; answered 500");
                    Code::InternalServerError
                })?;
        }
        Ok(mails.into_iter().map(|mail| mail.id).collect())
    }
}

/// A request before its mails are parsed.
struct ParsedRequest {
    key: Option<String>,
    /// The hash of the body.
    payload: String,
    body: Value,
}

/// Parses one mail of a body. An array is rejected, although its members could be read in order.
fn parsed(body: Value) -> Result<Request, Refusal> {
    if !body.is_object() {
        return Err(Code::InvalidField.because("An email is an object."));
    }
    serde_path_to_error::deserialize(body).map_err(|error| {
        let field = error.path().to_string();
        Code::InvalidField.because(format!("Invalid `{field}` field."))
    })
}

/// Returns Resend's error for a rejecting fault.
fn refusal(fault: &Fault) -> Refusal {
    match fault {
        Fault::Throttled => Code::RateLimitExceeded.into(),
        Fault::Rejected => Code::InvalidField.into(),
        Fault::RefusedByResend(code) => (*code).into(),
        _ => Code::InternalServerError.into(),
    }
}
