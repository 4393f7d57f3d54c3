//! A standalone server with the official development token and keys: `cargo run --example qstash -- <address> <data
//! folder> [speed] [calls-a-second=<number>] [<host>=<address> ...]`. The given hosts are not looked up: their
//! deliveries go to the address.

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
            .ok_or("usage: qstash <address> <data folder> [speed] [<host>=<address> ...]")?,
    );
    let mut settings = Settings::official(listen, data);
    for argument in arguments {
        match argument.split_once('=') {
            Some(("calls-a-second", calls)) => settings.calls_a_second = Some(calls.parse()?),
            Some((host, address)) => {
                let address = address.parse()?;
                settings.hosts.known.insert(host.to_owned(), address);
            }
            None => settings.speed = argument.parse()?,
        }
    }
    let server = local_qstash::start(settings).await?;
    println!("QStash is running at {}", server.url());
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}
