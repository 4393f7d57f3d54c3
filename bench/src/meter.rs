//! What a call costs at Redis: requests as the REST front counts them, commands as redis-server does.

use ::tests::commands::billed;
use shared::protocol::upstash::Command;

use crate::error::Error;
use crate::stage::Stage;

/// What one call costs: the nearest whole to the average, so that a rare call which begins a window does not show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Requests over REST.
    pub(crate) requests: f64,
    /// Commands, as Upstash bills them.
    pub(crate) commands: f64,
}

/// What `act` costs, called so often in a row. Nothing else must use the store meanwhile.
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
