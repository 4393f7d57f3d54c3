//! The outbox: its rows, and their way to the queue.

mod rows;
