//! docs/PERFORMANCE.md.

use crate::comparison::Comparison;
use crate::figure::Figure;

/// A title and its figures.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) how: &'static str,
    pub(crate) figures: Vec<Figure>,
}

/// Everything that was measured.
pub(crate) struct Page {
    pub(crate) machine: String,
    pub(crate) sections: Vec<Section>,
    pub(crate) comparisons: Vec<Comparison>,
}

impl Page {
    /// The numbers that are not where they must be.
    pub(crate) fn beyond(&self) -> impl Iterator<Item = &Figure> {
        let figures = self.sections.iter().flat_map(|section| &section.figures);
        figures.filter(|figure| !figure.holds())
    }

    /// The page.
    pub(crate) fn text(&self) -> String {
        let sections: String = self.sections.iter().map(Section::text).collect();
        let comparisons: String = self.comparisons.iter().map(Comparison::row).collect();
        format!(
            "# Performance\n
Written by `make bench`. All figures are of one run of it: the release binaries of one build, everything on loopback,
Redis, PostgreSQL, QStash and SES those of the local cloud. The table of costs is exact and does not come from the run: a
test holds it.\n
Machine: {}.\n
## What an operation costs at Redis and QStash\n
Held by a test (`tests/suite/budgets`): requests as the REST front counts them, commands as redis-server
counts them, a script and what it calls included, because Upstash bills both. The scripts are known to the store; one
that is not costs one request more. A job also writes its progress, at most once a second, for one request of 4
commands. N bulk mails cost ceil(N/10,000) requests to QStash. A page of jobs that is filtered looks at up to 100
records, a command for each.\n
{}
{sections}## Beside the official clients on Node\n
`@upstash/redis` reading the same job's record straight from the same Redis REST front, and `@upstash/qstash`'s
Receiver verifying the same deliveries. Here, a read goes through gateway and function besides.\n
| what | here | Node | Node takes |\n|---|---:|---:|---:|\n{comparisons}",
            self.machine,
            tests::budget::table(),
        )
    }
}

impl Section {
    /// As a part of the page.
    pub(crate) fn text(&self) -> String {
        let rows: String = self.figures.iter().map(Figure::row).collect();
        format!(
            "## {}\n\n{}\n\n| what | measured | must be | holds |\n|---|---:|---:|---|\n{rows}\n",
            self.title, self.how
        )
    }
}
