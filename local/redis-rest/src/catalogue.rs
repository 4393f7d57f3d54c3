//! The running redis-server's own description of its commands (`COMMAND`): which only read, which block, and the
//! positions of their keys. Querying it keeps the front correct for any version.

use std::collections::HashMap;
use std::io;

use bytes::Bytes;

use crate::command::Command;
use crate::redis::{Pool, Reply};

/// The relevant flags of a command (<https://redis.io/docs/latest/commands/command/#flags>).
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own in COMMAND INFO"
)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Redis knows the command.
    pub(crate) exists: bool,
    /// Does not change data.
    pub(crate) reads: bool,
    /// May block its connection until another client writes.
    pub(crate) blocks: bool,
    /// May make a record larger.
    pub(crate) grows: bool,
    /// The positions of its keys.
    keys: Places,
}

/// The positions of keys among a command's words, including its name: from one to another (counted from the end if
/// negative), in steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Places {
    first: i64,
    last: i64,
    step: i64,
}

/// Traits by name, in lower case; a subcommand's name is `container|subcommand`.
pub(crate) struct Catalogue(HashMap<String, Traits>);

impl Catalogue {
    pub(crate) async fn load(redis: &Pool) -> io::Result<Self> {
        let replies = redis
            .exchange(&[Command::new("COMMAND", Vec::new())])
            .await?;
        let mut traits = HashMap::new();
        for reply in &replies {
            add(reply, &mut traits);
        }
        // An error instead of the list would allow every command that only its flags exclude.
        if traits.is_empty() {
            return Err(io::Error::other("redis does not list its commands"));
        }
        Ok(Self(traits))
    }

    /// Returns the traits of the command or, if Redis lists it, of its subcommand. `None`: Redis does not know it.
    pub(crate) fn traits(&self, command: &Command) -> Option<Traits> {
        let name = command.name();
        let subcommand = command
            .keyword(0)
            .and_then(|word| self.0.get(&format!("{name}|{word}")));
        subcommand.or_else(|| self.0.get(&name)).copied()
    }

    /// Returns the names of the commands, without subcommands.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| !name.contains('|'))
    }

    /// Returns the keys of a command.
    pub(crate) fn keys<'a>(&self, command: &'a Command) -> Vec<&'a Bytes> {
        let arguments = command.arguments();
        match command.name().as_str() {
            "eval" | "eval_ro" | "evalsha" | "evalsha_ro" | "fcall" | "fcall_ro" => {
                command.counted_keys(1)
            }
            "zunion" | "zinter" | "zdiff" | "zintercard" | "sintercard" | "lmpop" | "zmpop" => {
                command.counted_keys(0)
            }
            "xread" | "xreadgroup" => {
                let streams = (0..arguments.len())
                    .find(|place| command.keyword(*place).as_deref() == Some("streams"));
                let named = streams.map_or(&[][..], |place| &arguments[place + 1..]);
                named[..named.len() / 2].iter().collect()
            }
            _ => {
                let places = self.traits(command).unwrap_or_default().keys;
                places.of(arguments)
            }
        }
    }
}

impl Places {
    fn of(self, arguments: &[Bytes]) -> Vec<&Bytes> {
        let words = i64::try_from(arguments.len()).unwrap_or(i64::MAX) + 1;
        let last = if self.last < 0 {
            words + self.last
        } else {
            self.last
        };
        if self.first <= 0 || self.step <= 0 {
            return Vec::new();
        }
        (self.first..=last)
            .step_by(usize::try_from(self.step).unwrap_or(1))
            .filter_map(|place| arguments.get(usize::try_from(place - 1).ok()?))
            .collect()
    }
}

/// Adds a list of entries: name, arity, flags, three key positions, ACL categories, tips, key specs, subcommands.
fn add(entries: &Reply, traits: &mut HashMap<String, Traits>) {
    let Reply::Array(entries) = entries else {
        return;
    };
    for entry in entries {
        let Reply::Array(fields) = entry else {
            continue;
        };
        if let (Some(name), Some(Reply::Array(flags))) =
            (fields.first().and_then(text), fields.get(2))
        {
            let has = |flag: &str| flags.iter().filter_map(text).any(|found| found == flag);
            let number = |place: usize| match fields.get(place) {
                Some(Reply::Integer(number)) => *number,
                _ => 0,
            };
            let found = Traits {
                exists: true,
                reads: has("readonly"),
                blocks: has("blocking"),
                grows: has("denyoom"),
                keys: Places {
                    first: number(3),
                    last: number(4),
                    step: number(5),
                },
            };
            traits.insert(name, found);
        }
        if let Some(subcommands) = fields.get(9) {
            add(subcommands, traits);
        }
    }
}

fn text(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Status(bytes) | Reply::Bulk(bytes) => {
            Some(String::from_utf8_lossy(bytes).to_ascii_lowercase())
        }
        _ => None,
    }
}
