//! The running gateway: the functions of the template and the HTTP API in front of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;

use crate::front::Front;
use crate::lambda::{Function, environment, log};
use crate::listening::{Listening, Peer};
use crate::process_guard::ProcessGuard;
use crate::router::Router;
use crate::template::Template;
use crate::{Error, InvokeError, KillSwitch, Settings};

/// A running gateway. The last segment of a function's `CodeUri` is its name. Dropping the gateway kills all instances;
/// [`Gateway::stop`] lets them end.
pub struct Gateway {
    listening: Option<Listening>,
    url: String,
    functions: Arc<BTreeMap<String, Arc<Function>>>,
}

impl Gateway {
    pub(crate) async fn start(settings: Settings) -> Result<Self, Error> {
        let template = Template::read(&settings.template, &settings.parameters)?;
        let process_guard = Arc::new(ProcessGuard::new()?);
        let mut functions = BTreeMap::new();
        for function in &template.functions {
            functions.insert(
                function.name.clone(),
                prepare(function, &settings, &process_guard)?,
            );
        }
        let functions = Arc::new(functions);
        let listen_failed = |source| Error::Listen {
            address: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(listen_failed)?;
        let front = Arc::new(Front::new(Router::new(&template), Arc::clone(&functions)));
        let listening = Listening::serve(listener, Peer::Client, move |request, peer| {
            Arc::clone(&front).answer(request, peer)
        })
        .map_err(listen_failed)?;
        let url = format!("http://{}", listening.address());
        Ok(Self {
            listening: Some(listening),
            url,
            functions,
        })
    }

    /// Returns the base URL of the HTTP API, with the bound port and without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Stops listening, then stops every instance: with SIGTERM, then SIGKILL.
    pub async fn stop(mut self) {
        self.listening.take();
        for function in self.functions.values() {
            function.begin_stop();
        }
        for function in self.functions.values() {
            function.finish_stop().await;
        }
    }

    /// Sends SIGKILL to every instance of the function at once and returns how many there were.
    #[must_use = "zero means that nothing was killed"]
    pub fn kill(&self, function: &str) -> usize {
        self.kill_switch().kill(function)
    }

    /// Returns the kill switch, for use in another server's handler.
    #[must_use]
    pub fn kill_switch(&self) -> KillSwitch {
        KillSwitch::new(Arc::clone(&self.functions))
    }

    /// Returns the number of instances of the function, including those that are starting.
    #[must_use]
    pub fn instances(&self, function: &str) -> usize {
        self.pids(function).len()
    }

    /// Returns the process ids of the function's instances.
    #[must_use]
    pub fn pids(&self, function: &str) -> Vec<u32> {
        self.functions
            .get(function)
            .map_or_else(Vec::new, |function| function.pids())
    }

    /// Returns the number of calls that instances of the function received since the gateway started.
    #[must_use]
    pub fn invocations(&self, function: &str) -> u64 {
        self.functions
            .get(function)
            .map_or(0, |function| function.invocations())
    }

    /// Returns the time that the function's latest answered call took, from the event to the answer, as Lambda bills
    /// it: neither the gateway nor the start of an instance is part of it.
    #[must_use]
    pub fn last_duration(&self, function: &str) -> Option<Duration> {
        self.functions
            .get(function)
            .and_then(|function| function.last_duration())
    }

    /// Returns the number of calls of the function that were rejected because its reserved concurrency was in use.
    #[must_use]
    pub fn throttles(&self, function: &str) -> u64 {
        self.functions
            .get(function)
            .map_or(0, |function| function.throttles())
    }

    /// Returns the time from process start to first poll for each instance that reached it: oldest first, the latest
    /// thousand.
    #[must_use]
    pub fn init_durations(&self, function: &str) -> Vec<Duration> {
        self.functions
            .get(function)
            .map_or_else(Vec::new, |function| function.init_durations())
    }

    /// Calls the function with an unchanged event, without HTTP and without API Gateway's limits.
    pub async fn invoke(
        &self,
        function: &str,
        event: serde_json::Value,
    ) -> Result<serde_json::Value, InvokeError> {
        let called = self.functions.get(function).map(Arc::clone);
        let called = called.ok_or_else(|| InvokeError::UnknownFunction(function.to_owned()))?;
        let result = called.call(Bytes::from(event.to_string())).await?;
        serde_json::from_slice(&result).map_err(InvokeError::NotJson)
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for function in self.functions.values() {
            function.begin_stop();
            // A stopped gateway has no instances.
            let killed = function.kill();
            tracing::debug!(
                killed,
                "gateway dropped without a stop; its instances killed"
            );
        }
    }
}

fn prepare(
    function: &crate::template::Function,
    settings: &Settings,
    process_guard: &Arc<ProcessGuard>,
) -> Result<Arc<Function>, Error> {
    let path = settings.bin_dir.join(&function.name);
    if !path.is_file() {
        return Err(Error::Program {
            function: function.name.clone(),
            path,
        });
    }
    environment::check(function, &settings.environment)?;
    let log = settings
        .log
        .as_deref()
        .map(|folder| log::Log::open(folder, &function.name))
        .transpose()?;
    let environment = environment::of(function, &settings.environment);
    let max_instances = settings.max_instances.max(1);
    Ok(Arc::new(Function::new(
        function,
        path,
        environment,
        max_instances,
        log,
        Arc::clone(process_guard),
    )))
}
