//! An API endpoint: a router behind Lambda, with the behaviour that all routes share.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use lambda_http::{Request, RequestExt as _, service_fn};
use tokio::time::Instant;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use super::fatal::Fatal;
use super::guard::NotCounted;
use super::problem::Problem;
use super::{deadline, error_mapping, metrics, path};
use crate::base::clock::Clock;
use crate::protocol::upstash::Usage;

/// The largest body that is read. A Lambda event holds 6 MB, and base64 takes a quarter of it.
pub const LARGEST_BODY: usize = 4 << 20;

/// Serves `router` until the instance ends. `usage` counts the function's Redis commands; a function without Redis
/// passes an empty one.
pub async fn serve(function: &'static str, router: Router, usage: Usage) -> Result<(), Fatal> {
    let router = router
        .fallback(async || {
            Problem::new(StatusCode::NOT_FOUND, "route_not_found", "Route not found.")
        })
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Method not allowed. See the Allow header.",
            )
        })
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    let clock = Clock::system();
    lambda_http::run(service_fn(|request: Request| {
        handle(function, &router, &usage, &clock, request)
    }))
    .await
    .map_err(|error| Fatal::runtime(&error))
}

/// Handles one request: limits its time, catches panics, writes problem documents, emits metrics.
async fn handle(
    function: &str,
    router: &Router,
    usage: &Usage,
    clock: &Clock,
    request: Request,
) -> Result<Response, std::convert::Infallible> {
    let started = Instant::now();
    let request_id = request_id(&request);
    let span = tracing::info_span!("request", request_id, function);
    let deadline = deadline::of(&request, clock);
    let is_head = request.method() == Method::HEAD;
    let answer = router
        .clone()
        .oneshot(path::encoded(request).map(Body::new));
    let response = tokio::time::timeout_at(deadline, AssertUnwindSafe(answer).catch_unwind())
        .instrument(span)
        .await;
    let mut response = match response {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(panic)) => {
            tracing::error!(
                panic = panic_text(&*panic),
                request_id,
                "request failed: the handler panicked"
            );
            error_mapping::internal().into_response()
        }
        Err(_) => Problem::unavailable("The request timed out. Try again.").into_response(),
    };
    if response.extensions().get::<NotCounted>().is_some() {
        metrics::Figure::LimiterOutages(1).emit(function, clock.now());
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        if problem.code == error_mapping::QUEUE_QUOTA {
            metrics::Figure::QueueQuotaSpent(1).emit(function, clock.now());
        }
        response = written(&problem, &request_id, &response);
    }
    if is_head {
        *response.body_mut() = Body::empty();
    }
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    metrics::Invocation {
        function,
        request_id: &request_id,
        job_id: None,
        outcome: outcome(response.status()),
        duration: started.elapsed(),
        redis: usage.take(),
    }
    .emit(clock.now());
    Ok(response)
}

/// Headers of routing and the guard that are kept when the body is replaced. A 405 lists the methods of the path (RFC
/// 9110 section 15.5.6).
const KEPT_HEADERS: [HeaderName; 4] = [
    header::ALLOW,
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
];

/// Returns the problem's response, with the kept headers of the first response.
fn written(problem: &Problem, request_id: &str, decided: &Response) -> Response {
    let mut response = problem.response(request_id);
    for name in KEPT_HEADERS {
        if let Some(value) = decided.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// Returns Lambda's id of the invocation.
pub(super) fn request_id(request: &Request) -> String {
    request
        .lambda_context_ref()
        .map_or_else(|| "-".to_owned(), |context| context.request_id.clone())
}

/// Returns the message of a panic, if it has one.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

fn outcome(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..=399 => "done",
        400..=499 => "refused",
        _ => "failed",
    }
}
