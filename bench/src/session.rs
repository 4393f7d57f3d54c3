//! What reading a session takes on each way that there is, in one run: through its function, straight from Redis with
//! the official client, over a bare round trip, and with the query that the web app made before.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use shared::protocol::postgres::{Json, Postgres, Type, column};
use shared::protocol::upstash::{Command, Redis, Reply, Script};
use shared::service::session::DIRECT_READ;

use crate::error::Error;
use crate::figure::Figure;
use crate::node;
use crate::page::Section;
use crate::read::timed;
use crate::spread::Spread;
use crate::stage::{Stage, complete, succeed, with_json};

/// Reads of each kind, in turn, so that a slow moment of the machine meets all of them.
const READS: usize = 3_000;

/// Reads that are not counted.
const WARM_UP: usize = 200;

/// What the web app asked Postgres on every request, with what it needed of the answer.
const QUERY: &str =
    "SELECT to_jsonb(kept) AS session FROM public.user_sessions AS kept WHERE session_id = $1";

/// The script as the function runs it.
static SCRIPT: Script = Script::repeatable(DIRECT_READ);

/// The figures.
pub(crate) async fn section(stage: &Stage) -> Result<Section, Error> {
    let id = begin(stage).await?;
    let (redis, path) = (stage.redis()?, format!("/api/sessions/{id}"));
    let postgres = Postgres::at(stage.cloud.database_url(), None)
        .map_err(|error| Error::Unexpected(error.to_string()))?;
    let mut took: [Vec<Duration>; 5] = Default::default();
    for round in 0..WARM_UP + READS {
        let times = [
            timed(bare(&redis, &id)).await?,
            timed(script(&redis, &id)).await?,
            timed(complete(stage.call_hello())).await?,
            timed(complete(stage.get(&path))).await?,
            timed(query(&postgres, &id)).await?,
        ];
        if round >= WARM_UP {
            for (took, time) in took.iter_mut().zip(times) {
                took.push(time);
            }
        }
    }
    let arguments = [id, READS.to_string()];
    let line = node::last_line("session.js", &arguments, stage.cloud.environment()).await?;
    let direct: node::Warm = node::read(&line)?;
    Ok(figures(&took.map(Spread::from_iter), direct.p50))
}

fn figures([bare, script, hello, function, query]: &[Spread; 5], direct: f64) -> Section {
    let alone = function.p50() - hello.p50();
    Section {
        title: "Reading a session",
        how: "GET /api/sessions/{sessionId} beside HGETALL of the same session over Redis REST (the bare round trip), the\n\
              script that the function runs there, the same script with @upstash/redis on Node (the web app's direct read),\n\
              and the query that the web app made on every request, over an open connection without a pooler; in turn,\n\
              3,000 each, Node's by themselves. hello is a function that does nothing behind the same gateway.",
        figures: vec![
            Figure::new("bare round trip, p50", bare.p50(), "ms"),
            Figure::new("the script, bare, p50", script.p50(), "ms"),
            Figure::new("hello through the gateway, p50", hello.p50(), "ms"),
            Figure::new("through the function, p50", function.p50(), "ms").at_most(1.0),
            Figure::new("through the function, p99", function.p99(), "ms"),
            Figure::new("direct read with @upstash/redis on Node, p50", direct, "ms"),
            Figure::new("the query that they replace, p50", query.p50(), "ms"),
            Figure::new(
                "through the function over the bare round trip, p50",
                function.p50() / bare.p50(),
                "x",
            )
            .at_most(1.3),
            Figure::new(
                "the function alone (without hello's time) over its script, p50",
                alone / script.p50(),
                "x",
            ),
            Figure::new(
                "direct read on Node over the bare round trip, p50",
                direct / bare.p50(),
                "x",
            ),
        ],
    }
}

/// Begins a session and gives its id.
async fn begin(stage: &Stage) -> Result<String, Error> {
    let login = json!({
        "userId": "3f2b6c1e-8a4d-4c55-9e07-5d1f0a9b7c21",
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

async fn script(redis: &Redis, id: &str) -> Result<(), Error> {
    let call = SCRIPT.invoke().key(format!("session:{id}"));
    redis.eval::<String>(call).await?;
    Ok(())
}

async fn query(postgres: &Postgres, id: &str) -> Result<(), Error> {
    let failed = |error: shared::protocol::postgres::Error| Error::Unexpected(error.to_string());
    let rows = postgres
        .query(QUERY, &[(&id, Type::TEXT)])
        .await
        .map_err(failed)?;
    let row = rows.first();
    let row = row.ok_or_else(|| Error::Unexpected(format!("no row is at {id}")))?;
    column::<Json<Value>>(row, "session").map_err(failed)?;
    Ok(())
}
