//! A kill in real time: the leases expire without help.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::{Stage, put_off, settled};
use crate::support::payloads::bulk;
use crate::support::proxy::carries;
use crate::support::waiting::statuses;

/// The timeout: more than a lease of 35 s and the retries around it.
const TIMEOUT: Duration = Duration::from_mins(2);

#[tokio::test]
async fn killed_instance_costs_each_of_five_jobs_at_most_one_doubt() {
    let stage = Stage::start(|settings| settings.qstash_speed = 1.0).await;
    let kill_switch = stage.cloud.gateway().kill_switch();
    let begun = AtomicUsize::new(0);
    let killed = Arc::new(AtomicUsize::new(0));
    let victims = Arc::clone(&killed);
    stage.statements.guard(move |bytes| {
        let begins = carries(bytes, "INSERT INTO signtusk.email_ledger");
        let strikes = begins && begun.fetch_add(1, Ordering::Relaxed) == 200;
        if strikes {
            victims.store(kill_switch.kill("send-email"), Ordering::Relaxed);
        }
        !strikes
    });

    // At the priority of a bulk, one job of a tenant runs at a time.
    let mut order = bulk(500);
    order["priority"] = json!("high");
    let ids = stage.enqueue_bulk(&order).await;
    assert_eq!(ids.len(), 5);
    let (mut taken_over, mut doubtful) = (0, BTreeSet::new());
    for id in &ids {
        let job = stage.cloud.wait_longer_for(id, "completed", TIMEOUT).await;
        assert_eq!(settled(&job), 100, "{job:#}");
        let timeline = job["timeline"].to_string();
        let again = timeline.contains("the lease of the one before ran out");
        taken_over += usize::from(again);
        // On a busy machine, a hundred mails may not fit into one attempt.
        let put_off = put_off(&job);
        let deferred = statuses(&job)
            .iter()
            .filter(|status| **status == "deferred")
            .count();
        let attempts = 1 + usize::from(again) + put_off - deferred;
        assert_eq!(job["attempts"], attempts, "{job:#}");
        let mut refused = stage.events(id, "ERROR").await.into_iter();
        let held = refused.any(|event| event["responseStatus"] == 503);
        assert!(
            held == again || put_off > 0,
            "{id}: a delivery during the lease is answered 503"
        );
        let rows = stage.ledger(id).await;
        let marked = rows.into_iter().filter(|row| row.in_doubt);
        let marked: Vec<String> = marked.map(|row| row.recipient).collect();
        assert!(marked.len() <= usize::from(again), "{id}: {marked:?}");
        doubtful.extend(marked);
    }

    let killed = killed.load(Ordering::Relaxed);
    assert!(killed > 1, "one kill hit {killed} instances");
    assert!(
        (1..=killed).contains(&taken_over),
        "{killed} instances were killed, {taken_over} jobs taken over"
    );
    let mails = stage.cloud.mails();
    assert_eq!(mails.len(), 500, "no mail is lost");
    for (to, count) in mails {
        let doubt = usize::from(doubtful.contains(&to));
        assert!(count <= 1 + doubt, "{to} has {count} mails");
    }
}
