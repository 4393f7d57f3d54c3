//! `local up`: runs everything until it is stopped.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use clap::Args;
use local_mail::Provider;
use local_qstash::{Disorder, Plan};
use local_redis_rest::Limits;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::level_filters::LevelFilter;

use super::{Error, schedules};
use crate::cloud::{Cloud, Database, Ports, Settings, env_file};

/// Options of `local up`.
#[derive(Args, Debug)]
pub struct Up {
    /// The folder of the local cloud's data
    #[arg(long, value_name = "FOLDER", default_value = ".local")]
    data: PathBuf,
    /// The port of the functions (0: a free one)
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().functions)]
    functions_port: u16,
    /// The port of Redis over REST (0: a free one)
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().redis_rest)]
    redis_rest_port: u16,
    /// The port of QStash (0: a free one)
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().qstash)]
    qstash_port: u16,
    /// The port of the mailbox (0: a free one)
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().mailbox)]
    mailbox_port: u16,
    /// The port of SES (0: a free one)
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().ses)]
    ses_port: u16,
    /// The port of Resend (0: a free one)
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().resend)]
    resend_port: u16,
    /// The port of the topic of SES's events (0: a free one)
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().sns)]
    sns_port: u16,
    /// The port of the object store (0: a free one)
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().objects)]
    objects_port: u16,
    /// The mail provider: ses or resend
    #[arg(long, value_name = "NAME", default_value_t = Provider::Ses)]
    email_provider: Provider,
    /// The recipients that SES accepts per second (0: no limit; 1 in the sandbox)
    #[arg(long, value_name = "COUNT", default_value_t = local_mail::Settings::DEFAULT_SES_RATE)]
    ses_rate: u32,
    /// The calls that Resend accepts per second (0: no limit)
    #[arg(long, value_name = "COUNT", default_value_t = local_mail::Settings::DEFAULT_RESEND_RATE)]
    resend_rate: u32,
    /// The folder of the function binaries
    #[arg(long, value_name = "FOLDER", default_value = "target/debug")]
    bin_dir: PathBuf,
    /// The SAM template that names the functions and their routes
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    template: PathBuf,
    /// The URL of a running PostgreSQL, with a role that may migrate it, to use instead of an own cluster
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// The speed of QStash's clock: at 60, a minute's delay takes a second
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    qstash_speed: f64,
    /// The lag of the replica that serves plain reads of Redis, in milliseconds (0: no replica)
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    redis_lag: u64,
    /// The time that all scripts of a minute may take together, in milliseconds (0: no limit)
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    redis_script_time: u64,
    /// The plan of the QStash account, whose limits apply: free, pay-as-you-go or fixed
    #[arg(long, value_name = "NAME", default_value_t = Plan::default())]
    plan: Plan,
    /// Deliver some messages twice and some out of order, chosen by this seed
    #[arg(long, value_name = "SEED")]
    qstash_disorder: Option<u64>,
    /// A template parameter that replaces its default, such as SessionsConcurrency=2
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    parameter: Vec<(String, String)>,
    /// The maximum number of processes of one function
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    max_instances: u16,
    /// Keep the tables as they are instead of loading sample data
    #[arg(long)]
    no_seed: bool,
}

impl Up {
    pub(super) async fn run(self) -> Result<(), Error> {
        let Some((cloud, mut stop)) = self.start().await? else {
            return Ok(());
        };
        println!("{}", guide(&cloud));
        println!("{}", schedules::register(&cloud).await);
        stop.asked().await;
        println!("\nstopping");
        cloud.stop().await;
        Ok(())
    }

    /// Returns the running cloud and the signal that ends it; none if it was stopped during the start.
    pub(super) async fn start(self) -> Result<Option<(Cloud, Stop)>, Error> {
        // The signals come first: one during the start must stop the parts that have started.
        let mut stop = Stop::listen()?;
        let data = self.data.clone();
        let starting = Cloud::start(self.settings());
        let cloud = tokio::select! {
            started = starting => started?,
            () = stop.asked() => return Ok(None),
        };
        log_to(&data)?;
        Ok(Some((cloud, stop)))
    }

    fn settings(self) -> Settings {
        Settings {
            ports: Ports {
                functions: self.functions_port,
                redis_rest: self.redis_rest_port,
                qstash: self.qstash_port,
                mailbox: self.mailbox_port,
                ses: self.ses_port,
                resend: self.resend_port,
                sns: self.sns_port,
                objects: self.objects_port,
            },
            bin_dir: self.bin_dir,
            template: self.template,
            database: self.database_url.map_or(Database::Own, Database::Url),
            redis_limits: Limits {
                script_time_per_minute: milliseconds(self.redis_script_time),
                ..Limits::default()
            },
            replica_lag: milliseconds(self.redis_lag),
            email_provider: self.email_provider,
            ses_rate: Some(self.ses_rate).filter(|rate| *rate > 0),
            resend_rate: Some(self.resend_rate).filter(|rate| *rate > 0),
            parameters: self.parameter.into_iter().collect(),
            qstash_speed: self.qstash_speed,
            plan: self.plan,
            qstash_disorder: self.qstash_disorder.map(Disorder::seeded),
            seed: !self.no_seed,
            max_instances: self.max_instances.into(),
            ..Settings::lasting(&self.data)
        }
    }
}

/// Parses `NAME=VALUE`.
fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("pass NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Returns a duration; none for zero.
fn milliseconds(number: u64) -> Option<Duration> {
    (number > 0).then(|| Duration::from_millis(number))
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> Result<Self, Error> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Returns after one of the signals.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Sends the servers' logs to a file, so that the terminal stays readable.
fn log_to(data: &Path) -> Result<(), Error> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(data.join("log").join("local.log"))?;
    tracing_subscriber::fmt()
        .json()
        .with_max_level(LevelFilter::INFO)
        .with_writer(Mutex::new(file))
        .init();
    Ok(())
}

/// Returns the addresses of the running cloud, for people.
pub(super) fn guide(cloud: &Cloud) -> String {
    let functions = cloud.functions_url();
    let data = cloud.data();
    format!(
        "\nThe local cloud is up. Ctrl-C stops it.\n
  Functions    {functions}
  Health       {functions}/api/health/redis
  Mailbox      {}
  Redis REST   {}
  QStash       {}
  PostgreSQL   psql '{}'
  Redis        redis-cli -p {}
  Objects      {}   (files in {})
  Variables    {}   (set -a; . {}; set +a)
  Logs         {}\n",
        cloud.mail().mailbox_url(),
        cloud.redis().url(),
        cloud.qstash().url(),
        cloud.database_url(),
        cloud.redis_server_addr().port(),
        cloud.objects().url(),
        data.join("objects").display(),
        env_file(data).display(),
        env_file(data).display(),
        data.join("log").display(),
    )
}
