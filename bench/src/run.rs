//! One run: everything measured in turn on one stage, so that the numbers belong together.

use std::path::PathBuf;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::memory::Memories;
use crate::page::Page;
use crate::read::{self, Reads};
use crate::signature::{self, Verification};
use crate::stage::Stage;
use crate::start::{self, Starts};
use crate::{machine, memory, node, session, size, throughput};

/// Warm reads by the official client.
const NODE_READS: usize = 2_000;

/// Measures everything.
pub(crate) async fn everything(bin_dir: PathBuf) -> Result<Page, Error> {
    let machine = machine::describe().await?;
    let stage = Stage::set(bin_dir).await?;
    say("throughput of mails");
    let mails = throughput::mails(&stage).await?;
    say("signatures");
    let verifications = signature::measure(&stage).await?;
    // From here on what is enqueued stays where it is.
    stage.cloud.qstash().hold(true);
    let id = stage.enqueue().await?;
    say("starts");
    let starts = start::measure(&stage, &id).await?;
    say("reads");
    let reads = read::measure(&stage, &id).await?;
    let node = node::measure(&stage, &id, NODE_READS).await?;
    say("sessions");
    let sessions = session::section(&stage).await?;
    say("memory");
    let memory = memory::measure(&stage, &id).await?;
    say("throughput of enqueues");
    let throughput = throughput::section(&stage, mails).await?;
    let sizes = size::section(&stage.bin_dir)?;
    stage.clear().await;
    Ok(Page {
        machine,
        comparisons: comparisons(&starts, &reads, &node, &memory, &verifications),
        sections: vec![
            sizes,
            starts.section(),
            memory.section(),
            reads.section(),
            sessions,
            signature::section(&verifications),
            throughput,
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
