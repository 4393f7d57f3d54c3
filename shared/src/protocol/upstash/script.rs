//! Lua scripts, called by their hash and sent in full only when the store does not know them.

//!
//! A script whose keys are all known beforehand names every one of them in KEYS, and [`key_locked!`] puts Upstash's flag
//! `allow-key-locking` before it: the store then locks these keys alone, and refuses the script any other. A script
//! without the flag holds the lock of the whole database while it runs. Those that learn keys from data cannot have it;
//! docs/PERFORMANCE.md lists them, which a test holds.

use std::sync::OnceLock;

use sha1::{Digest as _, Sha1};

use super::command::Command;
use crate::base::hex::hex;

/// The text of a script that touches no key but those in KEYS, behind the line that says so.
macro_rules! key_locked {
    ($($part:tt)+) => {
        concat!("#!lua flags=allow-key-locking\n", $($part)+)
    };
}

pub(crate) use key_locked;

/// A script as a constant: its text stands in a `.lua` file and is hashed once, on first use.
#[derive(Debug)]
pub struct Script {
    source: &'static str,
    repeatable: bool,
    sha: OnceLock<String>,
}

impl Script {
    /// A script that must not run twice for one call.
    #[must_use]
    pub const fn new(source: &'static str) -> Self {
        Self {
            source,
            repeatable: false,
            sha: OnceLock::new(),
        }
    }

    /// A script that may be sent again after a broken connection. True of one that only reads, and of one that
    /// carries an attempt nonce: it recognises the nonce and gives the first answer again.
    #[must_use]
    pub const fn repeatable(source: &'static str) -> Self {
        Self {
            source,
            repeatable: true,
            sha: OnceLock::new(),
        }
    }

    /// A call of this script.
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

    /// The call by hash.
    pub(super) fn by_hash(&self) -> Command {
        self.command("EVALSHA", self.script.sha())
    }

    /// The call with the whole text, which also teaches the store the hash.
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
