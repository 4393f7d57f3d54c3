//! One Redis command: its name and arguments as raw bytes, and its JSON form.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::malformed::Malformed;

/// A command with at least a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    name: Bytes,
    arguments: Vec<Bytes>,
}

impl Command {
    /// Creates a command that the front itself sends.
    pub(crate) fn new(name: &'static str, arguments: Vec<Bytes>) -> Self {
        Self {
            name: Bytes::from_static(name.as_bytes()),
            arguments,
        }
    }

    /// Creates a command from its words, the name first.
    pub(crate) fn from_words(words: impl IntoIterator<Item = Bytes>) -> Result<Self, Malformed> {
        let mut words = words.into_iter();
        let name = words
            .next()
            .filter(|name| !name.is_empty())
            .ok_or(Malformed::EmptyCommand)?;
        Ok(Self {
            name,
            arguments: words.collect(),
        })
    }

    /// Parses a command from a JSON array. Numbers keep their text, so no float rounds them.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, Malformed> {
        let words: Vec<&RawValue> = serde_json::from_slice(json)?;
        Self::from_words(words.into_iter().map(word).collect::<Result<Vec<_>, _>>()?)
    }

    /// Parses commands from a JSON array of arrays.
    pub(crate) fn list_from_json(json: &[u8]) -> Result<Vec<Self>, Malformed> {
        let commands: Vec<&RawValue> = serde_json::from_slice(json)?;
        if commands.is_empty() {
            return Err(Malformed::EmptyPipeline);
        }
        commands
            .into_iter()
            .map(|command| Self::from_json(command.get().as_bytes()))
            .collect()
    }

    /// Returns the name in lower case, as in Redis's own tables.
    pub(crate) fn name(&self) -> String {
        String::from_utf8_lossy(&self.name).to_ascii_lowercase()
    }

    pub(crate) fn arguments(&self) -> &[Bytes] {
        &self.arguments
    }

    /// Returns the argument at that position, in lower case: a subcommand or an option.
    pub(crate) fn keyword(&self, place: usize) -> Option<String> {
        self.arguments
            .get(place)
            .map(|word| String::from_utf8_lossy(word).to_ascii_lowercase())
    }

    /// Returns the keys after their count, which is the argument at that position.
    pub(crate) fn counted_keys(&self, place: usize) -> Vec<&Bytes> {
        let number = self.keyword(place).and_then(|word| word.parse().ok());
        let following = self.arguments.iter().skip(place + 1);
        following.take(number.unwrap_or(0)).collect()
    }

    /// Returns the size of all arguments in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.arguments.iter().map(|word| word.len() as u64).sum()
    }

    /// Returns the same command with another argument at that position.
    pub(crate) fn with_argument(mut self, place: usize, argument: Bytes) -> Self {
        if let Some(slot) = self.arguments.get_mut(place) {
            *slot = argument;
        }
        self
    }

    /// Appends the command in RESP: an array of bulk strings.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("*{}\r\n", self.arguments.len() + 1).as_bytes());
        for word in std::iter::once(&self.name).chain(&self.arguments) {
            out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            out.extend_from_slice(word);
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn word(json: &RawValue) -> Result<Bytes, Malformed> {
    let text = json.get();
    match text.as_bytes().first() {
        Some(b'"') => Ok(Bytes::from(serde_json::from_str::<String>(text)?)),
        Some(b'n') => Err(Malformed::NullArgument),
        Some(b'[' | b'{') | None => Err(Malformed::NestedArgument),
        Some(_) => Ok(Bytes::copy_from_slice(text.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(json: &str) -> Vec<String> {
        let command = Command::from_json(json.as_bytes()).unwrap();
        command
            .arguments()
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect()
    }

    #[test]
    fn number_keeps_its_written_digits() {
        assert_eq!(
            words(r#"["SET",12345678901234567890123,1.10,-0,1E+2,true]"#),
            ["12345678901234567890123", "1.10", "-0", "1E+2", "true"]
        );
    }

    #[test]
    fn escapes_in_strings_are_decoded() {
        assert_eq!(words(r#"["ECHO","\u00e9\n\ud83d\ude00"]"#), ["é\n😀"]);
    }

    #[test]
    fn malformed_command_is_refused_with_its_reason() {
        let failure = |json: &str| Command::from_json(json.as_bytes()).unwrap_err().to_string();
        assert_eq!(failure("[]"), "ERR empty command");
        assert_eq!(failure(r#"[""]"#), "ERR empty command");
        assert_eq!(
            failure(r#"["SET","k",null]"#),
            "ERR null args are not supported"
        );
        assert_eq!(
            failure(r#"["SET",{"k":1}]"#),
            "ERR arguments must be strings, numbers or booleans"
        );
        assert_eq!(
            failure(r#"["SET",["k"]]"#),
            "ERR arguments must be strings, numbers or booleans"
        );
        for json in [
            "",
            "{}",
            "\"PING\"",
            "null",
            "[\"PING\"",
            "[\"\\ud800\"]",
            "[\"PING\"] x",
        ] {
            assert!(
                failure(json).starts_with("ERR failed to parse request: "),
                "{json}"
            );
        }
        assert!(Command::from_json(b"[\"\xff\"]").is_err());
    }

    #[test]
    fn arguments_are_sent_unchanged_for_any_bytes() {
        let command = Command::from_words([
            Bytes::from_static(b"SET"),
            Bytes::from_static(b"\r\n\0\xff"),
        ])
        .unwrap();
        let mut out = Vec::new();
        command.write(&mut out);
        assert_eq!(out, b"*2\r\n$3\r\nSET\r\n$4\r\n\r\n\0\xff\r\n");
    }
}
