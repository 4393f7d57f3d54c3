//! The cost of a call at Redis: requests at the REST front, and commands at redis-server.

use ::tests::commands::billed;
use shared::protocol::upstash::Command;

use crate::error::Error;
use crate::stage::Stage;

/// The cost of one call: the average, rounded, so that a rare call that begins a window does not count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Requests over REST.
    pub(crate) requests: f64,
    /// Commands, as Upstash bills them.
    pub(crate) commands: f64,
}

/// Returns the cost of `act`, averaged over this number of calls. No other client may use the store meanwhile.
pub(crate) async fn cost(
    stage: &Stage,
    times: u32,
    mut act: impl AsyncFnMut() -> Result<(), Error>,
) -> Result<Cost, Error> {
    let commands = commands(stage).await?;
    let requests = stage.cloud.redis().requests();
    for _ in 0..times {
        act().await?;
    }
    let requests = stage.cloud.redis().requests() - requests;
    let commands = self::commands(stage).await? - commands;
    Ok(Cost {
        requests: share(requests, times),
        commands: share(commands, times),
    })
}

async fn commands(stage: &Stage) -> Result<u64, Error> {
    let ask = Command::new("INFO").arg("commandstats");
    let info: String = stage.redis()?.run(ask).await?;
    match billed(&info) {
        0 => Err(Error::Unexpected(format!("no figures: {info}"))),
        commands => Ok(commands),
    }
}

fn share(number: u64, times: u32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of thousands")]
    let number = number as f64;
    (number / f64::from(times)).round()
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn cost_is_per_call() {
        assert!((share(1_000, 250) - 4.0).abs() < 1e-9);
        assert!((share(1_001, 250) - 4.0).abs() < 1e-9);
    }
}
