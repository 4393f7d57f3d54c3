//! Measures what this project promises in numbers, and writes docs/PERFORMANCE.md. Run by `make bench`.

mod comparison;
mod error;
mod figure;
mod machine;
mod memory;
mod node;
mod page;
mod read;
mod run;
mod session;
mod signature;
mod size;
mod spread;
mod stage;
mod start;
mod throughput;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::error::Error;

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

/// Writes the page. A number over its limit is a finding and no failure: the page says it.
async fn measure(options: Options) -> Result<(), Error> {
    let page = run::everything(options.bin_dir).await?;
    let (text, path) = (page.text(), options.page);
    std::fs::write(&path, &text)
        .map_err(Error::system(format!("cannot write {}", path.display())))?;
    print!("{text}");
    for figure in page.over() {
        eprint!("bench: over its limit: {}", figure.row());
    }
    Ok(())
}
