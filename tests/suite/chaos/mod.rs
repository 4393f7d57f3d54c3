//! Chaos: load on every way to enqueue while instances are killed, Redis is wiped, connections to Postgres are cut and
//! the queue's responses are lost. Nothing acknowledged may be lost, and a mail that is sent twice must be in doubt.
//!
//! The suite runs it for some seconds. `make chaos` runs it for `CHAOS_SECONDS`, default ten minutes, and writes its
//! figures to the page of numbers. `CHAOS_SEED` selects the faults.

mod faults;
mod figures;
mod load;
mod outcome;
mod random;

use std::time::{Duration, Instant};

use shared::base::env;

use crate::outages::gated;
use figures::Figures;

/// The duration of the load in the suite, in seconds.
const SHORT: u64 = 8;

/// The speed of the queue's clock under load: a minute takes a second.
const SPEED: f64 = 60.0;

/// The speed of its clock afterwards, when only retries are left.
const DRAIN_SPEED: f64 = 600.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_loses_no_accepted_job_and_marks_every_duplicate_in_doubt() {
    let load_time = Duration::from_secs(env::parsed_or("CHAOS_SECONDS", SHORT).unwrap());
    let seed = env::parsed_or("CHAOS_SEED", 1).unwrap();
    let (cloud, gates) = gated().await;
    cloud.qstash().set_speed(SPEED);
    let started = Instant::now();
    let until = started + load_time;
    let (ordered, fault_counts) = tokio::join!(
        load::run(&cloud, until),
        faults::run(&cloud, &gates, seed, until)
    );
    gates.open();
    cloud.qstash().set_speed(DRAIN_SPEED);
    let drain = Instant::now();
    let settled = outcome::drained(&cloud, &ordered).await;
    let figures = Figures {
        seed,
        load: load_time,
        drain: drain.elapsed(),
        ordered: &ordered,
        fault_counts: &fault_counts,
        settled: &settled,
    };
    figures.publish();
    settled.check(&ordered, &figures.to_string());
}
