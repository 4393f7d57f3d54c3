//! One run: all measurements in turn on one stage, so that the numbers are comparable.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::memory::Memories;
use crate::page::{Page, Section};
use crate::read::{self, Reads};
use crate::signature::{self, Verification};
use crate::stage::Stage;
use crate::start::{self, Starts};
use crate::{
    audit, blocklist, cached, guard, machine, memory, node, outbox, scripts, session, size,
    throughput,
};

/// Warm reads by the official client.
const NODE_READS: usize = 2_000;

/// A separately measurable part of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The sizes of the binaries
    Sizes,
    /// Starts
    Starts,
    /// Resident memory
    Memory,
    /// Reads of a job
    Reads,
    /// Reads of a session
    Sessions,
    /// Reads of a cached value
    Caches,
    /// The guard beside @upstash/ratelimit
    Guard,
    /// Lookups in block lists
    Blocklist,
    /// Scripts at their bounds
    Scripts,
    /// Signatures of deliveries
    Signatures,
    /// Enqueues and mails
    Throughput,
    /// The outbox's relay
    Outbox,
    /// Appending to and verifying the audit log
    Audit,
}

/// Measures one part, on its own stage.
pub(crate) async fn only(part: Part, bin_dir: PathBuf) -> Result<Section, Error> {
    let stage = Stage::set(bin_dir).await?;
    let section = alone(&stage, part).await;
    stage.clear().await;
    section
}

async fn alone(stage: &Stage, part: Part) -> Result<Section, Error> {
    match part {
        Part::Sizes => size::section(&stage.bin_dir),
        Part::Starts => Ok(start::measure(stage, &held(stage).await?).await?.section()),
        Part::Memory => Ok(memory::measure(stage, &held(stage).await?).await?.section()),
        Part::Reads => Ok(read::measure(stage, &held(stage).await?).await?.section()),
        Part::Sessions => session::section(stage).await,
        Part::Caches => cached::section(stage).await,
        Part::Guard => guard::section(stage).await,
        Part::Blocklist => blocklist::section(stage).await,
        Part::Scripts => scripts::section(stage).await,
        Part::Signatures => Ok(signature::section(&signature::measure(stage).await?)),
        Part::Throughput => {
            let mails = throughput::mails(stage).await?;
            throughput::section(stage, mails).await
        }
        Part::Outbox => outbox::section(stage).await,
        Part::Audit => audit::section(stage).await,
    }
}

/// Enqueues a job that is not delivered, like all later ones.
async fn held(stage: &Stage) -> Result<String, Error> {
    stage.cloud.qstash().hold(true);
    stage.enqueue().await
}

/// Measures everything.
pub(crate) async fn everything(bin_dir: PathBuf) -> Result<Page, Error> {
    let machine = machine::describe().await?;
    let stage = Stage::set(bin_dir).await?;
    let page = on(&stage, machine).await;
    stage.clear().await;
    page
}

async fn on(stage: &Stage, machine: String) -> Result<Page, Error> {
    say("throughput of mails");
    let mails = throughput::mails(stage).await?;
    say("outbox");
    let outbox = outbox::section(stage).await?;
    say("signatures");
    let verifications = signature::measure(stage).await?;
    say("starts");
    let id = held(stage).await?;
    let starts = start::measure(stage, &id).await?;
    say("reads");
    let reads = read::measure(stage, &id).await?;
    let node = node::measure(stage, &id, NODE_READS).await?;
    say("sessions");
    let sessions = session::section(stage).await?;
    say("caches");
    let caches = cached::section(stage).await?;
    say("guard");
    let guard = guard::section(stage).await?;
    say("block list");
    let blocklist = blocklist::section(stage).await?;
    say("scripts");
    let scripts = scripts::section(stage).await?;
    say("memory");
    let memory = memory::measure(stage, &id).await?;
    say("throughput of enqueues");
    let throughput = throughput::section(stage, mails).await?;
    say("audit");
    let audit = audit::section(stage).await?;
    Ok(Page {
        machine,
        comparisons: comparisons(&starts, &reads, &node, &memory, &verifications),
        sections: vec![
            size::section(&stage.bin_dir)?,
            starts.section(),
            memory.section(),
            reads.section(),
            sessions,
            caches,
            guard,
            blocklist,
            scripts,
            signature::section(&verifications),
            throughput,
            outbox,
            audit,
        ],
    })
}

fn say(what: &str) {
    eprintln!("bench: {what}");
}

fn comparisons(
    starts: &Starts,
    reads: &Reads,
    node: &node::Reads,
    memory: &Memories,
    verifications: &[Verification],
) -> Vec<Comparison> {
    let started = (starts.queue_jobs.first_call.p50(), node.first_call.p50());
    let mut all = vec![
        Comparison::new("start and first read of a job", "ms", started.0, started.1),
        Comparison::new(
            "warm read of a job, p50",
            "ms",
            reads.function.p50(),
            node.warm.p50,
        ),
        Comparison::new(
            "resident memory",
            "MB",
            memory.queue_jobs,
            size::megabytes(node.warm.rss),
        ),
    ];
    all.extend(verifications.iter().map(|one| {
        let what = format!("a signature over {} KB, p50", one.size / 1000);
        Comparison::new(what, "ms", one.ours.p50(), one.node)
    }));
    all
}
