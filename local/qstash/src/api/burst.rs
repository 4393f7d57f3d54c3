//! The limit per second on management calls; publishing has no such limit.
//!
//! The second is one of real time at any speed of the server, because callers run in real time. Source:
//! <https://upstash.com/docs/qstash/api/api-ratelimiting>.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue};

use crate::clock;

use super::refusal::Refusal;

/// The paths of publishing calls.
const UNLIMITED: [&str; 3] = ["/v2/publish/", "/v2/enqueue/", "/v2/batch"];

/// The number of management calls in this second.
pub(super) struct Burst {
    limit: u32,
    window: Mutex<Window>,
}

#[derive(Clone, Copy, Default)]
struct Window {
    second: u64,
    calls: u32,
}

/// The limit, its remaining calls, and the Unix second in which it is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    limit: u32,
    remaining: Option<u32>,
    reset: u64,
}

impl Burst {
    /// Creates a limit per second.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            window: Mutex::default(),
        }
    }

    /// Counts a call; nothing remains of an exceeded limit.
    fn count(&self, wall_ms: u64) -> Left {
        let second = wall_ms / 1_000;
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.second != second {
            *window = Window { second, calls: 0 };
        }
        window.calls = window.calls.saturating_add(1);
        Left {
            limit: self.limit,
            remaining: self.limit.checked_sub(window.calls),
            reset: second + 1,
        }
    }
}

impl Left {
    fn write(self, headers: &mut HeaderMap) {
        headers.insert("burst-ratelimit-limit", HeaderValue::from(self.limit));
        let remaining = self.remaining.unwrap_or_default();
        headers.insert("burst-ratelimit-remaining", HeaderValue::from(remaining));
        headers.insert("burst-ratelimit-reset", HeaderValue::from(self.reset));
    }
}

/// Accepts a call within the limit of this second, and adds the remaining calls to the response.
pub(super) async fn limit(
    State(burst): State<Arc<Burst>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if UNLIMITED.iter().any(|prefix| path.starts_with(prefix)) {
        return next.run(request).await;
    }
    let left = burst.count(clock::wall_ms());
    let mut response = if left.remaining.is_some() {
        next.run(request).await
    } else {
        Refusal::TooManyCalls.into_response()
    };
    left.write(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_beyond_the_limit_wait_for_the_next_second() {
        let burst = Burst::new(2);
        let remaining = |wall_ms| burst.count(wall_ms).remaining;
        assert_eq!(remaining(10_000), Some(1));
        assert_eq!(remaining(10_999), Some(0));
        assert_eq!(remaining(10_999), None);
        assert_eq!(
            burst.count(11_000),
            Left {
                limit: 2,
                remaining: Some(1),
                reset: 12
            }
        );
    }
}
