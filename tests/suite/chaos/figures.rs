//! The figures of a run: printed, and written to the page of numbers if one is named.

use std::fmt;
use std::time::Duration;

use super::faults::FaultCounts;
use super::load::Ordered;
use super::outcome::Settled;

/// The section's heading. `make bench` keeps the section when it rewrites the page.
const HEADING: &str = "\n## Under chaos\n";

/// The variable that names the page of numbers, if the figures are to be stored.
const PAGE: &str = "CHAOS_PAGE";

/// The result of a run.
pub(super) struct Figures<'a> {
    pub(super) seed: u64,
    pub(super) load: Duration,
    pub(super) drain: Duration,
    pub(super) ordered: &'a Ordered,
    pub(super) fault_counts: &'a FaultCounts,
    pub(super) settled: &'a Settled,
}

impl Figures<'_> {
    /// Prints them, and writes them to the page that the environment names.
    pub(super) fn publish(&self) {
        println!("{self}");
        let Some(path) = shared::base::env::optional(PAGE) else {
            return;
        };
        let page = std::fs::read_to_string(&path).unwrap();
        let rest = page.split(HEADING).next().unwrap_or_default().trim_end();
        let text = format!("{rest}\n{HEADING}{self}");
        std::fs::write(path, text).unwrap();
    }
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ordered,
            fault_counts,
            settled,
            ..
        } = self;
        writeln!(
            f,
            "\nLoad on every way to enqueue for {} s with seed {}, while instances are killed, Redis is wiped, connections to\n\
             Postgres are cut and answers of the queue are lost. The queue's clock runs 60 times as fast.\n",
            self.load.as_secs(),
            self.seed
        )?;
        writeln!(f, "| what | count |\n|---|---|")?;
        for (what, count) in [
            ("requests", ordered.requests),
            ("of these acknowledged", ordered.acknowledged),
            ("mails acknowledged", ordered.mails.len() as u64),
            (
                "notifications acknowledged",
                ordered.notifications.len() as u64,
            ),
            ("audit events acknowledged", ordered.events.len() as u64),
            ("instances killed", fault_counts.kills),
            ("times Redis was wiped", fault_counts.wipes),
            (
                "times all connections to Postgres were cut",
                fault_counts.cuts,
            ),
            ("answers of the queue lost", fault_counts.lost_answers),
            ("dead jobs redriven", settled.redriven),
            ("acknowledged and lost", settled.lost(ordered).len() as u64),
            ("mails that went twice", settled.doubles().len() as u64),
            ("recipients marked in doubt", settled.in_doubt.len() as u64),
            ("twice without doubt", settled.wrong().len() as u64),
            ("seconds until all had arrived", self.drain.as_secs()),
        ] {
            writeln!(f, "| {what} | {count} |")?;
        }
        Ok(())
    }
}
