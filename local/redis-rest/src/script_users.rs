//! What a script may touch and call: redis-server itself refuses the rest, in the middle of the script.
//!
//! Each connection has two users of its own (ACL), which scripts run as: neither may call what Upstash does not offer; that
//! of scripts with `allow-key-locking` may touch the keys of the present call alone, and no command over the whole
//! database. So it does not matter how a script comes by a key's name.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::catalogue::Catalogue;
use crate::command::Command;
use crate::permission;
use crate::redis::{Connection, Reply};

/// How many of the last refusals are looked through for that of a script.
const ACL_LOG_ENTRIES: &str = "64";

/// Any password will do: the users have none.
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
    /// Names that no other connection has, of this process or another.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |kind: &str| Bytes::from(format!("{kind}-{}-{number}", std::process::id()));
        Self {
            locked: name("locked"),
            open: name("open"),
        }
    }

    /// Makes both users.
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

    /// Lets the next script with the flag touch these keys and no others.
    pub(crate) fn lock_to(&self, keys: &[&Bytes]) -> Command {
        let mut rules = vec![Bytes::from_static(b"resetkeys")];
        rules.extend(keys.iter().map(|key| pattern(key)));
        set_user(&self.locked, rules)
    }

    /// Becomes the user of scripts with the flag, or of those without.
    pub(crate) fn become_script(&self, is_locked: bool) -> Command {
        let user = if is_locked { &self.locked } else { &self.open };
        Command::new("AUTH", vec![user.clone(), PASSWORD])
    }

    /// Becomes the user of everything else again.
    pub(crate) fn become_default() -> Command {
        Command::new("AUTH", vec![Bytes::from_static(b"default"), PASSWORD])
    }

    /// The error that Upstash gives where redis-server refused a script by these users; `None` for any other reply.
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
            // A subcommand is named with its container: `object|encoding`.
            let command = object("command");
            permission::unavailable(command.split('|').next().unwrap_or_default())
        };
        Ok(Some(Reply::error(text)))
    }

    /// What redis-server refused these users last, for a reason. Entries are newest first.
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

/// A member of a reply that names its members in turn.
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

/// The rule that allows a key. Rules cannot hold blanks or NUL: in their place stands a class of just these.
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
