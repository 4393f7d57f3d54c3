//! E-mail, from the payload of a job to what the provider reports.
//!
//! [`payload`] is what a job carries. Before a mail is sent, [`budget`] says whether it may go now, and [`ledger`] begins
//! its row, which [`suppression`] may refuse; [`branding`] says how it looks, and [`unsubscribe`] writes its link.
//! Afterwards [`event`] records what the provider reports.

pub mod branding;
pub mod budget;
pub mod event;
pub mod ledger;
pub mod payload;
pub mod suppression;
pub mod unsubscribe;
