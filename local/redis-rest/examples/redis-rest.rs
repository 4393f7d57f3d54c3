//! A standalone front for a running redis-server: `cargo run -p local-redis-rest --example redis-rest -- 127.0.0.1:8079
//! 127.0.0.1:6379 <token> [<read-only token>]`. Clients can run their own test suites against it. It stops at Ctrl-C.

use std::error::Error;
use std::future::pending;

use local_redis_rest::{Settings, start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(redis), Some(token)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: serve <listen> <redis> <token> [<read-only token>]".into());
    };
    let read_only_token = arguments.next().unwrap_or_default();
    let mut settings = Settings::new(listen.parse()?, redis.parse()?, token);
    settings.read_only_token = read_only_token;
    let front = start(settings).await?;
    eprintln!("Redis over REST at {}", front.url());
    pending().await
}
