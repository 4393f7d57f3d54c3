//! Handing recorded jobs to the queue: what became of each, where a request may be refused for one of them, or break off.

use super::Error;
use super::publisher::{Outgoing, Publisher};
use crate::protocol::qstash;

/// Bytes of payloads that go with one request. What takes long to send is long in doubt, and written in JSON a payload
/// may be twice as large.
const REQUEST_BYTES: usize = 4 << 20;

/// What became of one job's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The queue has it.
    Taken,
    /// The queue refuses this message, whatever becomes of the others.
    Refused(String),
    /// It was certainly not taken.
    NotSent,
    /// It may have been taken; publishing it again is safe.
    InDoubt,
}

/// What became of the messages of several jobs.
#[derive(Debug)]
pub struct Handover {
    /// One for each job, in their order.
    pub deliveries: Vec<Delivery>,
    /// What broke it off, if it was.
    pub outage: Option<Error>,
}

impl Handover {
    /// Whether every message was taken.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.deliveries.iter().all(|it| *it == Delivery::Taken)
    }
}

impl Publisher {
    /// Publishes jobs in their order, each once. One that is refused does not hold the others back, even where the queue
    /// refuses its whole request; an outage ends it.
    pub async fn hand_over(&self, jobs: &[Outgoing<'_>]) -> Handover {
        let mut deliveries = vec![Delivery::NotSent; jobs.len()];
        let mut outage = None;
        // The parts that are still to be sent, the next one last.
        let mut parts = cut(jobs);
        parts.reverse();
        while let Some((first, end)) = parts.pop() {
            match self.part(&jobs[first..end]).await {
                Ok(outcomes) => deliveries[first..end].clone_from_slice(&outcomes),
                Err(error) if is_refusal(&error) && end - first > 1 => {
                    let middle = first + (end - first) / 2;
                    parts.extend([(middle, end), (first, middle)]);
                }
                Err(error) if is_refusal(&error) => {
                    deliveries[first] = Delivery::Refused(error_text(&error));
                }
                Err(error) => {
                    if error.is_ambiguous() {
                        deliveries[first..end].fill(Delivery::InDoubt);
                    }
                    outage = Some(error);
                    break;
                }
            }
        }
        Handover { deliveries, outage }
    }

    async fn part(&self, jobs: &[Outgoing<'_>]) -> Result<Vec<Delivery>, Error> {
        if jobs.len() == 1 {
            self.publish(jobs).await?;
            return Ok(vec![Delivery::Taken]);
        }
        let outcomes = self.publish_each(jobs).await?.into_iter();
        let delivery = |outcome: Result<(), qstash::Refusal>| match outcome {
            Ok(()) => Delivery::Taken,
            Err(refusal) => Delivery::Refused(refusal.to_string()),
        };
        Ok(outcomes.map(delivery).collect())
    }
}

/// The places at which jobs are cut into requests: first and end of each.
fn cut(jobs: &[Outgoing<'_>]) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (place, job) in jobs.iter().enumerate() {
        bytes += job.payload.len();
        if bytes > REQUEST_BYTES && place > first {
            parts.push((first, place));
            (first, bytes) = (place, job.payload.len());
        }
    }
    if first < jobs.len() {
        parts.push((first, jobs.len()));
    }
    parts
}

/// Whether the queue, or this client, refuses what the request carries: the same request is refused again.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Message(_) | Error::Payload(_) | Error::Refused(_) => true,
        Error::Publish(error) => match error {
            qstash::Error::Argument(_) | qstash::Error::Quota(_) => true,
            qstash::Error::Refused { status, .. } => (400..500).contains(status) && *status != 408,
            _ => false,
        },
        _ => false,
    }
}

/// An error and its cause, in one line.
fn error_text(error: &Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::{Outgoing, REQUEST_BYTES, cut};
    use crate::service::job::{JobType, Priority};

    fn parts(sizes: &[usize]) -> Vec<(usize, usize)> {
        let payloads: Vec<String> = sizes.iter().map(|size| "x".repeat(*size)).collect();
        let jobs: Vec<Outgoing<'_>> = payloads.iter().map(|it| outgoing(it)).collect();
        cut(&jobs)
    }

    fn outgoing(payload: &str) -> Outgoing<'_> {
        Outgoing {
            job_id: "job-1",
            job: JobType::Email,
            generation: 1,
            priority: Priority::Normal,
            tenant: "-",
            not_before: None,
            payload,
        }
    }

    #[test]
    fn requests_are_cut_by_bytes_and_no_job_is_left_out() {
        let half = REQUEST_BYTES / 2;
        assert_eq!(parts(&[]), []);
        assert_eq!(parts(&[1, 1, 1]), [(0, 3)]);
        assert_eq!(parts(&[half, half, 1]), [(0, 2), (2, 3)]);
        assert_eq!(parts(&[3 * half, 1, 3 * half]), [(0, 1), (1, 2), (2, 3)]);
    }
}
