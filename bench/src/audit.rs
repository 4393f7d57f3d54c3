//! The speed of appending to the audit log and of verifying it.

use std::time::Instant;

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use shared::protocol::postgres::Postgres;
use shared::service::audit::{Audit, Event};

use crate::error::Error;
use crate::figure::Figure;
use crate::page::Section;
use crate::spread::Spread;
use crate::stage::{Stage, succeed};

/// Events appended in each way.
const APPENDS: u32 = 2_000;

/// Concurrent sessions that append.
const SESSIONS: u32 = 8;

/// Chains of the verified log, and events of each.
const CHAINS: u32 = 400;
const EVENTS: u32 = 100;

/// Chains that one statement fills.
const AT_ONCE: u32 = 20;

/// Verifications of the whole log.
const WALKS: usize = 5;

/// Measures the figures.
pub(crate) async fn section(stage: &Stage) -> Result<Section, Error> {
    let alone = appends(stage, "alone", 1, |_| 0).await?;
    let own = appends(stage, "own", SESSIONS, |session| session).await?;
    let same = appends(stage, "same", SESSIONS, |_| 0).await?;
    fill(stage).await?;
    let (mut took, mut events) = (Vec::with_capacity(WALKS), 0);
    for _ in 0..WALKS {
        let started = Instant::now();
        events = walk(stage).await?;
        took.push(started.elapsed());
    }
    let per_second = f64::from(events) * 1000.0 / Spread::from_iter(took).p50();
    Ok(Section {
        title: "The audit log",
        how: "Appending through the SQL function, 2,000 events in each way, each in its own transaction; the local\n\
              cloud's Postgres does not wait for its disk. Verifying with GET /api/audit/verify over the whole log of\n\
              46,000 events, most of them in chains of 100, vacuumed. Every text is hashed and compared with its\n\
              columns, and every link is followed; the median of five runs. The bottleneck is one core in Postgres,\n\
              which converts rows to text; less than one core is busy here.",
        figures: vec![
            Figure::new("appending, one session", alone, "per s"),
            Figure::new("appending, eight sessions with a chain each", own, "per s"),
            Figure::new("appending, eight sessions on one chain", same, "per s"),
            Figure::new("verifying", per_second, "events per s").at_least(100_000.0),
        ],
    })
}

/// Returns the events per second from this number of concurrent sessions, each into the chain that `chain` names.
async fn appends(
    stage: &Stage,
    run: &str,
    sessions: u32,
    chain: impl Fn(u32) -> u32,
) -> Result<f64, Error> {
    let each = APPENDS / sessions;
    let writers = (0..sessions).map(|session| {
        let event = event(&format!("{run}-{}", chain(session)));
        let (audit, ids) = (stage.postgres().map(Audit::new), format!("{run}-{session}"));
        async move {
            let (audit, event) = (audit?, event?);
            for number in 0..each {
                audit.append(&format!("{ids}-{number}"), &event).await?;
            }
            Ok::<(), Error>(())
        }
    });
    let started = Instant::now();
    try_join_all(writers).await?;
    Ok(f64::from(each * sessions) / started.elapsed().as_secs_f64())
}

/// Returns an event of a signature.
fn event(request: &str) -> Result<Event, Error> {
    serde_json::from_value(signing(request))
        .map_err(|error| Error::Unexpected(format!("no event: {error}")))
}

fn signing(request: &str) -> Value {
    json!({
        "action": "sign",
        "resourceType": "signing_request",
        "resourceId": request,
        "userId": "3f2b6c1e-8a4d-4c55-9e07-5d1f0a9b7c21",
        "domain": "example.com",
        "details": { "title": "Lease of a flat", "page": 3, "field": "signature" },
        "metadata": { "source": "web", "locale": "en" },
        "ipAddress": "192.0.2.7",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        "timestamp": 1_700_000_000_000_i64,
    })
}

/// Fills the log for the verification, through the same function.
async fn fill(stage: &Stage) -> Result<(), Error> {
    let (one, other, owner) = (stage.postgres()?, stage.postgres()?, stage.owner()?);
    let half = async |postgres: &Postgres, from: u32| {
        for first in (from..CHAINS).step_by(2 * AT_ONCE as usize) {
            postgres.batch(&filling(first)).await?;
        }
        Ok::<(), Error>(())
    };
    tokio::try_join!(half(&one, 0), half(&other, AT_ONCE))?;
    owner.batch("VACUUM ANALYZE public.audit_logs").await?;
    Ok(())
}

/// Returns the statement that fills some chains, in turn.
fn filling(first: u32) -> String {
    let event = signing("");
    let last = first + AT_ONCE - 1;
    format!(
        "SELECT count(public.signtusk_append_audit_event('{event}'::jsonb || jsonb_build_object('resourceId', 'verified-' || chain))) \
         FROM generate_series(1, {EVENTS}) AS place, generate_series({first}, {last}) AS chain"
    )
}

/// Verifies the whole log, in as many calls as necessary, and returns the number of its events.
async fn walk(stage: &Stage) -> Result<u32, Error> {
    let (mut cursor, mut events) = (None::<String>, 0);
    loop {
        // A cursor consists of letters, digits, `-` and `_`.
        let place = cursor.map_or_else(String::new, |cursor| format!("?cursor={cursor}"));
        let call = stage.get(&format!("/api/audit/verify{place}"));
        let verdict = succeed(call).await?.bytes().await?;
        let verdict: Value = serde_json::from_slice(&verdict).unwrap_or_default();
        events += count(&verdict)?;
        cursor = verdict["cursor"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    if events < 3 * APPENDS + CHAINS * EVENTS {
        return Err(Error::Unexpected(format!("{events} events were verified")));
    }
    Ok(events)
}

/// Returns the number of events of a valid verdict.
fn count(verdict: &Value) -> Result<u32, Error> {
    let events = verdict["events"]
        .as_u64()
        .and_then(|events| u32::try_from(events).ok());
    match (verdict["valid"].as_bool(), events) {
        (Some(true), Some(events)) => Ok(events),
        _ => Err(Error::Unexpected(format!("the verdict is {verdict}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::count;

    #[test]
    fn events_of_a_broken_log_do_not_count() {
        assert_eq!(count(&json!({ "valid": true, "events": 7 })).ok(), Some(7));
        assert!(count(&json!({ "valid": false, "events": 7 })).is_err());
        assert!(count(&json!({})).is_err());
    }
}
