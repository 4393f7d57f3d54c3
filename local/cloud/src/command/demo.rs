//! `local demo`: runs the product's main job on real input, then keeps the cloud running.

use clap::Args;

use super::Error;
use super::up::Up;
use crate::demo;

/// Options of `local demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Exit after the demo, with a status that says whether it succeeded
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    up: Up,
}

impl Demo {
    pub(super) async fn run(self) -> Result<(), Error> {
        println!(
            "Starting the local cloud: Redis, PostgreSQL, QStash, a mailbox and the functions."
        );
        let Some((cloud, mut stop)) = self.up.start().await? else {
            return Ok(());
        };
        let outcome = tokio::select! {
            outcome = demo::run(&cloud) => outcome,
            () = stop.asked() => {
                cloud.stop().await;
                return Ok(());
            }
        };
        if !self.once && outcome.is_ok() {
            println!("{}", super::up::guide(&cloud));
            stop.asked().await;
        }
        cloud.stop().await;
        if outcome?.all_well {
            Ok(())
        } else {
            Err(Error::Unhealthy)
        }
    }
}
