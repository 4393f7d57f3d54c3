//! Admits a request or rejects it, and reports the remaining limit to its caller.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode};

use super::super::limiter::{Limiter, Timing};
use super::super::problem::Problem;
use super::reads;
use crate::base::causes::causes;
use crate::base::clock::Clock;
use crate::protocol::upstash::{self, PiggybackResult, Redis, Reply, attach};
use crate::service::rate_limit::{self, Admission, OnOutage, RateLimits, Reason, Verdict};

/// The `Retry-After` of a request whose closed limiter cannot reach its store.
const OUTAGE_WAIT: Duration = Duration::from_secs(5);

/// A mark on a response: its limiter could not count. The edge turns it into a metric.
#[derive(Clone, Copy, Debug)]
pub(in crate::edge) struct NotCounted;

/// The checks of a request: the block list, the lockout of its address, and its limit.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    redis: Redis,
    limits: RateLimits,
}

type StoreReply = Result<Reply, upstash::Error>;

impl Gate {
    pub(super) fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
            limits: RateLimits::new(redis.clone(), Clock::system()),
        }
    }

    /// Checks the limits, and runs the handler or rejects the request.
    pub(super) async fn pass(
        &self,
        limiter: Limiter,
        admission: &Admission,
        request: Request,
        next: Next,
    ) -> Response {
        if let Some(verdict) = self.limits.remembered(admission) {
            return with_limit_headers(&verdict, refusal(&verdict));
        }
        let call = self.limits.call(admission);
        if limiter.timing == Timing::Pipelined && reads(request.method()) {
            let admits = match limiter.on_outage {
                OnOutage::Open => passes_or_unknown,
                OnOutage::Closed => passes,
            };
            let (response, result) = attach(call, admits, next.run(request)).await;
            let answer = match result {
                PiggybackResult::Answered(answer) => answer,
                PiggybackResult::Unspent(call) => self.redis.eval(call).await,
                PiggybackResult::Lost => Err(upstash::Error::Transport {
                    sent: true,
                    source: None,
                }),
            };
            return match (self.decide(limiter, admission, answer), response) {
                (Decision::Refuse(refusal), _) => refusal,
                (Decision::Pass(verdict), Some(response)) => with_verdict(verdict, response),
                // The work was dropped because the answer is not a readable verdict.
                (Decision::Pass(_), None) => with_verdict(None, outage().into_response()),
            };
        }
        let answer = self.redis.eval(call).await;
        match self.decide(limiter, admission, answer) {
            Decision::Refuse(refusal) => refusal,
            Decision::Pass(verdict) => with_verdict(verdict, next.run(request).await),
        }
    }

    fn decide(&self, limiter: Limiter, admission: &Admission, answer: StoreReply) -> Decision {
        match answer.and_then(|reply| self.limits.answer(admission, reply)) {
            Ok(verdict) if verdict.refusal.is_some() => {
                Decision::Refuse(with_limit_headers(&verdict, refusal(&verdict)))
            }
            Ok(verdict) => Decision::Pass(Some(verdict)),
            Err(error) => {
                let name = limiter.counts.name;
                let error = causes(&error);
                match limiter.on_outage {
                    OnOutage::Open => {
                        tracing::error!(
                            limiter = name,
                            error,
                            "limiter unavailable; request allowed without counting"
                        );
                        Decision::Pass(None)
                    }
                    OnOutage::Closed => {
                        tracing::error!(
                            limiter = name,
                            error,
                            "limiter unavailable; request rejected with 503"
                        );
                        Decision::Refuse(with_verdict(None, outage().into_response()))
                    }
                }
            }
        }
    }
}

/// The decision that follows from an answer.
enum Decision {
    Refuse(Response),
    /// Run the handler, with the verdict if there is one.
    Pass(Option<Verdict>),
}

/// Returns the response with its verdict's headers, or with the mark of an outage.
fn with_verdict(verdict: Option<Verdict>, mut response: Response) -> Response {
    if let Some(verdict) = verdict {
        return with_limit_headers(&verdict, response);
    }
    response.extensions_mut().insert(NotCounted);
    response
}

fn passes(answer: &StoreReply) -> bool {
    answer.as_ref().is_ok_and(rate_limit::passes)
}

fn passes_or_unknown(answer: &StoreReply) -> bool {
    answer.as_ref().map_or(true, rate_limit::passes)
}

fn refusal(verdict: &Verdict) -> Response {
    let problem = match verdict.refusal {
        Some(Reason::Blocked) => Problem::new(
            StatusCode::FORBIDDEN,
            "address_blocked",
            "The client address is on the block list.",
        ),
        Some(Reason::LockedOut) => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "locked_out",
            "Too many failed attempts from this address. See the Retry-After header.",
        )
        .after(verdict.wait),
        Some(Reason::Limited) | None => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "Too many requests. See the Retry-After header.",
        )
        .after(verdict.wait),
    };
    problem.into_response()
}

fn outage() -> Problem {
    Problem::unavailable("Rate limiting is unavailable. Try again later.").after(OUTAGE_WAIT)
}

/// Returns the response with the remaining requests and the end of the window (in milliseconds, like the web app's
/// limiter).
fn with_limit_headers(verdict: &Verdict, mut response: Response) -> Response {
    if matches!(verdict.refusal, Some(Reason::Blocked | Reason::LockedOut)) {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", HeaderValue::from(verdict.limit));
    headers.insert(
        "x-ratelimit-remaining",
        HeaderValue::from(verdict.remaining),
    );
    let reset = HeaderValue::from(verdict.reset.as_millisecond());
    headers.insert("x-ratelimit-reset", reset);
    response
}
