//! Checks whether the account may send a message, before any of it is written.

use bytes::Bytes;

use crate::broker::Broker;
use crate::destination::{Destination, Target};
use crate::hosts::HostChecks;
use crate::options::Options;
use crate::publish::{Draft, Now};

use super::refusal::Refusal;

/// The checks of one call.
pub(super) struct Admission<'a> {
    broker: &'a Broker,
    hosts: HostChecks<'a>,
    now: Now,
}

impl<'a> Admission<'a> {
    /// Starts the checks of a call that arrived at `now`.
    pub(super) fn new(broker: &'a Broker, now: Now) -> Self {
        Self {
            broker,
            hosts: broker.hosts.checks(),
            now,
        }
    }

    /// Checks a message: its size and its numbers against the plan, and its hosts.
    pub(super) async fn check(&mut self, draft: &Draft) -> Result<(), Refusal> {
        self.check_parts(Some(&draft.destination), &draft.options, &draft.body)
            .await
    }

    /// Checks the parts of a message, or a change of one.
    pub(super) async fn check_parts(
        &mut self,
        destination: Option<&Destination>,
        options: &Options,
        body: &Bytes,
    ) -> Result<(), Refusal> {
        self.broker
            .limits
            .check_message(options, body.len(), self.now)?;
        // The endpoints of a group were looked up when they were added.
        if let Some(Destination::Url(target)) = destination {
            self.check_host(target).await?;
        }
        for callback in options.callback.iter().chain(&options.failure_callback) {
            self.check_host(&callback.target).await?;
        }
        Ok(())
    }

    /// Checks the host of a URL.
    pub(super) async fn check_host(&mut self, target: &Target) -> Result<(), Refusal> {
        Ok(self.hosts.check(target).await?)
    }
}
