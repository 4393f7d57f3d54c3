//! Runs the server alone, with the official development token and keys:
//! `cargo run -p local-qstash --example qstash -- <address> <data folder> [speed]`.

use std::error::Error;
use std::path::PathBuf;

use local_qstash::Settings;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned())
        .parse()?;
    let data = PathBuf::from(
        arguments
            .next()
            .ok_or("usage: serve <address> <data folder> [speed]")?,
    );
    let mut settings = Settings::official(listen, data);
    if let Some(speed) = arguments.next() {
        settings.speed = speed.parse()?;
    }
    let server = local_qstash::start(settings).await?;
    println!("QStash is running at {}", server.url());
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}
