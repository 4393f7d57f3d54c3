//! Reading a session in several ways, in one run: through its function, directly from Redis with the official client,
//! over a bare round trip, and with the web app's former statements.

use http::Method;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::protocol::postgres::{Json, Parameter, Postgres, Type, column};
use shared::protocol::upstash::{Command, Redis, Reply, Script};
use shared::service::session::{ACTIVE_USERS, DIRECT_READ};
use uuid::Uuid;

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::player::Player;
use crate::read::own_time;
use crate::spread::Spread;
use crate::stage::{Stage, succeed, with_json};
use crate::turns::{Turns, timed};

/// Reads of each kind.
const READS: usize = 3_000;

/// The web app's query on every request, with its whole result.
const SELECT: &str =
    "SELECT to_jsonb(kept) AS session FROM public.user_sessions AS kept WHERE session_id = $1";

/// The web app's write on every request, after the query.
const UPDATE: &str = "UPDATE public.user_sessions SET last_used_at = now() WHERE session_id = $1";

/// The function's script.
static SCRIPT: Script = Script::repeatable(DIRECT_READ);

/// The user of the sessions.
pub(crate) const USER: Uuid = Uuid::from_u128(0x3f2b_6c1e_8a4d_4c55_9e07_5d1f_0a9b_7c21);

/// The times of each way.
struct Ways {
    bare: Spread,
    script: Spread,
    function: Spread,
    own: Spread,
    direct: Spread,
    select: Spread,
    both: Spread,
}

/// Measures the figures.
pub(crate) async fn section(stage: &Stage) -> Result<Section, Error> {
    let id = begin(stage).await?;
    let (redis, postgres) = (stage.redis()?, stage.postgres()?);
    let path = format!("/api/sessions/{id}");
    let mut direct = Player::start(stage, &["session", &id])?;
    let mut turns = Turns::new(READS);
    while turns.go_on() {
        let select = timed(select(&postgres, &id)).await?;
        let update = timed(update(&postgres, &id)).await?;
        let [waited, own] = stage.read("sessions", &path).await?;
        turns.note([
            timed(bare(&redis, &id)).await?,
            timed(script(&redis, &id)).await?,
            waited,
            own,
            direct.act().await?,
            select,
            select + update,
        ]);
    }
    let [bare, script, function, own, direct, select, both] = turns.spreads();
    Ok(Section {
        title: "Reading a session",
        how: "GET /api/sessions/{sessionId} beside HGETALL of the same session over Redis REST (the bare round trip),\n\
              the script that the function runs there, the same script with @upstash/redis on Node (the web app's\n\
              direct read), and the web app's statements in Postgres on every request: a SELECT, and an UPDATE of the\n\
              last use. In turn, 3,000 each, of one session. Node's calls are timed within its process. The statements\n\
              are sent from Rust over an open connection, as from a pool, to a server that does not wait for its disk.\n\
              The web app's HTTP layer in front of Postgres is missing, so Postgres looks faster than it was.",
        figures: Ways {
            bare,
            script,
            function,
            own,
            direct,
            select,
            both,
        }
        .figures(),
    })
}

impl Ways {
    fn figures(&self) -> Vec<Figure> {
        let mut figures = self.times();
        figures.extend(self.ratios());
        figures
    }

    fn times(&self) -> Vec<Figure> {
        let ms = |what: &str, value| Figure::new(what, value, "ms");
        vec![
            ms("bare round trip, p50", self.bare.p50()),
            ms("bare round trip, p99", self.bare.p99()),
            ms("the script, bare, p50", self.script.p50()),
            ms("through the function, p50", self.function.p50()).at_most(1.0),
            ms("through the function, p99", self.function.p99()),
            ms(
                "the function from the event to the answer, p50",
                self.own.p50(),
            ),
            ms(
                "direct read with @upstash/redis on Node, p50",
                self.direct.p50(),
            ),
            ms(
                "direct read with @upstash/redis on Node, p99",
                self.direct.p99(),
            ),
            ms("the SELECT, p50", self.select.p50()),
            ms("the SELECT, p99", self.select.p99()),
            ms("the SELECT and the UPDATE, p50", self.both.p50()),
            ms("the SELECT and the UPDATE, p99", self.both.p99()),
        ]
    }

    fn ratios(&self) -> Vec<Figure> {
        let ratio = |what: &str, one: f64, other: f64| Figure::new(what, one / other, "x");
        let [bare, script, function, own, direct, select, both] = [
            &self.bare,
            &self.script,
            &self.function,
            &self.own,
            &self.direct,
            &self.select,
            &self.both,
        ]
        .map(Spread::p50);
        vec![
            own_time(own, script),
            ratio(
                "the direct read over the bare round trip, p50",
                direct,
                bare,
            ),
            ratio("the direct read over the function, p50", direct, function),
            ratio("the SELECT over the function, p50", select, function),
            ratio(
                "the SELECT and the UPDATE over the function, p50",
                both,
                function,
            ),
            ratio(
                "the SELECT and the UPDATE over the direct read, p50",
                both,
                direct,
            ),
        ]
    }
}

/// Creates a session and returns its id.
pub(crate) async fn begin(stage: &Stage) -> Result<String, Error> {
    let login = json!({
        "userId": USER,
        "email": "ann@example.com",
        "refreshToken": "a refresh token",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        "ipAddress": "192.0.2.7",
    });
    let request = with_json(stage.request(Method::POST, "/api/sessions"), &login);
    let begun = succeed(request).await?.bytes().await?;
    let begun: Value = serde_json::from_slice(&begun).unwrap_or_default();
    let id = begun["sessionId"].as_str().map(ToOwned::to_owned);
    id.ok_or_else(|| Error::Unexpected(format!("a login answered {begun}")))
}

async fn bare(redis: &Redis, id: &str) -> Result<(), Error> {
    let command = Command::new("HGETALL").arg(format!("session:{id}"));
    match redis.run::<Reply>(command).await? {
        Reply::Array(fields) if !fields.is_empty() => Ok(()),
        other => Err(Error::Unexpected(format!(
            "no session is at {id}: {other:?}"
        ))),
    }
}

/// Runs the script as the function and the web app do: with the sets of today and yesterday.
pub(crate) async fn script(redis: &Redis, id: &str) -> Result<(), Error> {
    let today = Clock::system()
        .now()
        .to_zoned_datetime(TimeZone::UTC)
        .date();
    let days = [today, today.yesterday().unwrap_or(today)];
    let call = SCRIPT
        .invoke()
        .key(format!("session:{id}"))
        .keys(days.map(|day| ACTIVE_USERS.key(&day.to_string())));
    redis.eval::<String>(call).await?;
    Ok(())
}

async fn select(postgres: &Postgres, id: &str) -> Result<(), Error> {
    let parameters: [Parameter<'_>; 1] = [(&id, Type::TEXT)];
    let rows = postgres.query(SELECT, &parameters).await?;
    let row = rows.first();
    let row = row.ok_or_else(|| Error::Unexpected(format!("no row is at {id}")))?;
    column::<Json<Value>>(row, "session")?;
    Ok(())
}

async fn update(postgres: &Postgres, id: &str) -> Result<(), Error> {
    let parameters: [Parameter<'_>; 1] = [(&id, Type::TEXT)];
    match postgres.execute(UPDATE, &parameters).await? {
        1 => Ok(()),
        rows => Err(Error::Unexpected(format!("{rows} rows are at {id}"))),
    }
}
