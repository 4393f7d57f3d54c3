//! The permissions of scripts: redis-server itself rejects forbidden commands in the middle of a script.
//!
//! Each connection has two users of its own (ACL), which scripts run as. Neither may call commands that Upstash does
//! not offer. The user of scripts with `allow-key-locking` may touch only the keys of the current call, and call no
//! command over the whole database. So it does not matter how a script gets a key's name.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::catalogue::Catalogue;
use crate::command::Command;
use crate::permission;
use crate::redis::{Connection, Reply};

/// The number of recent rejections that are searched for that of a script.
const ACL_LOG_ENTRIES: &str = "64";

/// The password. The users have none, so any value is accepted.
const PASSWORD: Bytes = Bytes::from_static(b"-");

/// The users of one connection.
#[derive(Debug, Clone)]
pub(crate) struct ScriptUsers {
    /// For scripts with `allow-key-locking`.
    locked: Bytes,
    /// For all others.
    open: Bytes,
}

impl ScriptUsers {
    /// Creates names that no other connection of any process has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |kind: &str| Bytes::from(format!("{kind}-{}-{number}", std::process::id()));
        Self {
            locked: name("locked"),
            open: name("open"),
        }
    }

    /// Returns the commands that create both users.
    pub(crate) fn create(&self, catalogue: &Catalogue) -> [Command; 2] {
        let kept: Vec<Bytes> = permission::kept_from_scripts(catalogue)
            .map(|name| Bytes::from(format!("-{name}")))
            .collect();
        let wide = permission::DATABASE_WIDE
            .iter()
            .map(|name| Bytes::from(format!("-{name}")));
        let rules = |names: &[&'static str]| -> Vec<Bytes> {
            names
                .iter()
                .map(|name| Bytes::from_static(name.as_bytes()))
                .collect()
        };
        let basic = ["reset", "on", "nopass", "allchannels", "allcommands"];
        let locked = [rules(&basic), kept.clone(), wide.collect()].concat();
        let open = [rules(&basic), rules(&["allkeys"]), kept].concat();
        [set_user(&self.locked, locked), set_user(&self.open, open)]
    }

    /// Returns the command that lets the next script with the flag touch only these keys.
    pub(crate) fn lock_to(&self, keys: &[&Bytes]) -> Command {
        let mut rules = vec![Bytes::from_static(b"resetkeys")];
        rules.extend(keys.iter().map(|key| pattern(key)));
        set_user(&self.locked, rules)
    }

    /// Returns the command that switches to the user of scripts with or without the flag.
    pub(crate) fn become_script(&self, is_locked: bool) -> Command {
        let user = if is_locked { &self.locked } else { &self.open };
        Command::new("AUTH", vec![user.clone(), PASSWORD])
    }

    /// Returns the command that switches to the default user.
    pub(crate) fn become_default() -> Command {
        Command::new("AUTH", vec![Bytes::from_static(b"default"), PASSWORD])
    }

    /// Returns Upstash's error if redis-server rejected a script by these users; `None` for any other reply.
    pub(crate) async fn explain(
        &self,
        reply: &Reply,
        connection: &mut Connection,
    ) -> std::io::Result<Option<Reply>> {
        let Reply::Error(line) = reply else {
            return Ok(None);
        };
        let line = String::from_utf8_lossy(line);
        if !line.contains("The user executing the script can't") {
            return Ok(None);
        }
        let log = Command::new(
            "ACL",
            ["LOG", ACL_LOG_ENTRIES]
                .map(|word| Bytes::from_static(word.as_bytes()))
                .to_vec(),
        );
        let log = connection.exchange(&[log]).await?;
        let object = |reason: &str| {
            log.first()
                .and_then(|log| self.refused(log, reason))
                .unwrap_or_default()
        };
        let text = if line.contains("keys mentioned") {
            format!(
                "ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: {}",
                object("key")
            )
        } else {
            // A subcommand has its container's name: `object|encoding`.
            let command = object("command");
            permission::unavailable(command.split('|').next().unwrap_or_default())
        };
        Ok(Some(Reply::error(text)))
    }

    /// Returns the latest object that redis-server denied to these users for a reason. Entries are newest first.
    fn refused(&self, log: &Reply, reason: &str) -> Option<String> {
        let Reply::Array(entries) = log else {
            return None;
        };
        entries.iter().find_map(|entry| {
            let is_ours = [&self.locked, &self.open]
                .iter()
                .any(|user| member(entry, "username").as_ref() == Some(*user));
            let is_it = member(entry, "reason")? == reason.as_bytes();
            let object = member(entry, "object").filter(|_| is_ours && is_it)?;
            Some(String::from_utf8_lossy(&object).into_owned())
        })
    }
}

fn set_user(user: &Bytes, rules: Vec<Bytes>) -> Command {
    let mut words = vec![Bytes::from_static(b"SETUSER"), user.clone()];
    words.extend(rules);
    Command::new("ACL", words)
}

/// Returns a member of a reply with alternating names and values.
fn member(entry: &Reply, name: &str) -> Option<Bytes> {
    let Reply::Array(fields) = entry else {
        return None;
    };
    fields.chunks(2).find_map(|pair| match pair {
        [Reply::Bulk(found), Reply::Bulk(value)] if *found == name.as_bytes() => {
            Some(value.clone())
        }
        _ => None,
    })
}

/// Returns the rule that allows a key. Rules cannot contain blanks or NUL: a character class replaces them.
fn pattern(key: &[u8]) -> Bytes {
    const BLANK: &[u8] = b"[^\x01-\x08\x0e-\x1f!-\x7f\x80-\xff]";
    let mut rule = vec![b'~'];
    for byte in key {
        match byte {
            b'*' | b'?' | b'[' | b']' | b'\\' => rule.extend([b'\\', *byte]),
            0 | b'\t'..=b'\r' | b' ' => rule.extend(BLANK),
            _ => rule.push(*byte),
        }
    }
    Bytes::from(rule)
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn key_that_looks_like_a_pattern_permits_only_itself() {
        assert_eq!(pattern(b"a:b"), "~a:b");
        assert_eq!(pattern(b"a*[b]?\\"), "~a\\*\\[b\\]\\?\\\\");
        assert!(!pattern(b"a b\nc\0").contains(&b' '));
    }
}
