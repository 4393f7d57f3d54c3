//! API Gateway's HTTP API. It checks a request against the limits and calls the function of the route with an event of
//! payload format 2.0. Then it converts the function's result to the response.

mod answer;
mod event;
mod headers;
mod refusal;
mod text;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use hyper::body::Incoming;
use uuid::Uuid;

use crate::lambda::Function;
use crate::listening::Answer;
use crate::router::Router;
use crate::{InvokeError, body, limit};
use refusal::Refusal;

/// The HTTP API.
pub(crate) struct Front {
    router: Router,
    functions: Arc<BTreeMap<String, Arc<Function>>>,
}

impl Front {
    pub(crate) fn new(router: Router, functions: Arc<BTreeMap<String, Arc<Function>>>) -> Self {
        Self { router, functions }
    }

    /// Answers one request. Every response carries the request id of the event.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Answer {
        let id = Uuid::new_v4().to_string();
        let (parts, body) = request.into_parts();
        let mut answer = match self.respond(&parts, body, peer, &id).await {
            Ok(answer) => answer,
            Err(refusal) => {
                tracing::debug!(
                    ?refusal,
                    method = %parts.method,
                    path = parts.uri.path(),
                    "request rejected by the gateway"
                );
                refusal.answer()
            }
        };
        if let Ok(id) = id.parse() {
            answer.headers_mut().insert("apigw-requestid", id);
        }
        answer
    }

    async fn respond(
        &self,
        parts: &Parts,
        body: Incoming,
        peer: SocketAddr,
        id: &str,
    ) -> Result<Answer, Refusal> {
        // The body is always read. Otherwise a client that is still writing would get a reset connection and no
        // response.
        let body = read(body).await;
        if headers::head_size(parts) > limit::HEAD {
            return Err(Refusal::HeadTooLarge);
        }
        let body = body?;
        let route = self
            .router
            .route(&parts.method, parts.uri.path())
            .ok_or(Refusal::NoRoute)?;
        let function = self.functions.get(route.function).ok_or(Refusal::NoRoute)?;
        let event = event::build(parts, &body, &route, peer, id)?;
        if event.len() > limit::LAMBDA_REQUEST {
            return Err(Refusal::BodyTooLarge);
        }
        let result = call(function, event).await?;
        answer::build(&result).ok_or(Refusal::Failed)
    }
}

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(limit::BODY_READ, body::collect(body, limit::BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(body::Error::TooLarge)) => Err(Refusal::BodyTooLarge),
        Ok(Err(body::Error::Broken(_))) => Err(Refusal::Malformed),
        Err(_elapsed) => Err(Refusal::BodyTooSlow),
    }
}

async fn call(function: &Arc<Function>, event: Vec<u8>) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(limit::INTEGRATION, function.call(event.into())).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(InvokeError::TimedOut(_) | InvokeError::Stopped | InvokeError::Throttled(_)))
        | Err(_) => Err(Refusal::Unavailable),
        Ok(Err(_)) => Err(Refusal::Failed),
    }
}
