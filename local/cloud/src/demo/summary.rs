//! The summary table of the demo.

use comfy_table::{Table, presets};
use serde_json::Value;

use super::follow::{Followed, short};

/// Returns the table, with one row for each job.
pub(super) fn table(jobs: &[Followed]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "job", "status", "attempts", "sent", "rejected", "in doubt", "took",
    ]);
    for Followed { id, job, .. } in jobs {
        let result = &job["result"];
        table.add_row([
            short(id).to_owned(),
            job["status"].as_str().unwrap_or("unknown").to_owned(),
            job["attempts"].to_string(),
            result["sent"].to_string(),
            result["rejected"]
                .as_array()
                .map_or(0, Vec::len)
                .to_string(),
            result["inDoubt"].to_string(),
            took(job),
        ]);
    }
    table.to_string()
}

/// Returns the time from creation to completion, in milliseconds.
fn took(job: &Value) -> String {
    let instant = |field: &str| job[field].as_str()?.parse::<jiff::Timestamp>().ok();
    match (instant("createdAt"), instant("completedAt")) {
        (Some(from), Some(to)) => format!("{} ms", to.as_millisecond() - from.as_millisecond()),
        _ => String::from("-"),
    }
}
