//! What can go wrong when the gateway starts, and when a function is called.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::template;

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template cannot be used.
    #[error("the SAM template cannot be used")]
    Template(#[from] template::Error),
    /// A function has no binary: it was not built.
    #[error("{function} has no binary at {}; build it first", path.display())]
    Program {
        /// The function.
        function: String,
        /// Where its binary was looked for.
        path: PathBuf,
    },
    /// The variables of a function are larger than Lambda takes.
    #[error(
        "the variables of {function} have {bytes} bytes as JSON, and Lambda takes {limit}: move values into the secret that \
         SECRETS_ARN names, or shorten them"
    )]
    Environment {
        /// The function.
        function: String,
        /// Their size.
        bytes: usize,
        /// The most that Lambda takes.
        limit: usize,
    },
    /// The address is taken or not ours to take.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The log folder cannot be written.
    #[error("cannot write logs to {}", path.display())]
    Log {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The shell that ends the instances when the gateway is gone did not start.
    #[error("cannot start the shell that guards the instances")]
    ProcessGuard(#[source] io::Error),
}

/// Why a call of a function gave no result.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The template has no function of this name.
    #[error("no function is named {0}")]
    UnknownFunction(String),
    /// The function answered with an error of its own, or panicked.
    #[error("the function failed: {error_type}: {message}")]
    Function {
        /// The kind, as the runtime reports it.
        error_type: String,
        /// The text, as the runtime reports it.
        message: String,
    },
    /// Its reserved concurrency is in use; Lambda calls this `TooManyRequestsException`.
    #[error("all {0} reserved instances are in use")]
    Throttled(usize),
    /// The instance did not reach its first poll: it could not be started, stopped by itself or took too long.
    #[error("the function did not start: {0}")]
    Init(String),
    /// The instance ended in the middle of the call.
    #[error("the instance ended during the call")]
    Exited,
    /// The function ran over its `Timeout` and was killed.
    #[error("the function ran over its timeout of {0:?}")]
    TimedOut(Duration),
    /// The answer was larger than Lambda passes on.
    #[error("the answer exceeds {} bytes", crate::limit::LAMBDA_RESPONSE)]
    TooLarge,
    /// The answer was not JSON.
    #[error("the answer is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopped,
}
