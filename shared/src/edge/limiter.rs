//! How a route is limited: by which limiter, whom that counts, and when the store is asked.
//!
//! Named beside each route. When the store is down, a route does what its limiter says ([`rate_limit::Limiter`]),
//! unless it is declared [`closed`](Limiter::closed).

use crate::service::rate_limit::{self, OnOutage};

/// Whom a limiter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// The acting user and the user's address; without a user, only the token's ceiling.
    ActingUser,
    /// The address that the request came from.
    SourceAddress,
}

/// When the store is asked. Whatever changes something is counted before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// A read's question travels with the first thing that its handler asks of the store, in the same request.
    Pipelined,
    /// Before the handler begins: for reads whose first way leads elsewhere, to Postgres say, and must not be
    /// walked for nothing.
    Before,
}

/// How a route is limited.
#[derive(Clone, Copy, Debug)]
pub struct Limiter {
    /// What counts, and what it says when it cannot.
    pub counts: &'static rate_limit::Limiter,
    /// Whom it counts.
    pub identifier: Identifier,
    /// When the store is asked about a read.
    pub timing: Timing,
    /// What becomes of a call that cannot be counted.
    pub on_outage: OnOutage,
}

impl Limiter {
    /// A limiter of acting users.
    #[must_use]
    pub const fn of_users(counts: &'static rate_limit::Limiter) -> Self {
        Self::new(counts, Identifier::ActingUser)
    }

    /// A limiter of source addresses.
    #[must_use]
    pub const fn of_addresses(counts: &'static rate_limit::Limiter) -> Self {
        Self::new(counts, Identifier::SourceAddress)
    }

    const fn new(counts: &'static rate_limit::Limiter, identifier: Identifier) -> Self {
        Self {
            counts,
            identifier,
            timing: Timing::Pipelined,
            on_outage: counts.on_outage,
        }
    }

    /// The same, asked before the handler begins.
    #[must_use]
    pub const fn before(self) -> Self {
        Self {
            timing: Timing::Before,
            ..self
        }
    }

    /// The same, and what cannot be counted is refused: for what somebody could otherwise guess at without end.
    #[must_use]
    pub const fn closed(self) -> Self {
        Self {
            on_outage: OnOutage::Closed,
            ..self
        }
    }
}

/// Calls of the API with the service token.
pub const API: Limiter = Limiter::of_users(&rate_limit::API);

/// Routes that anybody may call, and those of tickets.
pub const PUBLIC: Limiter = Limiter::of_addresses(&rate_limit::PUBLIC);
