//! Lambda's Runtime API for one instance, as custom runtimes poll it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::fleet::InstanceId;
use super::function::{Delivery, Function};
use super::invocation::Outcome;
use crate::listening::{Answer, Listening, Peer};
use crate::{InvokeError, body, clock, limit};

const PREFIX: &str = "/2018-06-01/runtime/";

/// Serves the instance with this id.
pub(super) fn serve(
    listener: TcpListener,
    function: Arc<Function>,
    id: InstanceId,
) -> io::Result<Listening> {
    Listening::serve(listener, Peer::Runtime, move |request, _peer| {
        answer(Arc::clone(&function), id, request)
    })
}

async fn answer(function: Arc<Function>, id: InstanceId, request: Request<Incoming>) -> Answer {
    let path = request
        .uri()
        .path()
        .strip_prefix(PREFIX)
        .unwrap_or_default()
        .to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => match function.next(id).await {
            Some(delivery) => deliver(&function.name, delivery),
            None => refuse(StatusCode::GONE, "InstanceGone"),
        },
        (&Method::POST, ["invocation", request_id, "response"]) => {
            response(&function, id, request_id, request.into_body()).await
        }
        (&Method::POST, ["invocation", request_id, "error"]) => {
            let error = error(request.into_body()).await;
            accept(function.finish(id, request_id, Err(error)))
        }
        (&Method::POST, ["init", "error"]) => {
            let reason = error(request.into_body()).await.to_string();
            function.fail_init(id, &reason);
            accept(true)
        }
        _ => refuse(StatusCode::NOT_FOUND, "NotFound"),
    }
}

async fn response(function: &Function, id: InstanceId, request_id: &str, body: Incoming) -> Answer {
    let outcome: Outcome = match body::collect(body, limit::LAMBDA_RESPONSE).await {
        Ok(result) => Ok(result),
        Err(body::Error::TooLarge) => Err(InvokeError::TooLarge),
        // The process is ending in the middle of its response: the task that waits for its end informs the caller.
        Err(body::Error::Broken(_)) => return refuse(StatusCode::BAD_REQUEST, "BrokenBody"),
    };
    let too_large = outcome.is_err();
    let known = function.finish(id, request_id, outcome);
    if too_large && known {
        refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge")
    } else {
        accept(known)
    }
}

/// The runtime's description of a failure; missing fields stay empty.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Report {
    error_type: String,
    error_message: String,
}

async fn error(body: Incoming) -> InvokeError {
    let text = body::collect(body, limit::LAMBDA_RESPONSE)
        .await
        .unwrap_or_default();
    let report: Report = serde_json::from_slice(&text).unwrap_or_default();
    InvokeError::Function {
        error_type: report.error_type,
        message: report.error_message,
    }
}

fn deliver(name: &str, delivery: Delivery) -> Answer {
    let mut answer = Response::new(Full::new(delivery.event));
    let trace = Uuid::new_v4().simple().to_string();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", delivery.request_id),
        (
            "lambda-runtime-deadline-ms",
            delivery.deadline_millis.to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            format!("arn:aws:lambda:us-east-1:000000000000:function:{name}"),
        ),
        (
            "lambda-runtime-trace-id",
            format!(
                "Root=1-{:08x}-{};Sampled=0",
                clock::now().as_second(),
                &trace[..24]
            ),
        ),
    ];
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

fn accept(known: bool) -> Answer {
    if known {
        json_answer(StatusCode::ACCEPTED, &json!({"status": "OK"}))
    } else {
        refuse(StatusCode::BAD_REQUEST, "InvalidRequestID")
    }
}

fn refuse(status: StatusCode, error_type: &str) -> Answer {
    json_answer(
        status,
        &json!({"errorType": error_type, "errorMessage": status.canonical_reason()}),
    )
}

fn json_answer(status: StatusCode, value: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(value.to_string())));
    *answer.status_mut() = status;
    answer
}
