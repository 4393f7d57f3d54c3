//! Which commands a caller may send: what Upstash offers over REST, and what the token allows.

use crate::access::Access;
use crate::catalogue::{Catalogue, Traits};
use crate::command::Command;

/// Commands that a shared connection cannot run (they change its state or wait on it) and those that a database
/// behind REST does not have, beside what Redis itself flags as administration.
const UNAVAILABLE: &[&str] = &[
    "asking",
    "auth",
    "client",
    "discard",
    "exec",
    "hello",
    "migrate",
    "multi",
    "psubscribe",
    "punsubscribe",
    "quit",
    "readonly",
    "readwrite",
    "reset",
    "select",
    "ssubscribe",
    "subscribe",
    "sunsubscribe",
    "swapdb",
    "unsubscribe",
    "unwatch",
    "wait",
    "waitaof",
    "watch",
];

/// Commands without data that the read-only token may send all the same.
const HARMLESS: &[&str] = &["echo", "ping", "time"];

/// Reads that walk the whole database, which Upstash keeps from the read-only token.
const WALKS: &[&str] = &["scan", "keys"];

/// The error line for a command that may not run; `None` lets it through.
pub(crate) fn refusal(command: &Command, access: Access, catalogue: &Catalogue) -> Option<String> {
    let name = command.name();
    let traits = catalogue.traits(command).unwrap_or_default();
    if !is_available(command, &name, traits) {
        return Some(format!(
            "ERR Command is not available: '{}'. See https://upstash.com/docs/redis/overall/compatibility for details",
            name.to_ascii_uppercase()
        ));
    }
    let reads =
        HARMLESS.contains(&name.as_str()) || (traits.reads && !WALKS.contains(&name.as_str()));
    (access == Access::ReadOnly && !reads).then(|| denied(&name))
}

/// The error line for a command that the read-only token may not send.
pub(crate) fn denied(name: &str) -> String {
    format!("NOPERM this user has no permissions to run the '{name}' command or its subcommand")
}

fn is_available(command: &Command, name: &str, traits: Traits) -> bool {
    let debugs_scripts = name == "script" && command.keyword(0).as_deref() == Some("debug");
    !(traits.administers
        || debugs_scripts
        || UNAVAILABLE.contains(&name)
        || (traits.blocks && waits(command, name)))
}

/// Stream reads wait only when they say BLOCK, which stands before STREAMS; every other blocking command may wait.
fn waits(command: &Command, name: &str) -> bool {
    let mut options = (0..command.arguments().len()).filter_map(|place| command.keyword(place));
    match name {
        // XREADGROUP GROUP <group> <consumer> comes first, and those two may be called anything.
        "xreadgroup" => options
            .skip(3)
            .take_while(|word| word != "streams")
            .any(|word| word == "block"),
        "xread" => options
            .by_ref()
            .take_while(|word| word != "streams")
            .any(|word| word == "block"),
        _ => true,
    }
}
