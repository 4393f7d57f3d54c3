//! The guard before a route: the service token, and the limiter that the route names.
//!
//! Rejecting a token costs no request. Then one script call decides the block list, the lockout of an address and the
//! route's limit ([`RateLimits::call`]). Routes that change something run it before the handler. Reads send it with the
//! handler's own first request to the store ([`upstash::attach`]).

mod address;
mod admission;
mod tokens;

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use http::{Method, StatusCode};

pub(super) use admission::NotCounted;

use self::address::TrustedProxies;
use self::admission::Gate;
use self::tokens::{Right, Tokens};
use super::caller::Caller;
use super::limiter::{Identifier, Limiter};
use super::problem::Problem;
use crate::base::env;
use crate::base::network::subscriber;
#[cfg(doc)]
use crate::protocol::upstash;
use crate::protocol::upstash::Redis;
#[cfg(doc)]
use crate::service::rate_limit::RateLimits;
use crate::service::rate_limit::{Admission, Claim, Limit, OnOutage, SERVICE};

/// Guards routes for holders of the service token. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    tokens: Arc<Tokens>,
    ceiling: Limit,
    gate: Gate,
}

/// Guards public routes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PublicGuard {
    proxies: Arc<TrustedProxies>,
    gate: Gate,
}

impl Guard {
    /// Returns a guard that accepts `API_TOKEN`, `API_TOKEN_NEXT` and, for reads, `API_TOKEN_READONLY`, and counts in
    /// `redis`.
    pub fn from_env(redis: &Redis) -> Result<Self, env::Error> {
        Ok(Self {
            tokens: Arc::new(Tokens::from_env()?),
            ceiling: Limit::from_env(&SERVICE)?,
            gate: Gate::new(redis),
        })
    }

    /// Guards a route for holders of the service token with `limiter`, at the rate of its variable.
    pub fn service<S: Clone + Send + Sync + 'static>(
        &self,
        limiter: Limiter,
        route: MethodRouter<S>,
    ) -> Result<MethodRouter<S>, env::Error> {
        let limit = Limit::from_env(limiter.counts)?;
        let guard = self.clone();
        Ok(route.layer(from_fn(move |request, next| {
            guard.clone().authorized(limiter, limit, request, next)
        })))
    }

    /// Guards a route for holders of the service token without a limit, for the stated reason.
    pub fn unlimited<S: Clone + Send + Sync + 'static>(
        &self,
        _reason: &'static str,
        route: MethodRouter<S>,
    ) -> MethodRouter<S> {
        let tokens = Arc::clone(&self.tokens);
        route.layer(from_fn(move |request: Request, next: Next| {
            let refused = tokens
                .refusal(&request)
                .or_else(|| Caller::read(request.headers()).err());
            async move {
                match refused {
                    Some(problem) => problem.into_response(),
                    None => next.run(request).await,
                }
            }
        }))
    }

    async fn authorized(
        self,
        limiter: Limiter,
        limit: Limit,
        request: Request,
        next: Next,
    ) -> Response {
        let right = match self.tokens.right(request.headers()) {
            None => return token_invalid().into_response(),
            Some(Right::Reading) if !reads(request.method()) => {
                return token_readonly().into_response();
            }
            Some(right) => right,
        };
        let caller = match Caller::read(request.headers()) {
            Ok(caller) => caller,
            Err(problem) => return problem.into_response(),
        };
        let admission = self.admission(limiter, limit, right, &caller);
        self.gate.pass(limiter, &admission, request, next).await
    }

    /// Returns the checks of a request: the acting user and the user's address; without a user, the token.
    fn admission(
        &self,
        limiter: Limiter,
        limit: Limit,
        right: Right,
        caller: &Caller,
    ) -> Admission {
        let claim = match (&caller.user_id, caller.client_ip) {
            (None, _) => Claim::one(self.ceiling, right.holder().to_owned()),
            (Some(user), None) => Claim::one(limit, user.clone()),
            (Some(user), Some(address)) => {
                Claim::one(limit, format!("{user}:{}", subscriber(address)))
            }
        };
        Admission {
            // A signed-in user is not affected by failures of others at the same address.
            checks_lockout: caller.user_id.is_none() && limiter.on_outage == OnOutage::Closed,
            claims: vec![claim],
            address: caller.client_ip,
        }
    }
}

impl PublicGuard {
    /// Returns a guard that counts in `redis` by source address (behind `TRUSTED_PROXIES`).
    pub fn from_env(redis: &Redis) -> Result<Self, env::Error> {
        Ok(Self {
            proxies: Arc::new(TrustedProxies::from_env()?),
            gate: Gate::new(redis),
        })
    }

    /// Guards a public route with `limiter`, at the rate of its variable.
    pub fn public<S: Clone + Send + Sync + 'static>(
        &self,
        limiter: Limiter,
        route: MethodRouter<S>,
    ) -> Result<MethodRouter<S>, env::Error> {
        debug_assert_eq!(limiter.identifier, Identifier::SourceAddress);
        let limit = Limit::from_env(limiter.counts)?;
        let guard = self.clone();
        Ok(route.layer(from_fn(move |request, next| {
            guard.clone().passed(limiter, limit, request, next)
        })))
    }

    async fn passed(
        self,
        limiter: Limiter,
        limit: Limit,
        request: Request,
        next: Next,
    ) -> Response {
        let address = self.proxies.client(&request);
        let identifier = address.map_or_else(|| "unknown".to_owned(), subscriber);
        let admission = Admission {
            claims: vec![Claim::one(limit, identifier)],
            address,
            checks_lockout: limiter.on_outage == OnOutage::Closed,
        };
        self.gate.pass(limiter, &admission, request, next).await
    }
}

/// Returns a public route without a limit, for the stated reason.
pub fn unlimited<S>(_reason: &'static str, route: MethodRouter<S>) -> MethodRouter<S> {
    route
}

impl Tokens {
    /// Returns the problem of the request's token, if it is not accepted.
    fn refusal(&self, request: &Request) -> Option<Problem> {
        match self.right(request.headers()) {
            None => Some(token_invalid()),
            Some(Right::Reading) if !reads(request.method()) => Some(token_readonly()),
            Some(_) => None,
        }
    }
}

fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

fn token_invalid() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "token_invalid",
        "Missing or invalid service token. Send Authorization: Bearer <API_TOKEN>.",
    )
}

fn token_readonly() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "token_readonly",
        "This token is read-only.",
    )
}
