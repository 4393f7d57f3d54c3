//! The client of one Redis database.

use std::time::Duration;

use super::command::{BinaryCommand, Command};
use super::error::Error;
use super::piggyback;
use super::pipeline::{Pipeline, Replies};
use super::reply::FromReply;
use super::script::Invocation;
use super::subscription::Subscription;
use super::transport::Transport;
use super::usage::Usage;
use crate::base::env;
use crate::base::secret::Secret;
use crate::protocol::http;

/// The time limit of one attempt. A command takes a millisecond; the rest is the network.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// A Redis database behind Upstash's REST protocol. Clones share connections and the usage count.
#[derive(Clone, Debug)]
pub struct Redis {
    transport: Transport,
}

impl Redis {
    /// Returns the database of `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`.
    pub fn from_env() -> Result<Self, env::Error> {
        let url = env::parsed("UPSTASH_REDIS_REST_URL")?;
        let token = env::secret("UPSTASH_REDIS_REST_TOKEN")?;
        Self::new(&url, &token).map_err(|error| env::Error::Malformed {
            name: "UPSTASH_REDIS_REST_URL",
            reason: error.to_string(),
        })
    }

    /// Returns the database at `url`.
    pub fn new(url: &url::Url, token: &Secret) -> Result<Self, http::Error> {
        let http = http::client(ATTEMPT_TIMEOUT)?;
        Ok(Self {
            transport: Transport::new(http, url, token),
        })
    }

    /// Returns the usage of this client and its clones.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        self.transport.usage()
    }

    /// Opens the connection that the first command will use. A failure is not an error, because the outage may be over
    /// by then. Init must not wait for it longer than for a command.
    pub async fn connect(&self) {
        let _ = self.run::<()>(Command::new("PING")).await;
        let _ = self.usage().take();
    }

    /// Runs one command.
    pub async fn run<T: FromReply>(&self, command: Command) -> Result<T, Error> {
        if let Some(piggyback) = piggyback::take() {
            let pipeline = Pipeline::new().command(command);
            return self.piggybacked(piggyback, pipeline).await?.take();
        }
        T::from_reply(self.transport.single(&command).await?)
    }

    /// Runs one command whose last argument is binary.
    pub async fn run_binary<T: FromReply>(&self, command: BinaryCommand) -> Result<T, Error> {
        T::from_reply(self.transport.binary(&command).await?)
    }

    /// Runs a script by its hash, and by its full text if the store does not have it.
    pub async fn eval<T: FromReply>(&self, invocation: Invocation) -> Result<T, Error> {
        if let Some(piggyback) = piggyback::take() {
            let pipeline = Pipeline::new().script(invocation);
            return self.piggybacked(piggyback, pipeline).await?.take();
        }
        T::from_reply(self.transport.script(&invocation).await?)
    }

    /// Runs a pipeline: one request, answers in order, not atomic.
    pub async fn pipeline(&self, pipeline: Pipeline) -> Result<Replies, Error> {
        match piggyback::take() {
            Some(piggyback) => self.piggybacked(piggyback, pipeline).await,
            None => self.piped(&pipeline).await,
        }
    }

    /// Runs a pipeline with a piggyback call in front. Its answer goes to the sender of that call.
    async fn piggybacked(
        &self,
        piggyback: Invocation,
        pipeline: Pipeline,
    ) -> Result<Replies, Error> {
        match self.piped(&pipeline.behind(piggyback)).await {
            Ok(mut replies) => {
                piggyback::resolve(replies.take()).await;
                Ok(replies)
            }
            Err(error) => {
                // Neither was answered, and both get an error; only one of them can own the cause.
                piggyback::resolve(Err(Error::Transport {
                    sent: true,
                    source: None,
                }))
                .await;
                Err(error)
            }
        }
    }

    async fn piped(&self, pipeline: &Pipeline) -> Result<Replies, Error> {
        let mut answers = self
            .transport
            .many("/pipeline", &pipeline.commands())
            .await?;
        let (places, again) = pipeline.unknown_scripts(&answers.replies);
        if !again.is_empty() {
            let second = self.transport.many("/pipeline", &again).await;
            let second = answers.doubt.over(second)?;
            for (place, reply) in places.into_iter().zip(second.replies) {
                answers.replies[place] = answers.doubt.over(reply);
            }
        }
        Ok(Replies::new(answers.replies))
    }

    /// Runs a pipeline as one transaction (MULTI, EXEC): no other command runs in between, and an invalid command
    /// discards all of it. Scripts are sent in full, because a missing hash could not be repaired inside a transaction.
    pub async fn transaction(&self, commands: &[Command]) -> Result<Replies, Error> {
        let answers = self.transport.many("/multi-exec", commands).await?;
        Ok(Replies::new(answers.replies))
    }

    /// Subscribes to channels. Messages that are published before this returns are not received.
    pub async fn subscribe(&self, channels: &[&str]) -> Result<Subscription, Error> {
        Subscription::open(&self.transport, channels).await
    }
}
