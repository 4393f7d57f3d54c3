//! An Upstash-compatible REST front for a real redis-server.
