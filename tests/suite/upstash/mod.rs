//! Our own Redis client against the real front and a real redis-server, and against answers that no store gives.

mod batches;
mod binary;
mod hostile;
mod refusals;
mod repetition;
mod replies;
mod subscriptions;
