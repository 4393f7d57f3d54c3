//! The run time of scripts. A script that took too long by the clock fails only if redis-server's processor was equally
//! busy: a busy machine does not make scripts fail.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::command::Command;
use crate::redis::{Connection, Reply};
use crate::step::Sent;

const MINUTE: Duration = Duration::from_mins(1);

/// The minimum interval of reading the processor time, so that a recent value precedes each script.
const TICK: Duration = Duration::from_secs(1);

/// The number of examined slow commands, and the length of a word that redis-server stores.
const SLOWLOG_ENTRIES: &str = "32";
const KEPT_OF_WORD: usize = 100;

/// The limits and used time of scripts.
#[derive(Debug)]
pub(crate) struct ScriptTime {
    longest: Duration,
    budget: Option<Duration>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// When the current minute of the budget started, and its used time.
    minute: Instant,
    spent: Duration,
    /// When the processor time was last read, and its value.
    tick: Option<Instant>,
    processor: Duration,
}

impl ScriptTime {
    /// Creates the limits: of one script, and of all scripts in a minute.
    pub(crate) fn new(longest: Duration, budget: Option<Duration>) -> Self {
        Self {
            longest,
            budget,
            seen: Mutex::new(Seen {
                minute: Instant::now(),
                spent: Duration::ZERO,
                tick: None,
                processor: Duration::ZERO,
            }),
        }
    }

    /// Returns the error line for a script after the minute's budget is exhausted. Upstash's text is not known.
    pub(crate) fn refusal(&self) -> Option<String> {
        let budget = self.budget?;
        let mut seen = self.seen();
        if seen.minute.elapsed() >= MINUTE {
            seen.minute = Instant::now();
            seen.spent = Duration::ZERO;
        }
        (seen.spent >= budget).then(|| {
            format!(
                "ERR max script run time exceeded. Limit: {} ms a minute",
                budget.as_millis()
            )
        })
    }

    /// Reads the processor time before scripts run, if it was not read recently; always if there is a budget.
    pub(crate) async fn begin(&self, connection: &mut Connection) -> io::Result<()> {
        let is_due = self.seen().tick.is_none_or(|tick| tick.elapsed() >= TICK);
        if (is_due || self.budget.is_some())
            && let Some(used) = processor(connection).await?
        {
            let mut seen = self.seen();
            (seen.tick, seen.processor) = (Some(Instant::now()), used);
        }
        Ok(())
    }

    /// Returns for each script that ran on the connection since `started` the error line if it ran too long.
    pub(crate) async fn end(
        &self,
        connection: &mut Connection,
        started: Instant,
        sent: &[&Sent],
    ) -> io::Result<Vec<Option<String>>> {
        let is_long = started.elapsed() > self.longest;
        if !is_long && self.budget.is_none() {
            return Ok(vec![None; sent.len()]);
        }
        let now = processor(connection).await?;
        let ran = {
            let mut seen = self.seen();
            let ran = now.unwrap_or_default().saturating_sub(seen.processor);
            seen.spent += ran;
            ran
        };
        if !is_long || ran <= self.longest {
            return Ok(vec![None; sent.len()]);
        }
        let words = ["GET", SLOWLOG_ENTRIES].map(|word| Bytes::from_static(word.as_bytes()));
        let log = Command::new("SLOWLOG", words.to_vec());
        let log = connection.exchange(&[log]).await?;
        let slow = slow_scripts(log.first(), connection.address()?);
        Ok(sent
            .iter()
            .map(|sent| {
                let script = sent.command.arguments().first()?;
                let took = slow.iter().find(|(name, _)| is_begun_by(script, name))?.1;
                (took > self.longest).then(|| self.error(took))
            })
            .collect())
    }

    /// Returns the error line for a script that ran too long. Upstash's text is not known.
    pub(crate) fn error(&self, took: Duration) -> String {
        format!(
            "ERR script timed out. Limit: {} ms, Actual: {} ms",
            self.longest.as_millis(),
            took.as_millis()
        )
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the processor time of redis-server's main thread, if it reports it.
async fn processor(connection: &mut Connection) -> io::Result<Option<Duration>> {
    let question = Command::new("INFO", vec![Bytes::from_static(b"cpu")]);
    let info = connection.exchange(&[question]).await?;
    Ok(info.first().and_then(used))
}

fn used(info: &Reply) -> Option<Duration> {
    let Reply::Bulk(text) = info else { return None };
    let text = std::str::from_utf8(text).ok()?;
    let seconds = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.strip_prefix(':')?.parse::<f64>().ok()
    };
    let both = seconds("used_cpu_sys_main_thread")? + seconds("used_cpu_user_main_thread")?;
    Duration::try_from_secs_f64(both).ok()
}

/// Returns the scripts among the slow commands of a connection: the stored part of their text or SHA-1, and their run
/// time.
fn slow_scripts(log: Option<&Reply>, address: SocketAddr) -> Vec<(Bytes, Duration)> {
    let Some(Reply::Array(entries)) = log else {
        return Vec::new();
    };
    let slow = entries.iter().filter_map(|entry| {
        let Reply::Array(entry) = entry else {
            return None;
        };
        match entry.as_slice() {
            [
                _,
                _,
                Reply::Integer(micros),
                Reply::Array(words),
                Reply::Bulk(client),
                ..,
            ] if *client == address.to_string().as_bytes() => {
                let [Reply::Bulk(name), Reply::Bulk(script), ..] = words.as_slice() else {
                    return None;
                };
                let is_script = name.to_ascii_lowercase().starts_with(b"eval");
                let took = Duration::from_micros(u64::try_from(*micros).ok()?);
                is_script.then(|| (script.clone(), took))
            }
            _ => None,
        }
    });
    slow.collect()
}

fn is_begun_by(script: &Bytes, kept: &Bytes) -> bool {
    let length = kept.len().min(KEPT_OF_WORD);
    script.get(..length) == kept.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_the_sum_of_both_modes_of_the_main_thread() {
        let info = "# CPU\r\nused_cpu_sys:9.000000\r\nused_cpu_sys_main_thread:0.100000\r\n\
                    used_cpu_user_main_thread:1.250000\r\n";
        let info = Reply::Bulk(Bytes::from_static(info.as_bytes()));
        assert_eq!(used(&info), Some(Duration::from_millis(1350)));
        assert_eq!(used(&Reply::error("BUSY")), None);
    }

    #[test]
    fn spent_script_budget_refuses_until_the_minute_ends() {
        let time = ScriptTime::new(Duration::from_millis(250), Some(Duration::from_millis(300)));
        assert_eq!(time.refusal(), None);
        time.seen().spent = Duration::from_millis(300);
        assert!(time.refusal().is_some());
        time.seen().minute = Instant::now().checked_sub(MINUTE).unwrap();
        assert_eq!(time.refusal(), None);
    }
}
