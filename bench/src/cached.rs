//! Reading a cached value in several ways, in one run: through its function, with the official client as the web app
//! did, and with the query that the cache replaces.

use shared::protocol::postgres::{Parameter, Postgres, Type, column};
use shared::protocol::upstash::{Command, Redis, Reply};
use shared::service::cache::{Caches, Found, Source, Viewer, kind};

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::player::Player;
use crate::read::own_time;
use crate::spread::Spread;
use crate::stage::{Stage, succeed};
use crate::turns::{Turns, timed};

/// Reads of each kind.
const READS: usize = 3_000;

/// The signing request of the local cloud's sample data.
const REQUEST: &str = "01985c00-0000-7000-8000-000000000100";

/// The statement that fills the entry: a request with its signers and its document.
const QUERY: &str = include_str!("../../shared/src/service/cache/sql/document.sql");

/// The key of the same value in the web app's form: a JSON string.
const FORMER: &str = "bench:document";

/// The times of each way.
struct Ways {
    bare: Spread,
    script: Spread,
    function: Spread,
    own: Spread,
    official: Spread,
    query: Spread,
}

/// Measures the figures.
pub(crate) async fn section(stage: &Stage) -> Result<Section, Error> {
    let (redis, postgres) = (stage.redis()?, stage.postgres()?);
    let caches = Caches::new(redis.clone(), postgres.clone());
    let path = format!("/api/cache/documents/{REQUEST}");
    let value = succeed(stage.get(&path)).await?.text().await?;
    let keep = Command::new("SET").arg(FORMER).arg(value);
    redis.run::<Reply>(keep.arg("EX").arg("3600")).await?;
    let mut official = Player::start(stage, &["get", FORMER])?;
    let mut turns = Turns::new(READS);
    while turns.go_on() {
        let [waited, own] = stage.read("cache", &path).await?;
        turns.note([
            timed(bare(&redis)).await?,
            timed(script(&caches)).await?,
            waited,
            own,
            official.act().await?,
            timed(query(&postgres)).await?,
        ]);
    }
    let [bare, script, function, own, official, query] = turns.spreads();
    Ok(Section {
        title: "Reading a cached value",
        how: "GET /api/cache/documents/{requestId}, a hit, beside GET of the same value as a string over Redis REST\n\
              (the bare round trip), the script that the function runs there, the web app's own way (GET with\n\
              @upstash/redis on Node, without generations and visibility), and the statement that the cache replaces,\n\
              which reads a request with three signers and its document. In turn, 3,000 each, timed as above.\n\
              Everything is on one machine, and single calls do not show how much load a cache keeps away from\n\
              Postgres.",
        figures: Ways {
            bare,
            script,
            function,
            own,
            official,
            query,
        }
        .figures(),
    })
}

impl Ways {
    fn figures(&self) -> Vec<Figure> {
        let ms = |what: &str, value| Figure::new(what, value, "ms");
        let ratio = |what: &str, one: &Spread, other: &Spread| {
            Figure::new(what, one.p50() / other.p50(), "x")
        };
        vec![
            ms("bare round trip, p50", self.bare.p50()),
            ms("the script, bare, p50", self.script.p50()),
            ms("through the function, p50", self.function.p50()),
            ms("through the function, p99", self.function.p99()),
            ms(
                "the function from the event to the answer, p50",
                self.own.p50(),
            ),
            ms("GET with @upstash/redis on Node, p50", self.official.p50()),
            ms("GET with @upstash/redis on Node, p99", self.official.p99()),
            ms("the query, p50", self.query.p50()),
            ms("the query, p99", self.query.p99()),
            own_time(self.own.p50(), self.script.p50()),
            ratio(
                "@upstash/redis on Node over the function, p50",
                &self.official,
                &self.function,
            ),
            ratio(
                "the query over the function, p50",
                &self.query,
                &self.function,
            ),
            ratio(
                "the query over the script, bare, p50",
                &self.query,
                &self.script,
            ),
        ]
    }
}

async fn bare(redis: &Redis) -> Result<(), Error> {
    redis.run::<String>(Command::new("GET").arg(FORMER)).await?;
    Ok(())
}

async fn script(caches: &Caches) -> Result<(), Error> {
    let found = caches
        .get(&kind::DOCUMENTS, REQUEST, &Viewer::Everything)
        .await?;
    match found {
        Found::Value {
            source: Source::Hit,
            ..
        } => Ok(()),
        other => Err(Error::Unexpected(format!("no hit: {other:?}"))),
    }
}

async fn query(postgres: &Postgres) -> Result<(), Error> {
    let parameters: [Parameter<'_>; 1] = [(&REQUEST, Type::TEXT)];
    let rows = postgres.query(QUERY, &parameters).await?;
    let row = rows.first();
    let row = row.ok_or_else(|| Error::Unexpected("the sample request is not there".into()))?;
    column::<&str>(row, "value")?;
    Ok(())
}
