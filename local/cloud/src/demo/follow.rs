//! Follows jobs live: a bar of the sent mails, and a line for each change of a job's state.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Error;
use super::api::Api;

/// The polling interval.
const INTERVAL: Duration = Duration::from_millis(100);

/// A followed job.
pub(super) struct Followed {
    pub(super) id: String,
    pub(super) job: Value,
    shown_entries: usize,
}

impl Followed {
    pub(super) fn is_completed(&self) -> bool {
        self.job["status"] == "completed"
    }

    fn has_ended(&self) -> bool {
        ["completed", "dead", "cancelled"]
            .iter()
            .any(|status| self.job["status"] == *status)
    }

    /// Returns the number of settled mails: from the result after the job has ended, from the progress before.
    fn mails(&self) -> u64 {
        let sent = &self.job["result"]["sent"];
        let done = &self.job["progress"]["done"];
        sent.as_u64().or_else(|| done.as_u64()).unwrap_or_default()
    }

    /// Returns the new lines of the timeline.
    fn news(&mut self) -> Vec<String> {
        let timeline = self.job["timeline"].as_array().cloned().unwrap_or_default();
        let news = timeline.iter().skip(self.shown_entries).map(|moment| {
            let at = moment["at"].as_str().and_then(|at| at.parse().ok());
            let clock = at.unwrap_or(Timestamp::UNIX_EPOCH).strftime("%H:%M:%S%.3f");
            let status = moment["status"].as_str().unwrap_or_default();
            let note = moment["note"].as_str().unwrap_or_default();
            format!("   {clock}  {}  {status:<10} {note}", short(&self.id))
        });
        let news = news.collect();
        self.shown_entries = timeline.len();
        news
    }
}

/// Returns the end of an id, which differs between ids of the same moment.
pub(super) fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(12)..).unwrap_or(id)
}

/// Follows jobs until all have ended or the timeout has passed.
pub(super) async fn until_ended(
    api: &Api,
    ids: &[String],
    mails: u64,
    patience: Duration,
) -> Result<Vec<Followed>, Error> {
    let started = Instant::now();
    let bar = bar(mails);
    let mut jobs: Vec<Followed> = ids.iter().map(|id| follow(id)).collect();
    loop {
        for followed in jobs.iter_mut().filter(|followed| !followed.has_ended()) {
            followed.job = api.job(&followed.id).await?;
            for line in followed.news() {
                bar.suspend(|| println!("{line}"));
            }
        }
        bar.set_position(jobs.iter().map(Followed::mails).sum());
        if jobs.iter().all(Followed::has_ended) || started.elapsed() > patience {
            bar.finish();
            return Ok(jobs);
        }
        sleep(INTERVAL).await;
    }
}

fn follow(id: &str) -> Followed {
    Followed {
        id: id.to_owned(),
        job: Value::Null,
        shown_entries: 0,
    }
}

fn bar(mails: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("   [{bar:40}] {pos}/{len} mails  {elapsed}");
    let bar = ProgressBar::new(mails);
    match style {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
