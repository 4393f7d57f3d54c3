//! The server over real HTTP, with real receivers: nothing in here is a stand-in.
#![cfg(test)]

mod batches;
mod callbacks;
mod calls;
mod dead_letters;
mod deduplication;
mod deliveries;
mod flow_control;
mod harness;
mod messages;
mod queues;
mod restarts;
mod retries;
mod schedules;
mod url_groups;
