//! The settings of a gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The listen address, the functions, and their variables.
#[derive(Clone)]
pub struct Settings {
    /// Address of the HTTP API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The SAM template.
    pub template: PathBuf,
    /// The folder of the binaries, each named like the last segment of its function's `CodeUri`.
    pub bin_dir: PathBuf,
    /// Values of variables. A function gets those in its template entry. Of the others it gets only `AWS_REGION`, the
    /// `AWS_` credentials and `AWS_ENDPOINT_URL*`.
    pub environment: BTreeMap<String, String>,
    /// Values of template parameters that replace the defaults, such as a lower reserved concurrency.
    pub parameters: BTreeMap<String, String>,
    /// The maximum number of processes of one function, to protect the machine. Calls within its reserved concurrency
    /// wait for a process. At least one is always allowed.
    pub max_instances: usize,
    /// The folder of the functions' output, one file per function; without it, output is discarded.
    pub log: Option<PathBuf>,
}

impl Settings {
    /// A suitable [`Settings::max_instances`] for one machine.
    pub const DEFAULT_MAX_INSTANCES: usize = 10;
}

impl fmt::Debug for Settings {
    /// Prints only the names of variables: their values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("template", &self.template)
            .field("bin_dir", &self.bin_dir)
            .field("environment", &self.environment.keys())
            .field("parameters", &self.parameters)
            .field("max_instances", &self.max_instances)
            .field("log", &self.log)
            .finish()
    }
}
