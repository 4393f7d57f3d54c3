//! E-mail, from the payload of a job to the reports of the provider.
//!
//! [`payload`] has the payloads of jobs. Before a mail is sent, [`budget`] decides whether it may be sent now, and
//! [`ledger`] begins its row, unless the recipient is on the list of [`suppression`]. [`branding`] sets its look, and
//! [`unsubscribe`] writes its link. Afterwards [`event`] records the reports of the provider.

pub mod branding;
pub mod budget;
pub mod event;
pub mod ledger;
pub mod payload;
pub mod suppression;
pub mod unsubscribe;
