//! Read-through: reads an entry, and fills it if necessary.

use std::time::Duration;

use tokio::time::Instant;

use super::class::{Class, Lifetimes};
use super::entry::{Entry, Generation, Loaded, Viewer};
use super::id::{Id, Subject};
use super::kind::Kind;
use super::load::load;
use super::put::LARGEST_VALUE;
use super::stats::{self, FIGURES};
use super::{Caches, Error};
use crate::base::causes::causes;
use crate::base::id::nonce;
use crate::protocol::upstash::{
    self, Command, FromReply as _, Invocation, Reply, Script, key_locked,
};

/// How long readers wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// The lease of an elected reader. It exceeds a statement's time limit, so that a slow database is queried once. It
    /// is also how long the others wait if the reader's instance dies.
    pub lease: Duration,
    /// How long a reader waits for the elected one.
    pub timeout: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(6),
            timeout: Duration::from_secs(8),
        }
    }
}

/// The life of an entry that is not filled yet, in leases.
const UNFILLED_LEASES: u32 = 5;

/// How long the absence of an id is cached.
const ABSENT: Duration = Duration::from_secs(30);

/// The waits between polls of an entry that is being filled. They double from the first to the second.
const PAUSES: [Duration; 2] = [Duration::from_millis(15), Duration::from_millis(500)];

static READ: Script = Script::repeatable(key_locked!(
    include_str!("lua/clock.lua"),
    include_str!("lua/read.lua")
));
static FILL: Script = Script::repeatable(key_locked!(include_str!("lua/fill.lua")));

/// The result of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The value.
    Value {
        /// A JSON object as text.
        value: String,
        /// The generation of the value; absent if the store was unavailable or did not store it.
        generation: Option<Generation>,
        /// The source of the value.
        source: Source,
    },
    /// The id does not exist, or the viewer may not see it.
    Absent,
}

/// The source of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The cache.
    Hit,
    /// The database.
    Miss,
    /// The cache, with a stale value: another reader refreshes it, or the database is unavailable.
    Stale,
}

/// The answer of the reading script.
enum Read<C: Class> {
    Hit(Entry),
    Stale(C::Stale),
    Elected(Election<C>),
    Busy(Duration),
    /// An election is due: the script only read.
    Due,
}

/// The mode of the reading script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Only reads: the first request, which may be sent together with the guard's check and be rejected.
    Look,
    /// Elects this reader if there is no usable entry.
    Elect,
}

/// The right to fill an entry.
struct Election<C: Class> {
    generation: Generation,
    /// The time of the election by the store's clock, in milliseconds. A value read later is at least this recent.
    at: i64,
    left: Option<C::Stale>,
}

/// One lookup.
struct Lookup<'a, C: Class> {
    caches: &'a Caches,
    kind: &'static Kind<C>,
    id: Id,
    viewer: &'a Viewer<'a>,
}

pub(super) async fn get<C: Class>(
    caches: &Caches,
    kind: &'static Kind<C>,
    id: &str,
    viewer: &Viewer<'_>,
) -> Result<Found, Error> {
    let id = Id::of(kind.subject(), id).filter(|id| viewer.may_ask(kind.subject(), id));
    let Some(id) = id else {
        return Ok(Found::Absent);
    };
    let lookup = Lookup {
        caches,
        kind,
        id,
        viewer,
    };
    lookup.run().await
}

impl<C: Class> Lookup<'_, C> {
    async fn run(&self) -> Result<Found, Error> {
        let started = Instant::now();
        let [mut pause, longest] = PAUSES;
        let mut mode = Mode::Look;
        loop {
            let read = self.read(mode).await;
            // Later requests can no longer be rejected by the guard.
            mode = Mode::Elect;
            match read {
                Ok(Read::Due) => {}
                Ok(Read::Hit(entry)) => return Ok(self.found(entry, Source::Hit)),
                Ok(Read::Stale(entry)) => return Ok(self.found(entry.into(), Source::Stale)),
                Ok(Read::Elected(election)) => return self.fill(election).await,
                Ok(Read::Busy(lease)) if started.elapsed() < self.caches.waits.timeout => {
                    tokio::time::sleep(pause.min(lease)).await;
                    pause = longest.min(pause * 2);
                }
                Ok(Read::Busy(_)) => return Err(Error::Busy),
                Err(error) => {
                    self.note(&error, "Redis unavailable; cache entry read from Postgres");
                    return self.load_uncached().await;
                }
            }
        }
    }

    async fn read(&self, mode: Mode) -> Result<Read<C>, upstash::Error> {
        read_answer(self.caches.redis.eval(self.call(mode)).await?)
    }

    /// Returns the script call. Its statistics use the day of this machine's clock.
    fn call(&self, mode: Mode) -> Invocation {
        let needs_parties = self.viewer.needs_parties(self.kind.subject());
        READ.invoke()
            .key(self.kind.key(&self.id))
            .key(FIGURES.key(&stats::today()))
            .arg(nonce())
            .arg(self.caches.waits.lease.as_millis())
            .arg((self.caches.waits.lease * UNFILLED_LEASES).as_millis())
            .arg(self.kind.class().trusted_for().as_millis())
            .arg(u8::from(needs_parties))
            .arg(self.kind.name())
            .arg(stats::LIFE.as_secs())
            .arg(if mode == Mode::Elect { "1" } else { "" })
    }

    /// Reads the database, fills the entry and returns the value. If the database is unavailable, a stale value may be
    /// returned.
    async fn fill(&self, election: Election<C>) -> Result<Found, Error> {
        let loaded = match load(&self.caches.postgres, self.kind, &self.id).await {
            Ok(loaded) => loaded,
            Err(error) => {
                let Some(left) = election.left else {
                    self.release_lease().await;
                    return Err(error.into());
                };
                // The lease is kept: until it ends, other readers are answered at once and do not query the database.
                self.note(&error, "Postgres unavailable; stale cache entry served");
                return Ok(self.found(left.into(), Source::Stale));
            }
        };
        let generation = Generation(nonce());
        match self.store(&election, &generation, &loaded).await {
            Ok(true) => Ok(self.seen(loaded, Some(generation), Source::Miss)),
            // The loaded value may be older than an invalidation in between.
            Ok(false) => self.load_uncached().await,
            Err(error) => {
                self.note(&error, "Redis unavailable; cache entry not stored");
                Ok(self.seen(loaded, None, Source::Miss))
            }
        }
    }

    /// Stores the loaded value. Returns false if the entry has another generation by now.
    async fn store(
        &self,
        election: &Election<C>,
        generation: &Generation,
        loaded: &Loaded,
    ) -> Result<bool, upstash::Error> {
        let key = self.kind.key(&self.id);
        let [value, parties] = loaded.texts();
        if value.len() > LARGEST_VALUE {
            let forget = Command::new("DEL").arg(key).repeatable();
            return self.caches.redis.run::<()>(forget).await.map(|()| true);
        }
        let lifetimes = match loaded.value {
            Some(_) => self.kind.class().lifetimes(),
            None => Lifetimes {
                fresh: None,
                kept: ABSENT,
            },
        };
        let until =
            |life: Duration| election.at + i64::try_from(life.as_millis()).unwrap_or(i64::MAX / 2);
        let fresh_until = lifetimes.fresh.map(|life| until(life).to_string());
        let call = FILL
            .invoke()
            .key(key)
            .arg(&election.generation)
            .arg(generation)
            .arg(value)
            .arg(parties)
            .arg(fresh_until.unwrap_or_default())
            .arg(until(lifetimes.kept));
        Ok(self.caches.redis.eval::<i64>(call).await? == 1)
    }

    /// Releases the lease, so that the next reader may fill the entry.
    async fn release_lease(&self) {
        let key = self.kind.key(&self.id);
        let end = Command::new("HDEL")
            .arg(key)
            .arg("filler")
            .arg("leaseUntil");
        if let Err(error) = self.caches.redis.run::<()>(end.repeatable()).await {
            self.note(&error, "cache lease not released; it expires by itself");
        }
    }

    async fn load_uncached(&self) -> Result<Found, Error> {
        let loaded = load(&self.caches.postgres, self.kind, &self.id).await?;
        Ok(self.seen(loaded, None, Source::Miss))
    }

    fn note(&self, error: &dyn std::error::Error, what: &str) {
        tracing::warn!(error = causes(error), kind = self.kind.name(), "{what}");
    }

    fn found(&self, entry: Entry, source: Source) -> Found {
        self.seen(entry.loaded, Some(entry.generation), source)
    }

    fn seen(&self, loaded: Loaded, generation: Option<Generation>, source: Source) -> Found {
        let subject: Subject = self.kind.subject();
        match loaded.seen_by(self.viewer, subject, &self.id) {
            Some(value) => Found::Value {
                value,
                generation,
                source,
            },
            None => Found::Absent,
        }
    }
}

/// Parses the answer of the script; see the head of `read.lua`.
fn read_answer<C: Class>(answer: Vec<Reply>) -> Result<Read<C>, upstash::Error> {
    let mut parts = answer.into_iter();
    let mut next = || parts.next().unwrap_or(Reply::Nil);
    let word = String::from_reply(next())?;
    if word == "busy" {
        let left = u64::from_reply(next())?;
        return Ok(Read::Busy(Duration::from_millis(left)));
    }
    if word == "due" {
        return Ok(Read::Due);
    }
    let generation = Generation(String::from_reply(next())?);
    let at = match word.as_str() {
        "elected" => i64::from_reply(next())?,
        _ => 0,
    };
    let entry = Loaded::read(next(), next())?.map(|loaded| Entry {
        generation: generation.clone(),
        loaded,
    });
    match (word.as_str(), entry) {
        ("hit", Some(entry)) => Ok(Read::Hit(entry)),
        ("stale", Some(entry)) => C::stale(entry).map(Read::Stale).ok_or_else(unexpected),
        ("elected", entry) => Ok(Read::Elected(Election {
            generation,
            at,
            left: entry.and_then(C::stale),
        })),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> upstash::Error {
    upstash::Error::Decode("unexpected result of the read script".to_owned())
}
