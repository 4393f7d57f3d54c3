//! `send-email` with work that panics: the suite proves with it that the edge catches panics, without a fault in the
//! product. The payload's `message` names a file. The work panics while the file is missing, and creates it.

use std::path::Path;

use serde_json::{Value, json};
use shared::edge::job::{Attempt, Work, Worker};
use shared::edge::{Fatal, start};
use shared::protocol::upstash::Redis;
use shared::service::job::{JobType, Stop};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let redis = Redis::from_env()?;
    let worker = Worker::from_env(JobType::Email, &redis)?;
    redis.connect().await;
    worker.serve(&Panicking).await
}

struct Panicking;

impl Work for Panicking {
    type Payload = Value;

    #[expect(clippy::panic, reason = "a panic is what this work is for")]
    async fn run(&self, _: &Attempt<'_>, payload: Value) -> Result<Value, Stop> {
        let file = payload["message"].as_str().map(Path::new);
        match file {
            Some(file) if file.exists() => Ok(json!({})),
            file => {
                let made = file.map(|file| std::fs::write(file, ""));
                panic!("the payload requested it: {made:?}");
            }
        }
    }
}
