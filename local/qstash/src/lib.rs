//! A QStash-compatible server that keeps, signs, delivers and retries messages.
