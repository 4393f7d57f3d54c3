//! What stands before a route: the service token, and the limiter that the route names.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use http::{Method, StatusCode, header};

use super::limiter::Limiter;
use super::problem::Problem;
use crate::base::env;
use crate::base::secret::Secret;

/// Guards routes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    tokens: Arc<Tokens>,
}

/// The tokens that are accepted. Two may write, so that one can be exchanged without a gap.
#[derive(Debug)]
struct Tokens {
    current: Secret,
    next: Option<Secret>,
    readonly: Option<Secret>,
}

/// What a token is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Everything,
    Reading,
}

impl Guard {
    /// A guard that believes `API_TOKEN`, `API_TOKEN_NEXT` and, for reading, `API_TOKEN_READONLY`.
    pub fn from_env() -> Result<Self, env::Error> {
        Ok(Self::new(
            env::secret("API_TOKEN")?,
            env::optional("API_TOKEN_NEXT").map(Secret::new),
            env::optional("API_TOKEN_READONLY").map(Secret::new),
        ))
    }

    /// A guard that believes these tokens.
    #[must_use]
    pub fn new(current: Secret, next: Option<Secret>, readonly: Option<Secret>) -> Self {
        Self {
            tokens: Arc::new(Tokens {
                current,
                next,
                readonly,
            }),
        }
    }

    /// A route for holders of the service token, within `limiter`.
    pub fn service<S: Clone + Send + Sync + 'static>(
        &self,
        limiter: Limiter,
        route: MethodRouter<S>,
    ) -> MethodRouter<S> {
        let tokens = Arc::clone(&self.tokens);
        route.layer(from_fn(move |request, next| {
            authorized(Arc::clone(&tokens), limiter, request, next)
        }))
    }

    /// A route for anybody, within `limiter`.
    pub fn public<S: Clone + Send + Sync + 'static>(
        limiter: Limiter,
        route: MethodRouter<S>,
    ) -> MethodRouter<S> {
        route.layer(from_fn(move |request, next| passed(limiter, request, next)))
    }
}

async fn authorized(
    tokens: Arc<Tokens>,
    limiter: Limiter,
    request: Request,
    next: Next,
) -> Response {
    match tokens.right(&request) {
        None => Problem::new(
            StatusCode::UNAUTHORIZED,
            "token_invalid",
            "Send the service token: Authorization: Bearer <API_TOKEN>.",
        )
        .into_response(),
        Some(Right::Reading) if !reads(request.method()) => Problem::new(
            StatusCode::FORBIDDEN,
            "token_readonly",
            "This token may only read.",
        )
        .into_response(),
        Some(_) => passed(limiter, request, next).await,
    }
}

/// Past the token; the limiter is named in the log, and counts once the rate limit service stands.
async fn passed(limiter: Limiter, request: Request, next: Next) -> Response {
    tracing::debug!(limiter = limiter.name, "guarded");
    next.run(request).await
}

fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

impl Tokens {
    /// What the request's bearer token is good for. Every token is compared, so that the time tells nothing.
    fn right(&self, request: &Request) -> Option<Right> {
        let value = request
            .headers()
            .get(header::AUTHORIZATION)?
            .to_str()
            .ok()?;
        let token = bearer(value)?;
        let is =
            |secret: &Option<Secret>| secret.as_ref().is_some_and(|secret| secret.matches(token));
        let everything = self.current.matches(token) | is(&self.next);
        let reading = is(&self.readonly);
        match (everything, reading) {
            (true, _) => Some(Right::Everything),
            (false, true) => Some(Right::Reading),
            (false, false) => None,
        }
    }
}

/// The token of a bearer credential; the scheme is case-insensitive (RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
