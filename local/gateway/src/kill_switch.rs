//! A switch that kills instances, for use in another server's handler.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::lambda::Function;

/// Kills instances from any thread. The crash tests use it in the middle of a provider's response.
#[derive(Clone)]
pub struct KillSwitch {
    functions: Arc<BTreeMap<String, Arc<Function>>>,
}

impl KillSwitch {
    pub(crate) fn new(functions: Arc<BTreeMap<String, Arc<Function>>>) -> Self {
        Self { functions }
    }

    /// Sends SIGKILL to every instance of the function at once and returns how many there were. Their calls fail; the
    /// next call starts a new instance. An unknown function has none.
    #[must_use = "zero means that nothing was killed"]
    pub fn kill(&self, function: &str) -> usize {
        self.functions.get(function).map_or(0, Function::kill)
    }
}

impl fmt::Debug for KillSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KillSwitch")
            .field("functions", &self.functions.keys())
            .finish()
    }
}
