//! Security monitoring: the block list, and lockouts.

use crate::service::key::Family;

/// Which lengths of prefix the block list has, such as `4/24,6/64`: what an address has to be looked up by.
pub const BLOCKED_LENGTHS: Family = Family {
    pattern: "blocklist:lengths",
    kind: "string",
    life: "none; one word for each length, 162 at most",
};

/// The blocked networks, each by its prefix, with the millisecond when it ends (0: it does not).
pub const BLOCKED_PREFIXES: Family = Family {
    pattern: "blocklist:prefixes",
    kind: "hash",
    life: "none; one field for each entry of the list, as Postgres has it",
};

/// Until when an address is locked out, because too much has failed from it.
pub const ADDRESS_LOCKOUT: Family = Family {
    pattern: "lockout:{address}",
    kind: "string",
    life: "the lockout: 30 minutes at most",
};

/// The families of this service.
pub const KEYS: &[&Family] = &[&BLOCKED_LENGTHS, &BLOCKED_PREFIXES, &ADDRESS_LOCKOUT];
