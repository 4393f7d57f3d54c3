//! A Redis command before it is sent.

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

/// One command with its arguments, all text. A value that is not UTF-8 needs [`BinaryCommand`].
#[derive(Clone, Debug)]
pub struct Command {
    words: Vec<String>,
    repeatable: bool,
}

impl Command {
    /// Returns a command by its name, such as `GET`. Only reads are repeatable by default.
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

    /// Marks the command as repeatable: running it twice has the same effect and the same answer as running it once. It
    /// is then repeated after a broken connection. True for `SET key value`, false for `INCR key`.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Adds binary data as the last argument.
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

    /// Returns the command in the protocol's path form.
    pub(super) fn path(&self) -> Result<String, Error> {
        path(self.words.iter().map(String::as_str))
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words.serialize(serializer)
    }
}

/// A command whose last argument is binary. It is sent alone. Bytes that are not text are sent as the body of the path
/// form, because JSON cannot contain them; the other arguments must then not be empty, `.` or `..`.
#[derive(Clone, Debug)]
pub struct BinaryCommand {
    pub(super) command: Command,
    pub(super) last: Bytes,
}

impl BinaryCommand {
    /// Returns the same command as text, if the bytes are text. The path form does not accept an empty body as an
    /// argument.
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
