//! What a gateway is started with.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where to listen, what to run and what the functions see.
#[derive(Clone)]
pub struct Settings {
    /// Address of the HTTP API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The SAM template.
    pub template: PathBuf,
    /// The folder of the binaries, each named like the last segment of its function's `CodeUri`.
    pub bin_dir: PathBuf,
    /// Values of variables. A function is given those that its template entry names, and of the rest only
    /// `AWS_REGION`, the `AWS_` credentials and `AWS_ENDPOINT_URL*`.
    pub environment: BTreeMap<String, String>,
    /// Values of the template's parameters in place of their defaults, such as a lower reserved concurrency.
    pub parameters: BTreeMap<String, String>,
    /// The most processes of one function at a time, for the machine's sake. Calls that its reserved concurrency takes and
    /// that find no process wait for one. At least one is always allowed.
    pub max_instances: usize,
    /// The folder of the functions' output, one file per function; without it, output is dropped.
    pub log: Option<PathBuf>,
}

impl Settings {
    /// A good value of [`Settings::max_instances`] for one machine.
    pub const DEFAULT_MAX_INSTANCES: usize = 10;
}

impl fmt::Debug for Settings {
    /// Names the variables only: their values are secrets.
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
