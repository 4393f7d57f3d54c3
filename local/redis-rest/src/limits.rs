//! The limits of an Upstash database (<https://upstash.com/docs/redis/troubleshooting>, `db_lua_timeout` and
//! `db_lua_credits_per_min` of its developer API).

use std::time::Duration;

/// The limits of a database. The default is a paid database, without a budget of script run time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The longest run of a script.
    pub script_time: Duration,
    /// The run time of all scripts in a minute; `None`: no limit.
    pub script_time_per_minute: Option<Duration>,
    /// The longest key, in bytes.
    pub key_bytes: usize,
    /// The largest record (a string, list, hash ...), in bytes.
    pub record_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            script_time: Duration::from_millis(250),
            script_time_per_minute: None,
            key_bytes: 32 * 1024,
            record_bytes: 100 * 1024 * 1024,
        }
    }
}
