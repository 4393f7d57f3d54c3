//! The cache task: counts keys without a TTL by family. Only this module scans the keyspace. It deletes nothing: a key
//! may intentionally have no TTL.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::protocol::upstash::{self, Command, FromReply as _, Pipeline, Redis, Reply};
use crate::service::{KEYS, key::Family};

/// The number of keys that one request reads.
const PAGE: u32 = 500;

/// The largest number of pages of one run: each key costs a command.
const PAGES: u32 = 40;

/// The result of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The number of scanned keys.
    pub scanned: u64,
    /// Whether these were all keys: a run scans at most about 20,000.
    pub complete: bool,
    /// Keys without a TTL, by family. Those that docs/KEYS.md lists with another bound are expected.
    pub without_ttl: BTreeMap<String, u64>,
}

/// The keyspace.
#[derive(Clone, Debug)]
pub struct Keyspace(Redis);

impl Keyspace {
    /// Returns the keyspace of a store.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    /// Scans the keys, up to the bound.
    pub async fn scan(&self) -> Result<Seen, upstash::Error> {
        let mut seen = Seen::default();
        let mut cursor = "0".to_owned();
        for _ in 0..PAGES {
            let scan = Command::new("SCAN").arg(&cursor).arg("COUNT").arg(PAGE);
            let mut page = self
                .0
                .run::<Vec<Reply>>(scan.repeatable())
                .await?
                .into_iter();
            cursor = String::from_reply(page.next().unwrap_or(Reply::Nil))?;
            let keys = Vec::<String>::from_reply(page.next().unwrap_or(Reply::Nil))?;
            self.count(&keys, &mut seen).await?;
            if cursor == "0" {
                seen.complete = true;
                break;
            }
        }
        Ok(seen)
    }

    async fn count(&self, keys: &[String], seen: &mut Seen) -> Result<(), upstash::Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let ask = keys.iter().fold(Pipeline::new(), |ask, key| {
            ask.command(Command::new("PTTL").arg(key).repeatable())
        });
        let mut answers = self.0.pipeline(ask).await?;
        for key in keys {
            seen.scanned += 1;
            // -1: the key has no TTL; -2: it was deleted meanwhile.
            if answers.take::<i64>()? == -1 {
                *seen.without_ttl.entry(family(key)).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// Returns the declared family of a key, else its part before the first colon, with a mark.
fn family(key: &str) -> String {
    let fixed = |family: &Family| {
        family
            .pattern
            .split('{')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let declared = KEYS
        .iter()
        .flat_map(|(_, families)| families.iter())
        .filter(|family| key.starts_with(&fixed(family)))
        .max_by_key(|family| fixed(family).len());
    declared.map_or_else(
        || format!("unknown {}:*", key.split(':').next().unwrap_or_default()),
        |family| family.pattern.to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::family;

    #[test]
    fn key_is_named_by_its_family_and_an_undeclared_key_is_unknown() {
        use crate::service::job::keys;

        assert_eq!(family("jobs:email"), keys::LIST.pattern);
        assert_eq!(family("jobs_open:email"), keys::OPEN.pattern);
        assert_eq!(family("perf:/api/x:2026-01-01"), "unknown perf:*");
        assert_eq!(family("plain"), "unknown plain:*");
    }
}
