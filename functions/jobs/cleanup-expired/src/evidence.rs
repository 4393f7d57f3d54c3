//! Legal evidence: audit events and signing requests, by retention alone.

use shared::service::audit::Retired;
use shared::service::housekeeping::{BATCH, Task};
use tokio::time::Instant;

use crate::cleaner::{Cleaner, Ended, Error};

impl Cleaner {
    pub(crate) async fn ended_requests(
        &self,
        run: &str,
        deadline: Instant,
    ) -> Result<Ended, Error> {
        let before = self.retained_since();
        loop {
            let removed = self.housekeeping.remove_ended_requests(before).await?;
            self.housekeeping
                .note(run, Task::EndedRequests, removed)
                .await?;
            if removed < u64::from(BATCH) {
                return Ok(Ended::Done(None));
            }
            if Instant::now() >= deadline {
                return Ok(Ended::Short);
            }
        }
    }

    pub(crate) async fn audit_events(&self, run: &str, deadline: Instant) -> Result<Ended, Error> {
        let before = self.retained_since();
        let (mut after, mut broken) = (String::new(), 0);
        loop {
            let chains = self.audit.old_chains(before, &after).await?;
            let Some(last) = chains.last() else { break };
            after.clone_from(last);
            for chain in &chains {
                loop {
                    match self.audit.retire(&self.seal, chain, before).await? {
                        Retired::Removed(0) => break,
                        Retired::Removed(removed) => {
                            self.housekeeping
                                .note(run, Task::AuditEvents, removed)
                                .await?;
                        }
                        Retired::Broken(link) => {
                            let (sequence, detail) = (link.sequence, &link.detail);
                            tracing::error!(chain, sequence, detail, "an audit chain is broken");
                            broken += 1;
                            break;
                        }
                    }
                    if Instant::now() >= deadline {
                        return Ok(Ended::Short);
                    }
                }
            }
        }
        loop {
            let removed = self.housekeeping.remove_unchained(before).await?;
            self.housekeeping
                .note(run, Task::AuditEvents, removed)
                .await?;
            if removed < u64::from(BATCH) {
                break;
            }
            if Instant::now() >= deadline {
                return Ok(Ended::Short);
            }
        }
        if broken > 0 {
            return Err(Error::BrokenChains(broken));
        }
        Ok(Ended::Done(None))
    }
}
