//! The limiters that routes name.
//!
//! A route says which limiter protects it, whom that limiter counts, and what happens when the store is down. The
//! counting itself belongs to the rate limit service; until it stands, a guard names the limiter and lets pass.

/// Whom a limiter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// The acting user and the user's address; without a user, only the token's ceiling.
    ActingUser,
    /// The address that the request came from.
    SourceAddress,
}

/// What a limiter says when it cannot count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutage {
    /// Let pass: reads.
    Open,
    /// Refuse: signing, TOTP, passwords, logins.
    Closed,
}

/// A named limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limiter {
    /// Its name; its keys are prefixed `rl:{name}`.
    pub name: &'static str,
    /// Whom it counts.
    pub identifier: Identifier,
    /// What it says when it cannot count.
    pub on_outage: OnOutage,
}

/// Calls of the API with the service token.
pub const API: Limiter = Limiter {
    name: "api",
    identifier: Identifier::ActingUser,
    on_outage: OnOutage::Open,
};

/// Routes that anybody may call.
pub const PUBLIC: Limiter = Limiter {
    name: "api",
    identifier: Identifier::SourceAddress,
    on_outage: OnOutage::Open,
};
