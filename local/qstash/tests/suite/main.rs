//! The server over real HTTP, with real receivers and without mocks.
#![cfg(test)]

mod batches;
mod bulk_actions;
mod callbacks;
mod calls;
mod dead_letters;
mod deduplication;
mod deliveries;
mod disorder;
mod flow_control;
mod harness;
mod hosts;
mod messages;
mod plans;
mod queues;
mod releases;
mod restarts;
mod retries;
mod schedules;
mod url_groups;
