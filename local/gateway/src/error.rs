//! Errors of the gateway's start and of function calls.

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
        /// The expected path of its binary.
        path: PathBuf,
    },
    /// The variables of a function are larger than Lambda allows.
    #[error(
        "the variables of {function} have {bytes} bytes as JSON, and Lambda takes {limit}: move values into the secret that \
         SECRETS_ARN names, or shorten them"
    )]
    Environment {
        /// The function.
        function: String,
        /// Their size.
        bytes: usize,
        /// The limit of Lambda.
        limit: usize,
    },
    /// The address is in use or not permitted.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The log folder cannot be written.
    #[error("cannot write logs to {}", path.display())]
    Log {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The shell that stops the instances after the gateway's end did not start.
    #[error("cannot start the shell that guards the instances")]
    ProcessGuard(#[source] io::Error),
}

/// Why a function call returned no result.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The template has no function of this name.
    #[error("no function is named {0}")]
    UnknownFunction(String),
    /// The function returned an error or panicked.
    #[error("the function failed: {error_type}: {message}")]
    Function {
        /// The error's type, as the runtime reports it.
        error_type: String,
        /// The error's message, as the runtime reports it.
        message: String,
    },
    /// Its reserved concurrency is in use; Lambda's `TooManyRequestsException`.
    #[error("all {0} reserved instances are in use")]
    Throttled(usize),
    /// The instance did not reach its first poll: it did not start, ended by itself or took too long.
    #[error("the function did not start: {0}")]
    Init(String),
    /// The instance ended during the call.
    #[error("the instance ended during the call")]
    Exited,
    /// The function exceeded its `Timeout` and was killed.
    #[error("the function ran over its timeout of {0:?}")]
    TimedOut(Duration),
    /// The response was larger than Lambda allows.
    #[error("the answer exceeds {} bytes", crate::limit::LAMBDA_RESPONSE)]
    TooLarge,
    /// The response was not JSON.
    #[error("the answer is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopped,
}
