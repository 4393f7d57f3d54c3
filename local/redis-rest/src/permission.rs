//! The commands that a caller may send: those that Upstash documents and offers over REST and that the token allows.

use crate::access::Access;
use crate::catalogue::{Catalogue, Traits};
use crate::command::Command;
use crate::server_group;

/// The commands of <https://upstash.com/docs/redis/commands/overview> that REST offers, sorted. Two groups are missing:
/// those of modules (JSON and SEARCH), which redis-server does not know, and the server group, which
/// [`crate::server_group`] answers.
const OFFERED: &[&str] = &[
    "append",
    "bitcount",
    "bitfield",
    "bitfield_ro",
    "bitop",
    "bitpos",
    "copy",
    "dbsize",
    "decr",
    "decrby",
    "del",
    "delex",
    "digest",
    "dump",
    "echo",
    "eval",
    "eval_ro",
    "evalsha",
    "evalsha_ro",
    "exists",
    "expire",
    "expireat",
    "expiretime",
    "fcall",
    "fcall_ro",
    "flushall",
    "flushdb",
    "function",
    "geoadd",
    "geodist",
    "geohash",
    "geopos",
    "georadius",
    "georadius_ro",
    "georadiusbymember",
    "georadiusbymember_ro",
    "geosearch",
    "geosearchstore",
    "get",
    "getbit",
    "getdel",
    "getex",
    "getrange",
    "getset",
    "hdel",
    "hexists",
    "hexpire",
    "hexpireat",
    "hexpiretime",
    "hget",
    "hgetall",
    "hgetdel",
    "hgetex",
    "hincrby",
    "hincrbyfloat",
    "hkeys",
    "hlen",
    "hmget",
    "hmset",
    "hpersist",
    "hpexpire",
    "hpexpireat",
    "hpexpiretime",
    "hpttl",
    "hrandfield",
    "hscan",
    "hset",
    "hsetex",
    "hsetnx",
    "hstrlen",
    "httl",
    "hvals",
    "incr",
    "incrby",
    "incrbyfloat",
    "info",
    "keys",
    "lindex",
    "linsert",
    "llen",
    "lmove",
    "lmpop",
    "lpop",
    "lpos",
    "lpush",
    "lpushx",
    "lrange",
    "lrem",
    "lset",
    "ltrim",
    "memory",
    "mget",
    "mset",
    "msetnx",
    "persist",
    "pexpire",
    "pexpireat",
    "pexpiretime",
    "pfadd",
    "pfcount",
    "pfmerge",
    "ping",
    "psetex",
    "pttl",
    "publish",
    "pubsub",
    "randomkey",
    "rename",
    "renamenx",
    "restore",
    "rpop",
    "rpoplpush",
    "rpush",
    "rpushx",
    "sadd",
    "scan",
    "scard",
    "script",
    "sdiff",
    "sdiffstore",
    "set",
    "setbit",
    "setex",
    "setnx",
    "setrange",
    "sinter",
    "sintercard",
    "sinterstore",
    "sismember",
    "smembers",
    "smismember",
    "smove",
    "spop",
    "srandmember",
    "srem",
    "sscan",
    "strlen",
    "sunion",
    "sunionstore",
    "time",
    "touch",
    "ttl",
    "type",
    "unlink",
    "xack",
    "xackdel",
    "xadd",
    "xautoclaim",
    "xclaim",
    "xdel",
    "xdelex",
    "xgroup",
    "xinfo",
    "xlen",
    "xpending",
    "xrange",
    "xread",
    "xreadgroup",
    "xrevrange",
    "xtrim",
    "zadd",
    "zcard",
    "zcount",
    "zdiff",
    "zdiffstore",
    "zincrby",
    "zinter",
    "zintercard",
    "zinterstore",
    "zlexcount",
    "zmpop",
    "zmscore",
    "zpopmax",
    "zpopmin",
    "zrandmember",
    "zrange",
    "zrangebylex",
    "zrangebyscore",
    "zrangestore",
    "zrank",
    "zrem",
    "zremrangebylex",
    "zremrangebyrank",
    "zremrangebyscore",
    "zrevrange",
    "zrevrangebylex",
    "zrevrangebyscore",
    "zrevrank",
    "zscan",
    "zscore",
    "zunion",
    "zunionstore",
];

/// The documented subcommands of commands of which redis-server has more. Sorted.
const OFFERED_SUBCOMMANDS: &[(&str, &[&str])] = &[
    (
        "function",
        &["delete", "flush", "kill", "list", "load", "stats"],
    ),
    ("memory", &["usage"]),
    ("pubsub", &["channels", "numpat", "numsub"]),
    ("script", &["exists", "flush", "kill", "load"]),
    (
        "xgroup",
        &[
            "create",
            "createconsumer",
            "delconsumer",
            "destroy",
            "setid",
        ],
    ),
    ("xinfo", &["consumers", "groups", "stream"]),
];

/// Further commands that no script may call. It is not known whether PUBLISH works there at Upstash, so the stricter
/// guess applies.
const NOT_IN_SCRIPTS: &[&str] = &["publish"];

/// Commands over the whole database, which a script with `allow-key-locking` may not call. Upstash names the two that
/// empty it. A walk over undeclared keys is treated the same.
pub(crate) const DATABASE_WIDE: &[&str] =
    &["dbsize", "flushall", "flushdb", "keys", "randomkey", "scan"];

/// Commands without data that the read-only token may also send.
const HARMLESS: &[&str] = &["echo", "ping", "time"];

/// Reads over the whole database, which Upstash denies to the read-only token.
const WALKS: &[&str] = &["scan", "keys"];

/// Returns the error line for a forbidden command; `None` allows it.
pub(crate) fn refusal(command: &Command, access: Access, catalogue: &Catalogue) -> Option<String> {
    let name = command.name();
    let traits = catalogue.traits(command).unwrap_or_default();
    if !is_available(command, &name, traits) {
        return Some(unavailable(&name));
    }
    let reads =
        HARMLESS.contains(&name.as_str()) || (traits.reads && !WALKS.contains(&name.as_str()));
    (access == Access::ReadOnly && !reads).then(|| denied(&name))
}

/// Returns the error line for a command that Upstash does not offer.
pub(crate) fn unavailable(name: &str) -> String {
    format!(
        "ERR Command is not available: '{}'. See https://upstash.com/docs/redis/overall/compatibility for details",
        name.to_ascii_uppercase()
    )
}

/// Returns the error line for a command that the read-only token may not send.
pub(crate) fn denied(name: &str) -> String {
    format!("NOPERM this user has no permissions to run the '{name}' command or its subcommand")
}

/// Returns redis-server's commands that a script may not call.
pub(crate) fn kept_from_scripts(catalogue: &Catalogue) -> impl Iterator<Item = &str> {
    catalogue
        .names()
        .filter(|name| !is_offered(name) || NOT_IN_SCRIPTS.contains(name))
}

fn is_offered(name: &str) -> bool {
    OFFERED.binary_search(&name).is_ok()
}

fn is_available(command: &Command, name: &str, traits: Traits) -> bool {
    // A command that redis-server does not know either, such as a module's, is rejected by redis-server itself.
    (is_offered(name) || server_group::NAMES.contains(&name) || !traits.exists)
        && is_offered_subcommand(command, name)
        && !(traits.blocks && waits(command, name))
}

fn is_offered_subcommand(command: &Command, name: &str) -> bool {
    let known = OFFERED_SUBCOMMANDS
        .iter()
        .find(|(container, _)| *container == name);
    match (known, command.keyword(0)) {
        (Some((_, subcommands)), Some(word)) => subcommands.contains(&word.as_str()),
        _ => true,
    }
}

/// Returns whether a command blocks. Stream reads block only with BLOCK, which precedes STREAMS; every other blocking
/// command may block.
fn waits(command: &Command, name: &str) -> bool {
    let mut options = (0..command.arguments().len()).filter_map(|place| command.keyword(place));
    match name {
        // XREADGROUP GROUP <group> <consumer> comes first, and those two may have any name.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offered_commands_are_sorted_for_the_search() {
        assert!(OFFERED.is_sorted());
    }
}
