//! How to bring the local cloud up.

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
    /// The ports that a developer finds everything on. What only programs call takes a free one.
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
    /// Free ports for all, for clouds that stand side by side.
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

/// Which PostgreSQL the functions use.
#[derive(Clone)]
pub enum Database {
    /// A cluster of the cloud's own.
    Own,
    /// A running one, such as Supabase's local stack, by the URL of a role that may migrate it. The functions get the
    /// same URL. TLS is not spoken to it here.
    Url(String),
    /// One that is migrated already, with the URLs of both roles: a test's own, in a cluster that tests share.
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

/// How to bring the local cloud up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub ports: Ports,
    /// The folder of everything it keeps.
    pub data: PathBuf,
    /// The folder of the function binaries.
    pub bin_dir: PathBuf,
    /// The SAM template with the routes.
    pub template: PathBuf,
    /// The database.
    pub database: Database,
    /// What Redis may do.
    pub redis_limits: local_redis_rest::Limits,
    /// How far the replica is behind that plain reads of Redis are served from; none: they are never stale.
    pub replica_lag: Option<Duration>,
    /// Who takes the mails.
    pub email_provider: Provider,
    /// Whether the providers tell the functions what becomes of the mails.
    pub mail_events: bool,
    /// How many recipients SES takes in a second; none: any number.
    pub ses_rate: Option<u32>,
    /// How many calls Resend takes in a second; none: any number.
    pub resend_rate: Option<u32>,
    /// How fast QStash's clock runs; 1 is real time.
    pub qstash_speed: f64,
    /// The QStash account's plan: what goes beyond it is refused.
    pub plan: Plan,
    /// Duplicates and reordering of QStash's deliveries, if they are asked for.
    pub qstash_disorder: Option<Disorder>,
    /// Whether sample data are loaded.
    pub seed: bool,
    /// Values of the template's parameters in place of their defaults: a test lowers a reserved concurrency by it.
    pub parameters: BTreeMap<String, String>,
    /// The most processes of one function at a time; calls within its reserved concurrency that find none wait.
    pub max_instances: usize,
    /// Whether Redis and PostgreSQL keep their data over a restart.
    pub durable: bool,
    /// Variables that take the place of the cloud's own, by name: a test stands between a function and a part.
    pub overrides: BTreeMap<String, String>,
}

impl Settings {
    /// For a developer: the usual ports, and data that last.
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

    /// For a test: free ports, empty tables, the binaries and the template of this source tree, nothing that lasts, and mail
    /// providers without rates.
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
