//! An official client on Node that takes turns with others: it acts once per request.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::error::Error;
use crate::node;
use crate::stage::Stage;

/// A running `node/player.js`. Dropping it ends the process.
pub(crate) struct Player {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Player {
    /// Starts it with its operation; see the script's head.
    pub(crate) fn start(stage: &Stage, act: &[&str]) -> Result<Self, Error> {
        let arguments: Vec<String> = act.iter().map(|word| (*word).to_owned()).collect();
        let environment = stage.cloud.environment();
        let (mut child, output) =
            node::start("player.js", &arguments, environment, Stdio::piped())?;
        let input = child.stdin.take();
        let input = input.ok_or_else(|| Error::Unexpected("node has no input".into()))?;
        Ok(Self {
            input,
            output,
            _child: child,
        })
    }

    /// Lets it act, and returns the time by its own clock, without the communication with it.
    pub(crate) async fn act(&mut self) -> Result<Duration, Error> {
        let sent = self.input.write_all(b"\n").await;
        sent.map_err(Error::system("node was lost"))?;
        let line = node::next(&mut self.output).await?;
        let millis: f64 = node::read(&line)?;
        Ok(Duration::from_secs_f64(millis / 1000.0))
    }
}
