//! The commands of the server group that Upstash answers in its own way
//! (<https://upstash.com/docs/redis/commands/server/overview>): COMMAND, CONFIG and ACL.
//!
//! A database's own users (ACL SETUSER, DELUSER, GENTOKEN, RESTTOKEN) are not modelled and are rejected.

use bytes::Bytes;

use crate::command::Command;
use crate::permission;
use crate::redis::Reply;

/// The only setting that Upstash exposes.
const SETTING: &str = "notify-keyspace-events";

/// The user of every token.
const USER: &str = "default";

/// The handling of such a command.
pub(crate) enum Ruling {
    /// It is answered here.
    Answered(Reply),
    /// It runs at Redis.
    Runs(Command),
}

/// The group. Upstash documents DBSIZE, FLUSHALL, FLUSHDB, INFO and TIME as well, which redis-server answers.
pub(crate) const NAMES: &[&str] = &["acl", "command", "config"];

/// Returns the handling of a command of the group; returns any other command.
pub(crate) fn ruling(command: Command) -> Result<Ruling, Command> {
    let name = command.name();
    let subcommand = command.keyword(0).unwrap_or_default();
    match name.as_str() {
        "command" => Ok(Ruling::Answered(listing(&command))),
        "config" => Ok(config(command, &subcommand)),
        "acl" => Ok(acl(command, &subcommand)),
        _ => Err(command),
    }
}

/// Returns the table of commands, which is empty at Upstash.
fn listing(command: &Command) -> Reply {
    if command.arguments().is_empty() {
        Reply::Array(Vec::new())
    } else {
        Reply::error("ERR wrong number of arguments for 'command' command")
    }
}

fn config(command: Command, subcommand: &str) -> Ruling {
    let parameters = command.arguments().get(1..).unwrap_or_default();
    let names = |place: usize| command.keyword(place);
    match subcommand {
        "get" if !parameters.is_empty() => {
            let is_asked = (1..=parameters.len())
                .filter_map(names)
                .any(|pattern| matches(&pattern, SETTING));
            if is_asked {
                Ruling::Runs(Command::new("CONFIG", vec![text("GET"), text(SETTING)]))
            } else {
                Ruling::Answered(Reply::Array(Vec::new()))
            }
        }
        "set"
            if (1..=parameters.len())
                .step_by(2)
                .filter_map(names)
                .all(|name| name == SETTING) =>
        {
            Ruling::Runs(command)
        }
        _ => unavailable("config"),
    }
}

fn acl(command: Command, subcommand: &str) -> Ruling {
    let answer = match subcommand {
        "cat" | "genpass" => return Ruling::Runs(command),
        "whoami" => Reply::Bulk(text(USER)),
        "users" => Reply::Array(vec![Reply::Bulk(text(USER))]),
        "list" => Reply::Array(vec![Reply::Bulk(text("user default on ~* &* +@all"))]),
        "log" if command.keyword(1).as_deref() == Some("reset") => Reply::Status(text("OK")),
        "log" => Reply::Array(Vec::new()),
        "load" | "save" => Reply::Status(text("OK")),
        "getuser" if command.keyword(1).as_deref() == Some(USER) => {
            return Ruling::Runs(command);
        }
        "getuser" => Reply::NullBulk,
        _ => return unavailable("acl"),
    };
    Ruling::Answered(answer)
}

fn unavailable(name: &str) -> Ruling {
    Ruling::Answered(Reply::error(permission::unavailable(name)))
}

fn text(word: &'static str) -> Bytes {
    Bytes::from_static(word.as_bytes())
}

/// Returns whether a pattern of `*` and `?` matches a text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = text.chars();
    let mut signs = pattern.chars();
    match signs.next() {
        None => text.is_empty(),
        Some('*') => {
            let pattern = signs.as_str();
            std::iter::successors(Some(text), |text| {
                let mut rest = text.chars();
                rest.next().map(|_| rest.as_str())
            })
            .any(|text| matches(pattern, text))
        }
        Some(sign) => match rest.next() {
            Some(letter) if sign == '?' || sign == letter => matches(signs.as_str(), rest.as_str()),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn pattern_with_stars_matches_its_parameters() {
        for pattern in ["*", "notify*", "*events", "notify-?eyspace-events"] {
            assert!(matches(pattern, "notify-keyspace-events"), "{pattern}");
        }
        for pattern in ["", "maxmemory", "notify", "*x", "?"] {
            assert!(!matches(pattern, "notify-keyspace-events"), "{pattern}");
        }
    }
}
