//! Lua scripts, called by their hash, and sent in full only if the store does not have them.
//!
//! A script whose keys are all known in advance lists them in KEYS, and [`key_locked!`] adds Upstash's flag
//! `allow-key-locking`. The store then locks only these keys, and rejects access to any other key. A script without the
//! flag locks the whole database while it runs. Scripts that read key names from data cannot have the flag;
//! docs/PERFORMANCE.md lists them, and a test checks the list.

use std::sync::OnceLock;

use sha1::{Digest as _, Sha1};

use super::command::Command;
use crate::base::hex::hex;

/// Returns the text of a script that accesses only the keys in KEYS, with the line that declares it.
macro_rules! key_locked {
    ($($part:tt)+) => {
        concat!("#!lua flags=allow-key-locking\n", $($part)+)
    };
}

pub(crate) use key_locked;

/// A script as a constant: its text is a `.lua` file, and is hashed once, on first use.
#[derive(Debug)]
pub struct Script {
    source: &'static str,
    repeatable: bool,
    sha: OnceLock<String>,
}

impl Script {
    /// Returns a script that must not run twice for one call.
    #[must_use]
    pub const fn new(source: &'static str) -> Self {
        Self {
            source,
            repeatable: false,
            sha: OnceLock::new(),
        }
    }

    /// Returns a script that may be sent again after a broken connection: one that only reads, or one with an attempt
    /// nonce, which returns the first answer again.
    #[must_use]
    pub const fn repeatable(source: &'static str) -> Self {
        Self {
            source,
            repeatable: true,
            sha: OnceLock::new(),
        }
    }

    /// Starts a call of this script.
    #[must_use]
    pub fn invoke(&'static self) -> Invocation {
        Invocation {
            script: self,
            keys: Vec::new(),
            args: Vec::new(),
        }
    }

    fn sha(&self) -> &str {
        self.sha.get_or_init(|| hex(&Sha1::digest(self.source)))
    }
}

/// A script with its keys and arguments.
#[derive(Clone, Debug)]
pub struct Invocation {
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<String>,
}

impl Invocation {
    /// Adds a key (`KEYS`).
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    /// Adds several keys.
    #[must_use]
    pub fn keys(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Adds an argument (`ARGV`).
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and borrowed text are given as they are"
    )]
    pub fn arg(mut self, argument: impl ToString) -> Self {
        self.args.push(argument.to_string());
        self
    }

    /// Returns the call by hash.
    pub(super) fn by_hash(&self) -> Command {
        self.command("EVALSHA", self.script.sha())
    }

    /// Returns the call with the full text, after which the store has the hash.
    pub(super) fn in_full(&self) -> Command {
        self.command("EVAL", self.script.source)
    }

    fn command(&self, name: &str, script: &str) -> Command {
        let command = Command::new(name)
            .arg(script)
            .arg(self.keys.len())
            .args(&self.keys)
            .args(&self.args);
        if self.script.repeatable {
            command.repeatable()
        } else {
            command
        }
    }
}
