//! A Redis command on its way to the wire.

use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::error::Error;
use super::path::path;

/// Commands that change nothing: running one twice is the same as running it once.
const READS: &[&str] = &[
    "ECHO",
    "EXISTS",
    "GET",
    "HGET",
    "HGETALL",
    "HMGET",
    "LLEN",
    "LRANGE",
    "MGET",
    "PING",
    "PTTL",
    "SCARD",
    "SISMEMBER",
    "SMEMBERS",
    "TIME",
    "TTL",
    "TYPE",
    "XLEN",
    "XRANGE",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZRANGE",
    "ZSCORE",
];

/// One command with its arguments, all text. A value that is not UTF-8 travels as [`BinaryCommand`].
#[derive(Clone, Debug)]
pub struct Command {
    words: Vec<String>,
    repeatable: bool,
}

impl Command {
    /// A command by its name, such as `GET`. Reads are known to be repeatable; nothing else is.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            repeatable: READS.contains(&name),
            words: vec![name.to_owned()],
        }
    }

    /// Adds an argument.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and borrowed text are given as they are"
    )]
    pub fn arg(mut self, argument: impl ToString) -> Self {
        self.words.push(argument.to_string());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<A: ToString>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.words
            .extend(arguments.into_iter().map(|argument| argument.to_string()));
        self
    }

    /// Says that running this command twice leaves what running it once leaves, and answers the same: it is then
    /// repeated after a broken connection. True of `SET key value`, false of `INCR key`.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Adds bytes that need not be text, as the last argument.
    #[must_use]
    pub fn body(self, last: Bytes) -> BinaryCommand {
        BinaryCommand {
            command: self,
            last,
        }
    }

    pub(super) fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// The command in the protocol's path form.
    pub(super) fn path(&self) -> Result<String, Error> {
        path(self.words.iter().map(String::as_str))
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words.serialize(serializer)
    }
}

/// A command whose last argument is arbitrary bytes. It goes alone. Bytes that are no text travel as the body of the
/// path form, because JSON could not carry them; the words before them must then not be empty, `.` or `..`.
#[derive(Clone, Debug)]
pub struct BinaryCommand {
    pub(super) command: Command,
    pub(super) last: Bytes,
}

impl BinaryCommand {
    /// The same as a command of text, if the bytes are text. The path form takes no empty body for an argument.
    pub(super) fn as_text(&self) -> Option<Command> {
        let text = std::str::from_utf8(&self.last).ok()?;
        Some(self.command.clone().arg(text))
    }
}

#[cfg(test)]
mod tests {
    use super::Command;

    #[test]
    fn only_reads_are_repeatable_by_default() {
        assert!(Command::new("GET").arg("k").is_repeatable());
        assert!(!Command::new("INCR").arg("k").is_repeatable());
        assert!(
            Command::new("SET")
                .arg("k")
                .arg(1)
                .repeatable()
                .is_repeatable()
        );
    }
}
