//! The settings of the local cloud.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_mail::Provider;
use local_qstash::{Disorder, Plan};

/// The ports on loopback; 0 takes a free one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The functions, behind the gateway.
    pub functions: u16,
    /// Redis over REST.
    pub redis_rest: u16,
    /// QStash.
    pub qstash: u16,
    /// The mailbox.
    pub mailbox: u16,
    /// SES.
    pub ses: u16,
    /// Resend.
    pub resend: u16,
    /// The topic of SES's events.
    pub sns: u16,
    /// The object store.
    pub objects: u16,
}

impl Default for Ports {
    /// Returns the ports that developers use. Services that only programs call take a free port.
    fn default() -> Self {
        Self {
            functions: 3000,
            redis_rest: 8079,
            qstash: 8080,
            mailbox: 8025,
            ..Self::free()
        }
    }
}

impl Ports {
    /// Returns free ports for all, for several clouds on one machine.
    #[must_use]
    pub fn free() -> Self {
        Self {
            functions: 0,
            redis_rest: 0,
            qstash: 0,
            mailbox: 0,
            ses: 0,
            resend: 0,
            sns: 0,
            objects: 0,
        }
    }
}

/// The PostgreSQL of the functions.
#[derive(Clone)]
pub enum Database {
    /// A cluster of the cloud's own.
    Own,
    /// A running server, such as Supabase's local stack, by the URL of a role that may migrate it. The functions use
    /// the same URL. The connection has no TLS.
    Url(String),
    /// A migrated database, with the URLs of both roles: a test's own database in a shared cluster.
    Made(crate::postgres::Database),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Own => "Own",
            Self::Url(_) => "Url([redacted])",
            Self::Made(_) => "Made([redacted])",
        })
    }
}

/// The settings of the local cloud.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The ports.
    pub ports: Ports,
    /// The folder of its data.
    pub data: PathBuf,
    /// The folder of the function binaries.
    pub bin_dir: PathBuf,
    /// The SAM template with the routes.
    pub template: PathBuf,
    /// The database.
    pub database: Database,
    /// The limits of Redis.
    pub redis_limits: local_redis_rest::Limits,
    /// The lag of the replica that serves plain reads of Redis; none: reads are never stale.
    pub replica_lag: Option<Duration>,
    /// The mail provider.
    pub email_provider: Provider,
    /// Whether the providers send mail events to the functions.
    pub mail_events: bool,
    /// The recipients that SES accepts per second; none: no limit.
    pub ses_rate: Option<u32>,
    /// The calls that Resend accepts per second; none: no limit.
    pub resend_rate: Option<u32>,
    /// The speed of QStash's clock; 1 is real time.
    pub qstash_speed: f64,
    /// The plan of the QStash account: requests beyond it are rejected.
    pub plan: Plan,
    /// Duplicates and reordering of QStash's deliveries, if any.
    pub qstash_disorder: Option<Disorder>,
    /// Whether the sample data are loaded.
    pub seed: bool,
    /// Values of template parameters that replace the defaults. A test lowers a reserved concurrency with it.
    pub parameters: BTreeMap<String, String>,
    /// The maximum number of processes of one function. Calls within its reserved concurrency wait for a process.
    pub max_instances: usize,
    /// Whether Redis and PostgreSQL keep their data over a restart.
    pub durable: bool,
    /// Variables that replace the cloud's own, by name. A test puts a proxy between a function and a part with it.
    pub overrides: BTreeMap<String, String>,
}

impl Settings {
    /// Returns the settings for a developer: the usual ports, and durable data.
    #[must_use]
    pub fn lasting(data: &Path) -> Self {
        Self {
            ports: Ports::default(),
            data: data.to_owned(),
            bin_dir: PathBuf::from("target/debug"),
            template: PathBuf::from("template.yaml"),
            database: Database::Own,
            redis_limits: local_redis_rest::Limits::default(),
            replica_lag: None,
            email_provider: Provider::Ses,
            mail_events: true,
            ses_rate: Some(local_mail::Settings::DEFAULT_SES_RATE),
            resend_rate: Some(local_mail::Settings::DEFAULT_RESEND_RATE),
            qstash_speed: 1.0,
            plan: Plan::default(),
            qstash_disorder: None,
            seed: true,
            parameters: BTreeMap::new(),
            max_instances: local_gateway::Settings::DEFAULT_MAX_INSTANCES,
            durable: true,
            overrides: BTreeMap::new(),
        }
    }

    /// Returns the settings for a test: free ports, empty tables, this source tree's binaries and template, no durable
    /// data, and no rate limits of the mail providers.
    #[must_use]
    pub fn throwaway(data: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self {
            ports: Ports::free(),
            bin_dir: root.join("target/debug"),
            template: root.join("template.yaml"),
            mail_events: false,
            ses_rate: None,
            resend_rate: None,
            seed: false,
            durable: false,
            ..Self::lasting(data)
        }
    }
}
