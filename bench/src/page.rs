//! docs/PERFORMANCE.md.

use crate::comparison::Comparison;
use crate::figure::Figure;

/// A title and its figures.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) how: &'static str,
    pub(crate) figures: Vec<Figure>,
}

/// All measurements.
pub(crate) struct Page {
    pub(crate) machine: String,
    pub(crate) sections: Vec<Section>,
    pub(crate) comparisons: Vec<Comparison>,
}

impl Page {
    /// Returns the numbers beyond their bounds.
    pub(crate) fn beyond(&self) -> impl Iterator<Item = &Figure> {
        let figures = self.sections.iter().flat_map(|section| &section.figures);
        figures.filter(|figure| !figure.holds())
    }

    /// Returns the page.
    pub(crate) fn text(&self) -> String {
        let sections: String = self.sections.iter().map(Section::text).collect();
        let comparisons: String = self.comparisons.iter().map(Comparison::row).collect();
        format!(
            "# Performance\n
Written by `make bench`. All figures are from one run with the release binaries of one build. Everything is on loopback,
with the Redis, PostgreSQL, QStash and SES of the local cloud. The table of costs is exact and not from the run: a test
checks it.\n
Machine: {}.\n
## Costs of an operation at Redis and QStash\n
Checked by a test (`tests/suite/budgets`): requests at the REST front, and commands at redis-server. A script and the
commands in it both count, because Upstash bills both. The scripts are loaded; a missing one costs one more request. A
job also writes its progress, at most once a second, for one request of 4 commands. N bulk mails cost ceil(N/10,000)
requests to QStash. A filtered page of jobs reads up to 60 records, one command for each.\n
{}
{sections}{PROFILES}## Beside the official clients on Node\n
`@upstash/redis` reading the same job's record straight from the same Redis REST front, and `@upstash/qstash`'s
Receiver verifying the same deliveries. Here, a read goes through gateway and function besides.\n
| what | here | Node | Node takes |\n|---|---:|---:|---:|\n{comparisons}",
            self.machine,
            tests::budget::table(),
        )
    }
}

/// The alternatives to the release profile. They were measured by hand, because each needs its own build.
const PROFILES: &str = "## The release profile\n
The alternatives to `[profile.release]` of Cargo.toml, each with `opt-level = \"s\"` and one codegen unit. They were
measured on a busy machine of 2 cores, so the times are processor times. The limit of a program is 6 MB, of send-email
12 MB. With `lto = \"fat\"` or `\"thin\"` the dependencies take about 10 minutes, and each program is optimized
separately: an estimated 38 minutes for all 22 with fat LTO. Without LTO all take 17 minutes (`scripts/lambda-build`),
and 20 programs exceed their limit by up to 1.7 MB. Only fat LTO keeps the limit.\n
| lto | sessions | send-email | openapi | to link sessions |
|---|---:|---:|---:|---:|
| fat (chosen) | 5.36 MB | 7.69 MB | 2.91 MB | 81 s |
| fat, the function itself at `opt-level = 1` | 6.79 MB | | | 63 s |
| thin | 6.78 MB | 9.89 MB | 3.62 MB | |
| thin, identical code folded by the linker | 6.66 MB | | | 113 s |
| off | 7.74 MB | 10.74 MB | 4.52 MB | |\n
";

impl Section {
    /// Returns the section's Markdown.
    pub(crate) fn text(&self) -> String {
        let rows: String = self.figures.iter().map(Figure::row).collect();
        format!(
            "## {}\n\n{}\n\n| what | measured | must be | holds |\n|---|---:|---:|---|\n{rows}\n",
            self.title, self.how
        )
    }
}
