//! The rules, each with the Redis keys and tables that it owns.
