//! The limit of a route: its limiter, the identifier that is counted, and the time of the check.
//!
//! Each route names one. If the store is unavailable, the limiter decides ([`rate_limit::Limiter`]), unless the route
//! is declared [`closed`](Limiter::closed).

use crate::service::rate_limit::{self, OnOutage};

/// The identifier that a limiter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// The acting user and the user's address; without a user, only the token's ceiling.
    ActingUser,
    /// The source address of the request.
    SourceAddress,
}

/// When a read is counted. A change is always counted before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// The check is sent with the handler's first request to the store.
    Pipelined,
    /// Before the handler: for reads that first use another service, such as Postgres, so that a rejected request does
    /// not use it.
    Before,
}

/// The limit of a route.
#[derive(Clone, Copy, Debug)]
pub struct Limiter {
    /// The limiter, and its behaviour during an outage.
    pub counts: &'static rate_limit::Limiter,
    /// The identifier that is counted.
    pub identifier: Identifier,
    /// When a read is counted.
    pub timing: Timing,
    /// What happens to a request that cannot be counted.
    pub on_outage: OnOutage,
}

impl Limiter {
    /// Returns a limiter of acting users.
    #[must_use]
    pub const fn of_users(counts: &'static rate_limit::Limiter) -> Self {
        Self::new(counts, Identifier::ActingUser)
    }

    /// Returns a limiter of source addresses.
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

    /// Returns this limiter, checked before the handler.
    #[must_use]
    pub const fn before(self) -> Self {
        Self {
            timing: Timing::Before,
            ..self
        }
    }

    /// Returns this limiter, rejecting requests that cannot be counted: for secrets that could otherwise be guessed
    /// without a limit.
    #[must_use]
    pub const fn closed(self) -> Self {
        Self {
            on_outage: OnOutage::Closed,
            ..self
        }
    }
}

/// The limiter of API calls with the service token.
pub const API: Limiter = Limiter::of_users(&rate_limit::API);

/// The limiter of public routes and of tickets.
pub const PUBLIC: Limiter = Limiter::of_addresses(&rate_limit::PUBLIC);
