//! A function that QStash calls. It reads nothing before the signature is verified.

use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use lambda_http::{Request, service_fn};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::api::request_id;
use super::fatal::Fatal;
use super::problem::Problem;
use super::{deadline, metrics};
use crate::base::clock::Clock;
use crate::protocol::qstash::{Delivery, Receiver, Verified};
use crate::protocol::upstash::Usage;

/// The outcome of a delivery, as QStash needs it.
#[derive(Debug)]
pub enum Outcome {
    /// Acknowledge; the body contains the result.
    Ack(Value),
    /// Deliver again, after at least this wait.
    Retry(Duration, String),
    /// Never deliver again: move to the dead-letter queue.
    Reject(String),
}

/// A verified delivery.
#[derive(Debug)]
pub struct Call {
    /// The body. It can be decoded because it is verified.
    pub body: Verified,
    /// The contents of the delivery's headers.
    pub delivery: Delivery,
    /// When the work must stop.
    pub deadline: Instant,
    job_id: OnceLock<String>,
}

impl Call {
    /// Sets the job of this delivery: its later log lines and metrics contain the id.
    pub fn delivers(&self, job_id: &str) {
        if self.job_id.set(job_id.to_owned()).is_ok() {
            tracing::Span::current().record("job_id", job_id);
        }
    }
}

/// The handler of a verified delivery.
pub trait DeliveryHandler: Sync {
    /// Handles the delivery, and returns the outcome for the queue.
    fn handle(&self, call: &Call) -> impl Future<Output = Outcome> + Send;
}

/// A function that QStash calls.
#[derive(Debug)]
pub struct Webhook {
    /// The function's folder.
    pub function: &'static str,
    /// The answer to a GET request: `service`, and further members.
    pub about: Value,
    /// The receiver that verifies deliveries.
    pub receiver: Receiver,
    /// The count of its Redis commands.
    pub usage: Usage,
    /// The clock that dates the answer to a GET request.
    pub clock: Clock,
}

impl Webhook {
    /// Serves deliveries until the instance ends.
    pub async fn serve(&self, handler: &impl DeliveryHandler) -> Result<(), Fatal> {
        lambda_http::run(service_fn(|request: Request| self.handle(request, handler)))
            .await
            .map_err(|error| Fatal::runtime(&error))
    }

    async fn handle(
        &self,
        request: Request,
        handler: &impl DeliveryHandler,
    ) -> Result<Response, std::convert::Infallible> {
        let started = Instant::now();
        let request_id = request_id(&request);
        let span = tracing::info_span!(
            "delivery",
            request_id,
            function = self.function,
            job_id = tracing::field::Empty
        );
        let responded = self
            .respond(request, handler, &request_id)
            .instrument(span)
            .await;
        metrics::Invocation {
            function: self.function,
            request_id: &request_id,
            job_id: responded.job_id.as_deref(),
            outcome: responded.outcome,
            duration: started.elapsed(),
            redis: self.usage.take(),
        }
        .emit(self.clock.now());
        Ok(responded.response)
    }

    async fn respond(
        &self,
        request: Request,
        handler: &impl DeliveryHandler,
        request_id: &str,
    ) -> Responded {
        match *request.method() {
            Method::POST => {}
            Method::GET => {
                return Responded::new("done", axum::Json(self.about()).into_response());
            }
            _ => return Responded::new("refused", not_allowed(request_id)),
        }
        let deadline = deadline::of(&request, &self.clock);
        let (parts, body) = request.into_parts();
        let body = raw(body);
        match self.verified(&parts.headers, parts.uri.query(), body) {
            Err(problem) => Responded::new("refused", problem.response(request_id)),
            Ok(body) => {
                let call = Call {
                    body,
                    delivery: Delivery::from(&parts.headers),
                    deadline,
                    job_id: OnceLock::new(),
                };
                let mut responded = to_response(handler.handle(&call).await, request_id);
                responded.job_id = call.job_id.into_inner();
                responded
            }
        }
    }

    fn about(&self) -> Value {
        let mut about = self.about.clone();
        about["status"] = json!("active");
        about["timestamp"] = json!(self.clock.now().as_millisecond());
        about
    }

    /// Returns the delivery, if QStash signed it for this function.
    fn verified(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
        body: Bytes,
    ) -> Result<Verified, Problem> {
        let mut signatures = headers.get_all("upstash-signature").iter();
        let signature = signatures.next().map(HeaderValue::as_bytes);
        let signature = if signatures.next().is_some() {
            None
        } else {
            signature
        };
        let mut path = format!("/api/jobs/{}", self.function);
        // A destination may have a query, which is signed with the rest of the URL.
        if let Some(query) = query.filter(|query| !query.is_empty()) {
            path.push('?');
            path.push_str(query);
        }
        self.receiver
            .verify(&path, signature, body)
            .map_err(|reason| {
                tracing::warn!(reason = %reason, "QStash delivery rejected: invalid signature");
                Problem::new(
                    StatusCode::UNAUTHORIZED,
                    "signature_invalid",
                    "Invalid QStash signature.",
                )
            })
    }
}

/// A response, and its metrics.
struct Responded {
    outcome: &'static str,
    job_id: Option<String>,
    response: Response,
}

impl Responded {
    fn new(outcome: &'static str, response: Response) -> Self {
        Self {
            outcome,
            job_id: None,
            response,
        }
    }
}

/// Converts the outcome into a response: 200, 503 with Retry-After, or 489 with the header that stops retries.
fn to_response(answer: Outcome, request_id: &str) -> Responded {
    match answer {
        Outcome::Ack(body) => Responded::new("done", axum::Json(body).into_response()),
        Outcome::Retry(wait, detail) => {
            let problem =
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "retry", detail).after(wait);
            Responded::new("retry", problem.response(request_id))
        }
        Outcome::Reject(detail) => Responded::new("never", rejected(detail, request_id)),
    }
}

/// Returns the response to any method other than the two of this route.
fn not_allowed(request_id: &str) -> Response {
    let mut response = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "Method not allowed. See the Allow header.",
    )
    .response(request_id);
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("GET,POST"));
    response
}

fn rejected(detail: String, request_id: &str) -> Response {
    let status = StatusCode::from_u16(489).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response: Response<Body> =
        Problem::new(status, "non_retryable", detail).response(request_id);
    response.headers_mut().insert(
        header::HeaderName::from_static("upstash-nonretryable-error"),
        HeaderValue::from_static("true"),
    );
    response
}

/// Returns the body's raw bytes without a copy.
fn raw(body: lambda_http::Body) -> Bytes {
    match body {
        lambda_http::Body::Empty => Bytes::new(),
        lambda_http::Body::Text(text) => text.into(),
        lambda_http::Body::Binary(bytes) => bytes.into(),
        _ => Bytes::copy_from_slice(&body),
    }
}
