//! Reading through a cache.

use std::time::Duration;

use tokio::time::Instant;

use super::class::{Class, Lives};
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

/// How long readers wait for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// How long an elected reader has the entry to itself: longer than a statement may take, so that a slow database is
    /// not asked twice, and as long as the others wait when the reader's instance is killed.
    pub lease: Duration,
    /// How long a reader waits for the one that was elected.
    pub patience: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(6),
            patience: Duration::from_secs(8),
        }
    }
}

/// An entry that nobody has filled yet lives for this many leases.
const UNFILLED_LEASES: u32 = 5;

/// How long it is remembered that there is no such id.
const ABSENT: Duration = Duration::from_secs(30);

/// The waits between two looks at an entry that is being filled double from the first to the second.
const PAUSES: [Duration; 2] = [Duration::from_millis(15), Duration::from_millis(500)];

static READ: Script = Script::repeatable(key_locked!(
    include_str!("lua/clock.lua"),
    include_str!("lua/read.lua")
));
static FILL: Script = Script::repeatable(key_locked!(include_str!("lua/fill.lua")));

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The value.
    Value {
        /// A JSON object as text.
        value: String,
        /// The generation that it is of; absent where the store could not be asked or did not take it.
        generation: Option<Generation>,
        /// Where it came from.
        source: Source,
    },
    /// There is no such id, or not for this viewer.
    Absent,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The cache.
    Hit,
    /// The database.
    Miss,
    /// The cache, beyond its time: somebody else refreshes it, or the database is away.
    Stale,
}

/// What the reading script said.
enum Read<C: Class> {
    Hit(Entry),
    Stale(C::Stale),
    Elected(Election<C>),
    Busy(Duration),
    /// An election is due: the script only looked.
    Due,
}

/// What the reading script may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Looks: the first request, which may travel with the guard's question and be refused.
    Look,
    /// Elects this reader where nothing can be answered.
    Elect,
}

/// The right to fill an entry.
struct Election<C: Class> {
    generation: Generation,
    /// By the store's clock, in milliseconds: what is read from now on is not older than this.
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

impl Caches {
    /// What is known of an id, as far as the viewer may see it.
    pub async fn get<C: Class>(
        &self,
        kind: &'static Kind<C>,
        id: &str,
        viewer: &Viewer<'_>,
    ) -> Result<Found, Error> {
        let id = Id::of(kind.subject(), id).filter(|id| viewer.may_ask(kind.subject(), id));
        let Some(id) = id else {
            return Ok(Found::Absent);
        };
        let lookup = Lookup {
            caches: self,
            kind,
            id,
            viewer,
        };
        lookup.run().await
    }
}

impl<C: Class> Lookup<'_, C> {
    async fn run(&self) -> Result<Found, Error> {
        let started = Instant::now();
        let [mut pause, longest] = PAUSES;
        let mut mode = Mode::Look;
        loop {
            let read = self.read(mode).await;
            // What comes after the first request is no longer refused.
            mode = Mode::Elect;
            match read {
                Ok(Read::Due) => {}
                Ok(Read::Hit(entry)) => return Ok(self.found(entry, Source::Hit)),
                Ok(Read::Stale(entry)) => return Ok(self.found(entry.into(), Source::Stale)),
                Ok(Read::Elected(election)) => return self.fill(election).await,
                Ok(Read::Busy(lease)) if started.elapsed() < self.caches.waits.patience => {
                    tokio::time::sleep(pause.min(lease)).await;
                    pause = longest.min(pause * 2);
                }
                Ok(Read::Busy(_)) => return Err(Error::Busy),
                Err(error) => {
                    self.note(&error, "Redis unavailable; cache entry read from Postgres");
                    return self.past_the_cache().await;
                }
            }
        }
    }

    async fn read(&self, mode: Mode) -> Result<Read<C>, upstash::Error> {
        read_answer(self.caches.redis.eval(self.call(mode)).await?)
    }

    /// The script call. Its figures are those of the day by this machine's clock.
    fn call(&self, mode: Mode) -> Invocation {
        let needs_parties = self.viewer.needs_parties(self.kind.subject());
        READ.invoke()
            .key(self.kind.key(&self.id))
            .key(FIGURES.key(&stats::today()))
            .arg(nonce())
            .arg(self.caches.waits.lease.as_millis())
            .arg((self.caches.waits.lease * UNFILLED_LEASES).as_millis())
            .arg(self.kind.class().believed().as_millis())
            .arg(u8::from(needs_parties))
            .arg(self.kind.name())
            .arg(stats::LIFE.as_secs())
            .arg(if mode == Mode::Elect { "1" } else { "" })
    }

    /// Asks the database, fills the entry and answers. Where the database is away, what is left may do.
    async fn fill(&self, election: Election<C>) -> Result<Found, Error> {
        let loaded = match load(&self.caches.postgres, self.kind, &self.id).await {
            Ok(loaded) => loaded,
            Err(error) => {
                let Some(left) = election.left else {
                    self.resign().await;
                    return Err(error.into());
                };
                // The lease stays: until its end the others are answered at once, and do not ask in vain.
                self.note(&error, "Postgres unavailable; stale cache entry served");
                return Ok(self.found(left.into(), Source::Stale));
            }
        };
        let generation = Generation(nonce());
        match self.store(&election, &generation, &loaded).await {
            Ok(true) => Ok(self.seen(loaded, Some(generation), Source::Miss)),
            // What was read may be older than the invalidation that came in between.
            Ok(false) => self.past_the_cache().await,
            Err(error) => {
                self.note(&error, "Redis unavailable; cache entry not stored");
                Ok(self.seen(loaded, None, Source::Miss))
            }
        }
    }

    /// Whether the entry took what was loaded; not where it is of another generation by now.
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
        let lives = match loaded.value {
            Some(_) => self.kind.class().lives(),
            None => Lives {
                fresh: None,
                kept: ABSENT,
            },
        };
        let until =
            |life: Duration| election.at + i64::try_from(life.as_millis()).unwrap_or(i64::MAX / 2);
        let fresh_until = lives.fresh.map(|life| until(life).to_string());
        let call = FILL
            .invoke()
            .key(key)
            .arg(&election.generation)
            .arg(generation)
            .arg(value)
            .arg(parties)
            .arg(fresh_until.unwrap_or_default())
            .arg(until(lives.kept));
        Ok(self.caches.redis.eval::<i64>(call).await? == 1)
    }

    /// Gives the lease back, so that the next reader may try.
    async fn resign(&self) {
        let key = self.kind.key(&self.id);
        let end = Command::new("HDEL")
            .arg(key)
            .arg("filler")
            .arg("leaseUntil");
        if let Err(error) = self.caches.redis.run::<()>(end.repeatable()).await {
            self.note(&error, "cache lease not released; it expires by itself");
        }
    }

    async fn past_the_cache(&self) -> Result<Found, Error> {
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

/// Reads what the script answers; see its head.
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
