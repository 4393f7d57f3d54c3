//! Publishing recorded jobs in batches. It determines the result of each message, even if QStash rejects a request
//! because of one message, or the connection breaks.

use super::Error;
use super::publisher::{Outgoing, Publisher};
use crate::base::causes::causes;
use crate::protocol::qstash::{self, Message, Refusal};

/// The number of messages in one request. A job of 100 recipients has about 10 KB.
const BATCH: usize = 1000;

/// The body bytes of one request, although QStash accepts 100 MB: a long transfer is in doubt for a long time, and a
/// batch escapes every body.
const BATCH_BYTES: usize = 4 << 20;

/// The number of rejected requests after which the cause is assumed to affect all messages.
const MAX_REJECTED: usize = 200;

/// The result of publishing one job's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// QStash accepted it.
    Taken,
    /// QStash rejects this message, independent of the others.
    Refused(String),
    /// It was certainly not accepted.
    NotSent,
    /// It may have been accepted; publishing it again is safe.
    InDoubt,
}

/// The result of publishing several jobs.
#[derive(Debug)]
pub struct Handover {
    /// One for each job, in order.
    pub deliveries: Vec<Delivery>,
    /// The outage that stopped it, if there was one.
    pub outage: Option<Error>,
}

/// A job's message, and the position of the job.
type Written = (usize, Message);

impl Publisher {
    /// Publishes jobs in order, each once. A rejected message does not affect the others, even if QStash rejects its
    /// whole request. An outage stops it.
    pub async fn hand_over(&self, jobs: &[Outgoing<'_>]) -> Handover {
        let mut deliveries = vec![Delivery::NotSent; jobs.len()];
        let mut written = Vec::with_capacity(jobs.len());
        for (place, job) in jobs.iter().enumerate() {
            match self.message(job) {
                Ok(message) => written.push((place, message)),
                Err(error) => deliveries[place] = refused(&error),
            }
        }
        let outage = self.send(&written, &mut deliveries).await.err();
        Handover { deliveries, outage }
    }

    /// Sends messages in batches. QStash rejects a whole batch for one malformed message, so a rejected batch is halved
    /// until the message is alone.
    async fn send(&self, written: &[Written], deliveries: &mut [Delivery]) -> Result<(), Error> {
        let mut parts = cut(written);
        parts.reverse();
        let mut rejected = 0;
        while let Some(part) = parts.pop() {
            match self.send_part(part).await {
                Ok(answers) => {
                    for ((place, _), answer) in part.iter().zip(answers) {
                        deliveries[*place] = answer.map_or_else(
                            |refusal| Delivery::Refused(refusal.to_string()),
                            |()| Delivery::Taken,
                        );
                    }
                }
                Err(error) if error.is_rejection() => {
                    rejected += 1;
                    if part.len() == 1 || rejected > MAX_REJECTED {
                        fill(deliveries, part, &refused(&error.into()));
                    } else {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                }
                Err(error) => {
                    if error.is_ambiguous() {
                        fill(deliveries, part, &Delivery::InDoubt);
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    async fn send_part(&self, part: &[Written]) -> Result<Vec<Result<(), Refusal>>, qstash::Error> {
        if let [(_, message)] = part {
            self.qstash.publish(message).await?;
            return Ok(vec![Ok(())]);
        }
        let messages: Vec<&Message> = part.iter().map(|(_, message)| message).collect();
        let answers = self.qstash.batch(&messages).await?;
        Ok(answers.into_iter().map(|answer| answer.map(drop)).collect())
    }
}

fn fill(deliveries: &mut [Delivery], part: &[Written], with: &Delivery) {
    for (place, _) in part {
        deliveries[*place] = with.clone();
    }
}

/// Splits messages into batches of a bounded number and size, in order.
fn cut(written: &[Written]) -> Vec<&[Written]> {
    let mut parts = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (place, (_, message)) in written.iter().enumerate() {
        let size = message.body().len();
        if place > first && (place - first >= BATCH || bytes + size > BATCH_BYTES) {
            parts.push(&written[first..place]);
            (first, bytes) = (place, 0);
        }
        bytes += size;
    }
    if first < written.len() {
        parts.push(&written[first..]);
    }
    parts
}

/// Returns a rejection, with the error and its causes in one line.
fn refused(error: &Error) -> Delivery {
    Delivery::Refused(causes(error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BATCH, BATCH_BYTES, Delivery, Outgoing, Publisher, cut};
    use crate::base::secret::Secret;
    use crate::protocol::canned::{Answer, Server};
    use crate::protocol::qstash::Client;
    use crate::service::job::{JobType, Priority};

    fn publisher(server: &Server) -> Publisher {
        let token = Secret::new("token".into());
        let qstash = Client::new(&server.url(), &token, Duration::from_secs(20)).unwrap();
        Publisher::new(qstash, "http://localhost:3000".parse().unwrap())
    }

    fn job<'a>(job_id: &'a str, payload: &'a str) -> Outgoing<'a> {
        Outgoing {
            job_id,
            job: JobType::Email,
            generation: 1,
            priority: Priority::Normal,
            tenant: "ann@example.com",
            not_before: None,
            payload,
        }
    }

    fn rejected() -> Answer {
        Answer::json(400, r#"{"error":"malformed"}"#)
    }

    fn taken(ids: &[&str]) -> Answer {
        let answers: Vec<String> = ids
            .iter()
            .map(|id| format!(r#"{{"messageId":"{id}"}}"#))
            .collect();
        Answer::json(200, &format!("[{}]", answers.join(",")))
    }

    #[tokio::test]
    async fn rejected_message_of_a_batch_is_isolated_and_the_others_are_published() {
        let server = Server::answering([
            rejected(),
            taken(&["a", "b"]),
            rejected(),
            rejected(),
            Answer::json(200, r#"{"messageId":"d"}"#),
        ]);
        let jobs = ["a", "b", "c", "d"].map(|id| job(id, "{}"));
        let handover = publisher(&server).hand_over(&jobs).await;
        let Delivery::Refused(reason) = &handover.deliveries[2] else {
            panic!("published");
        };
        assert!(reason.contains("malformed"), "{reason}");
        let others = [0, 1, 3].map(|place| handover.deliveries[place].clone());
        assert_eq!(others, [Delivery::Taken, Delivery::Taken, Delivery::Taken]);
        assert!(handover.outage.is_none());
    }

    #[tokio::test]
    async fn invalid_job_does_not_block_the_rest_of_its_batch() {
        let server = Server::answering([Answer::json(200, r#"{"messageId":"b"}"#)]);
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(7_000_000));
        let jobs = [job("a", "[]"), job("b", "{}"), job("c", &large)];
        let deliveries = publisher(&server).hand_over(&jobs).await.deliveries;
        assert!(matches!(
            &deliveries[..],
            [Delivery::Refused(_), Delivery::Taken, Delivery::Refused(_)]
        ));
    }

    #[tokio::test]
    async fn spent_quota_is_an_outage_and_refuses_no_job() {
        let server = Server::answering([Answer::json(412, r#"{"error":"quota"}"#)]);
        let jobs = ["a", "b"].map(|id| job(id, "{}"));
        let handover = publisher(&server).hand_over(&jobs).await;
        assert_eq!(handover.deliveries, [Delivery::NotSent, Delivery::NotSent]);
        assert!(!handover.outage.unwrap().is_rejection());
    }

    #[tokio::test]
    async fn lost_answer_leaves_its_batch_in_doubt_and_the_rest_unsent() {
        let half = format!(r#"{{"a":"{}"}}"#, "x".repeat(BATCH_BYTES / 2));
        let server = Server::answering([
            Answer::json(200, r#"{"messageId":"a"}"#),
            Answer::json(502, r#"{"error":"gone"}"#),
        ]);
        let jobs = ["a", "b", "c"].map(|id| job(id, &half));
        let handover = publisher(&server).hand_over(&jobs).await;
        assert_eq!(
            handover.deliveries,
            [Delivery::Taken, Delivery::InDoubt, Delivery::NotSent]
        );
        assert!(handover.outage.is_some());
    }

    #[tokio::test]
    async fn batches_are_cut_by_count_and_bytes_without_losing_a_job() {
        let publisher = publisher(&Server::answering([]));
        let sizes = |payloads: &[&str]| {
            let jobs = payloads.iter().map(|payload| job("a", payload));
            let written = jobs.map(|job| publisher.message(&job).unwrap());
            let written: Vec<_> = written.enumerate().collect();
            cut(&written)
                .iter()
                .map(|part| part.len())
                .collect::<Vec<_>>()
        };
        let half = format!(r#"{{"a":"{}"}}"#, "x".repeat(BATCH_BYTES / 2 - 600));
        assert!(sizes(&[]).is_empty());
        assert_eq!(sizes(&["{}"; BATCH + 1]), [BATCH, 1]);
        assert_eq!(sizes(&[&half, &half, &half]), [2, 1]);
    }
}
