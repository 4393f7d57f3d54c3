//! Measures this project's figures and writes docs/PERFORMANCE.md. Run by `make bench`.

mod audit;
mod blocklist;
mod cached;
mod comparison;
mod error;
mod figure;
mod guard;
mod machine;
mod memory;
mod meter;
mod node;
mod outbox;
mod page;
mod player;
mod read;
mod run;
mod scripts;
mod session;
mod signature;
mod size;
mod spread;
mod stage;
mod start;
mod throughput;
mod turns;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::error::Error;

/// The section that `make chaos` writes at the end of the page; it is kept.
const CHAOS: &str = "\n## Under chaos\n";

/// Measures the functions on this machine, and writes the page of numbers.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    /// The folder of the release binaries
    #[arg(long, value_name = "FOLDER", default_value = "target/release")]
    bin_dir: PathBuf,
    /// The page to write
    #[arg(long, value_name = "FILE", default_value = "docs/PERFORMANCE.md")]
    page: PathBuf,
    /// Measures one part, prints it, and leaves the page unchanged
    #[arg(long, value_name = "PART")]
    only: Option<run::Part>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {}", error.in_full());
            ExitCode::FAILURE
        }
    }
}

/// Writes the page, or prints a part of it. A number beyond its bound is not a failure: the page shows it.
async fn measure(options: Options) -> Result<(), Error> {
    if let Some(part) = options.only {
        print!("{}", run::only(part, options.bin_dir).await?.text());
        return Ok(());
    }
    let page = run::everything(options.bin_dir).await?;
    let (text, path) = (page.text(), options.page);
    let chaos = std::fs::read_to_string(&path).unwrap_or_default();
    let chaos = chaos.find(CHAOS).map_or("", |place| &chaos[place..]);
    std::fs::write(&path, format!("{}\n{chaos}", text.trim_end()))
        .map_err(Error::system(format!("cannot write {}", path.display())))?;
    print!("{text}");
    for figure in page.beyond() {
        eprint!("bench: beyond its bound: {}", figure.row());
    }
    Ok(())
}
