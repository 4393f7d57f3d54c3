//! The loop that starts deliveries and sleeps until the next one is due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::broker::Broker;
use crate::clock;
use crate::delivery::{self, Sender};
use crate::disorder::Duplicate;
use crate::error::causes;
use crate::message::Message;
use crate::outcome;
use crate::publish::Now;
use crate::schedule;
use crate::store::{self, Snapshot};

use super::Change;
use super::index::Start;

/// The wait of a stop for running deliveries.
const GRACE: Duration = Duration::from_secs(2);

/// The longest sleep without another wake-up. Longer sleeps are cut, because the clock may be sped up meanwhile.
const MAX_SLEEP: Duration = Duration::from_mins(1);

/// The pause of a delivery after the store failed.
const STORE_REST: Duration = Duration::from_secs(1);

/// Delivers until `stop` is set, then gives running deliveries a moment to end.
pub(crate) async fn run(broker: Arc<Broker>, mut stop: watch::Receiver<bool>) {
    let mut deliveries = JoinSet::new();
    while !*stop.borrow() {
        fire(&broker).await;
        let held = broker.is_held();
        if !held {
            for start in broker.scheduler.index().start(broker.clock.now_ms()) {
                deliveries.spawn(deliver(Arc::clone(&broker), start));
            }
        }
        let next_ms = broker.scheduler.index().next_ms(held);
        let sleep = next_ms
            .map_or(MAX_SLEEP, |at_ms| broker.clock.until(at_ms))
            .min(MAX_SLEEP);
        tokio::select! {
            () = broker.scheduler.wake.notified() => {}
            // A timer's resolution is a millisecond: without rounding up, the last one is spent spinning.
            () = tokio::time::sleep(sleep + Duration::from_millis(1)) => {}
            Some(_) = deliveries.join_next(), if !deliveries.is_empty() => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
        while deliveries.try_join_next().is_some() {}
    }
    let ended = async { while deliveries.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        // Deliveries stopped here are repeated after the next start.
        deliveries.shutdown().await;
    }
}

async fn fire(broker: &Broker) {
    let now = Now::read(&broker.clock);
    let due = broker.scheduler.index().due_schedules(now.broker_ms);
    for (at_ms, id) in due {
        let fired = {
            let id = id.clone();
            broker
                .store
                .write(move |tx| Ok(((), schedule::fire(tx, id.as_str(), at_ms, now)?)))
                .await
        };
        if let Err(error) = fired {
            tracing::error!(
                error = causes(&error),
                schedule = %id,
                "schedule not fired; its next time fires it"
            );
        }
    }
}

async fn deliver(broker: Arc<Broker>, start: Start) {
    if let Err(error) = try_deliver(&broker, &start).await {
        tracing::error!(
            error = causes(&error),
            id = %start.id,
            "delivery not stored; tried again after a pause"
        );
        tokio::time::sleep(STORE_REST).await;
        let due_ms = broker.clock.now_ms();
        broker.scheduler.apply(vec![Change::Retry {
            id: start.id.clone(),
            due_ms,
        }]);
    }
    broker.scheduler.index().end(&start);
    broker.scheduler.wake();
}

async fn try_deliver(broker: &Broker, start: &Start) -> Result<(), store::Error> {
    let Some((message, body)) = load(&broker.store.snapshot()?, start)? else {
        return Ok(());
    };
    let key = broker.signing_key();
    let sender = Sender {
        client: &broker.http,
        key: &key,
        hosts: &broker.hosts,
    };
    let timeout = broker.limits.timeout(message.options.timeout_ms);
    let attempt = |body| delivery::attempt(&sender, &message, body, clock::wall_ms(), timeout);
    let attempt = match broker.scheduler.duplicate() {
        None => attempt(body).await,
        Some(Duplicate::Beside) => tokio::join!(attempt(body.clone()), attempt(body)).0,
        Some(Duplicate::Later(shift)) => {
            // The response is lost: the store still has the message as active.
            attempt(body).await;
            let due_ms = broker.clock.now_ms() + broker.clock.broker_span_ms(shift);
            let id = start.id.clone();
            broker.scheduler.apply(vec![Change::Retry { id, due_ms }]);
            return Ok(());
        }
    };
    let now = Now::read(&broker.clock);
    let id = start.id.clone();
    broker
        .store
        .write(move |tx| Ok(((), outcome::settle(tx, &id, &attempt, now)?)))
        .await
}

/// Returns the message and its body; none if it was just cancelled.
fn load(snapshot: &Snapshot, start: &Start) -> Result<Option<(Message, Vec<u8>)>, store::Error> {
    let Some(message) = snapshot.get::<Message>(start.id.as_str())? else {
        return Ok(None);
    };
    let body = snapshot.body(start.id.as_str())?.unwrap_or_default();
    Ok(Some((message, body)))
}
