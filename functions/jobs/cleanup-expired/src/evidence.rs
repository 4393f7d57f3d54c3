//! Legal evidence: deletes audit events and signing requests with their signed documents after their retention.

use jiff::Timestamp;
use serde_json::json;
use shared::service::audit::{Checkpoint, Retirable};
use shared::service::cleanup::{BATCH, EndedRequest, Task};
use tokio::time::Instant;

use crate::handler::{CleanupHandler, Error, TaskResult};

impl CleanupHandler {
    /// Deletes requests whose retention has ended. The signed document goes first, because only the row names it.
    pub(crate) async fn ended_requests(
        &self,
        run: &str,
        deadline: Instant,
    ) -> Result<TaskResult, Error> {
        let before = self.retained_since("requests").await?;
        let (mut after, mut left): (Option<EndedRequest>, u64) = (None, 0);
        loop {
            let page = self.cleanup.ended_requests(before, after.as_ref()).await?;
            let gone: Vec<&EndedRequest> = page.iter().filter(|it| it.may_go).collect();
            for request in &gone {
                left += u64::from(!self.signed.remove(request).await?);
            }
            if !gone.is_empty() {
                let ids: Vec<&str> = gone.iter().map(|request| request.id.as_str()).collect();
                let removal = self.cleanup.removal(run, Task::EndedRequests).await?;
                let removed = removal.ended_requests(before, &ids).await?;
                removal.end(removed).await?;
            }
            let Some(last) = page.into_iter().next_back() else {
                let left = (left > 0).then(|| json!({ "objectsLeft": left }));
                return Ok(TaskResult::Done(left));
            };
            after = Some(last);
            if Instant::now() >= deadline {
                return Ok(TaskResult::OutOfTime);
            }
        }
    }

    pub(crate) async fn audit_events(
        &self,
        run: &str,
        deadline: Instant,
    ) -> Result<TaskResult, Error> {
        let before = self.retained_since("audit").await?;
        let (mut after, mut broken) = (String::new(), 0);
        loop {
            let chains = self.audit.old_chains(before, &after).await?;
            let Some(last) = chains.last() else { break };
            after.clone_from(last);
            for chain in &chains {
                loop {
                    match self.audit.retirable(&self.signer, chain, before).await? {
                        Retirable::Nothing => break,
                        Retirable::Ready(checkpoint) => self.retire(run, &checkpoint).await?,
                        Retirable::Broken(link) => {
                            let (sequence, detail) = (link.sequence, &link.detail);
                            tracing::error!(
                                chain,
                                sequence,
                                detail,
                                "audit chain broken: clean-up leaves it alone"
                            );
                            broken += 1;
                            break;
                        }
                    }
                    if Instant::now() >= deadline {
                        return Ok(TaskResult::OutOfTime);
                    }
                }
            }
        }
        while self.unchained(run, before).await? == u64::from(BATCH) {
            if Instant::now() >= deadline {
                return Ok(TaskResult::OutOfTime);
            }
        }
        if broken > 0 {
            return Err(Error::BrokenChains(broken));
        }
        Ok(TaskResult::Done(None))
    }

    async fn retire(&self, run: &str, checkpoint: &Checkpoint) -> Result<(), Error> {
        let removal = self.cleanup.removal(run, Task::AuditEvents).await?;
        let removed = checkpoint.put(removal.transaction()).await?;
        removal.end(removed).await?;
        Ok(())
    }

    async fn unchained(&self, run: &str, before: Timestamp) -> Result<u64, Error> {
        let removal = self.cleanup.removal(run, Task::AuditEvents).await?;
        let removed = removal.unchained(before).await?;
        Ok(removal.end(removed).await?)
    }
}
