//! Our own Redis client with the real front and a real redis-server, and with responses that no store sends.

mod batches;
mod binary;
mod hostile;
mod refusals;
mod repetition;
mod replies;
mod subscriptions;
