//! What the running redis-server says about its own commands (`COMMAND`): which only read, which block, which administer.
//! Asking it keeps the front right for whichever version stands behind it.

use std::collections::HashMap;
use std::io;

use crate::command::Command;
use crate::redis::{Pool, Reply};

/// The flags of a command that matter here (<https://redis.io/docs/latest/commands/command/#flags>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Does not change data.
    pub(crate) reads: bool,
    /// May hold its connection until somebody else writes.
    pub(crate) blocks: bool,
    /// Administers the server.
    pub(crate) administers: bool,
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
        // An error instead of the list would let everything through that only its flags keep out.
        if traits.is_empty() {
            return Err(io::Error::other("redis does not list its commands"));
        }
        Ok(Self(traits))
    }

    /// The traits of the command or, where Redis lists it, of its subcommand. `None`: Redis does not know it.
    pub(crate) fn traits(&self, command: &Command) -> Option<Traits> {
        let name = command.name();
        let subcommand = command
            .keyword(0)
            .and_then(|word| self.0.get(&format!("{name}|{word}")));
        subcommand.or_else(|| self.0.get(&name)).copied()
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
            let found = Traits {
                reads: has("readonly"),
                blocks: has("blocking"),
                administers: has("admin"),
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
