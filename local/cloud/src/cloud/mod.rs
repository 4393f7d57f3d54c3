//! The parts of the cloud. They start in the order of their dependencies and stop in the order of the flow of work.

mod dotenv;
mod environment;
mod error;
mod folder;
mod part;
mod private_file;
mod secrets;
mod settings;

pub use dotenv::variables as env_file_variables;
pub use error::Error;
pub use settings::{Database, Ports, Settings};

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use local_gateway::Gateway;
use local_redis_rest::Front;

use self::environment::Addresses;
use self::folder::Folder;
use self::secrets::Secrets;
use crate::postgres::Cluster;
use crate::process::port::{free, is_taken};
use crate::redis_server::RedisServer;

/// The running cloud. [`Cloud::stop`] stops it in order; dropping it stops everything at once.
pub struct Cloud {
    gateway: Gateway,
    qstash: local_qstash::Server,
    mail: local_mail::Server,
    push: local_push::Server,
    objects: local_objects::Server,
    redis: Front,
    redis_server: RedisServer,
    replica_server: Option<RedisServer>,
    cluster: Option<Cluster>,
    environment: BTreeMap<String, String>,
    folder: Folder,
}

impl Cloud {
    /// Starts all parts or none: if a part fails, the started parts are stopped.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        check(&settings)?;
        let folder = Folder::take(&settings.data)?;
        let mut secrets = Secrets::open(folder.path())?;
        let passwords = part::passwords(&mut secrets);
        let redis_tokens = part::redis_tokens(&mut secrets);
        // Saved before the database is created with them.
        secrets.save()?;

        let (redis_server, (cluster, database)) = tokio::try_join!(
            part::redis_server(&settings, &folder),
            part::database(&settings, &folder, passwords)
        )?;
        let replica_server = part::replica_server(&settings, &folder).await?;
        let replica = replica_server.as_ref();
        let redis = part::redis_rest(&settings, &redis_server, replica, &redis_tokens).await?;
        let qstash_settings = part::qstash_settings(&settings, &folder);
        let qstash = local_qstash::start(qstash_settings.clone())
            .await
            .map_err(Error::Qstash)?;
        let mail_secrets = part::mail_secrets(&mut secrets);
        let mail = part::mail(&settings, &folder, &mail_secrets).await?;
        let push = part::push().await?;
        let object_keys = local_objects::Keys {
            id: environment::DOCUMENTS_ACCESS_KEY.to_owned(),
            secret: secrets.get("documents_secret_key"),
            session_token: None,
        };
        let role = local_objects::Keys {
            id: environment::ROLE_ACCESS_KEY.to_owned(),
            secret: secrets.get("aws_secret_access_key"),
            session_token: Some(secrets.get("aws_session_token")),
        };
        let keys = vec![object_keys.clone(), role.clone()];
        let objects = part::objects(&settings, &folder, keys).await?;
        let (functions_port, functions) = functions_address(settings.ports.functions, &folder)?;

        let addresses = Addresses {
            functions,
            redis_rest: redis.url(),
            redis_token: redis_tokens.standard,
            qstash: qstash.url(),
            qstash_token: qstash_settings.token,
            qstash_current_key: qstash_settings.current_signing_key,
            qstash_next_key: qstash_settings.next_signing_key,
            database: database.functions_url,
            migrations_database: database.owner_url,
            email_provider: settings.email_provider,
            resend: mail.resend_url(),
            resend_key: mail_secrets.resend_key,
            webhook_secret: mail_secrets.webhook_secret,
            ses: mail.ses_url(),
            sns: mail.sns_url(),
            mailbox: mail.mailbox_url(),
            push: push.url().to_owned(),
            objects: objects.url().to_owned(),
            object_keys,
            role,
            vapid: secrets.vapid()?,
        };
        let mut environment = environment::variables(addresses, &mut secrets);
        environment.extend(settings.overrides.clone());
        secrets.save()?;
        let gateway = part::gateway(&settings, &folder, functions_port, &environment).await?;
        if settings.mail_events {
            part::subscribe(&mail, &environment)?;
        }
        write_env_file(folder.path(), &environment)?;
        Ok(Self {
            gateway,
            qstash,
            mail,
            push,
            objects,
            redis,
            redis_server,
            replica_server,
            cluster,
            environment,
            folder,
        })
    }

    /// Returns the functions behind their gateway.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Returns the QStash server.
    #[must_use]
    pub fn qstash(&self) -> &local_qstash::Server {
        &self.qstash
    }

    /// Returns the mail providers and their mailbox.
    #[must_use]
    pub fn mail(&self) -> &local_mail::Server {
        &self.mail
    }

    /// Returns the push service of the users' browsers.
    #[must_use]
    pub fn push(&self) -> &local_push::Server {
        &self.push
    }

    /// Returns the store of documents and temporary files.
    #[must_use]
    pub fn objects(&self) -> &local_objects::Server {
        &self.objects
    }

    /// Returns the REST front of Redis.
    #[must_use]
    pub fn redis(&self) -> &Front {
        &self.redis
    }

    /// Returns the address of the redis-server behind the front.
    #[must_use]
    pub fn redis_server_addr(&self) -> SocketAddr {
        self.redis_server.address()
    }

    /// Returns the PostgreSQL cluster, if it is the cloud's own.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// Returns the database's URL for the functions.
    #[must_use]
    pub fn database_url(&self) -> &str {
        self.variable("DATABASE_URL")
    }

    /// Returns the database's URL for its owning role.
    #[must_use]
    pub fn migrations_database_url(&self) -> &str {
        self.variable("MIGRATIONS_DATABASE_URL")
    }

    /// Returns the base URL of the functions, which QStash calls and signatures name.
    #[must_use]
    pub fn functions_url(&self) -> &str {
        self.variable("FUNCTIONS_URL")
    }

    /// Returns every variable of the contract.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Returns the folder of the cloud's data.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Stops everything: first the sources of work, then the functions, then their stores.
    pub async fn stop(self) {
        self.mail.events().unsubscribe();
        self.qstash.stop().await;
        self.gateway.stop().await;
        self.mail.stop().await;
        self.redis.stop().await;
        let cluster = async {
            if let Some(cluster) = self.cluster {
                cluster.stop().await;
            }
        };
        drop(self.replica_server);
        tokio::join!(self.redis_server.stop(), cluster);
    }

    fn variable(&self, name: &str) -> &str {
        self.environment.get(name).map_or("", String::as_str)
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud")
            .field("functions", &self.functions_url())
            .field("data", &self.data())
            .finish_non_exhaustive()
    }
}

/// Returns the file in which a cloud with this data folder writes its variables.
#[must_use]
pub fn env_file(data: &Path) -> PathBuf {
    data.join("env")
}

/// Checks the settings before anything starts.
fn check(settings: &Settings) -> Result<(), Error> {
    let ports = settings.ports;
    for (port, part, flag) in [
        (ports.functions, "the functions", "functions-port"),
        (ports.redis_rest, "Redis REST", "redis-rest-port"),
        (ports.qstash, "QStash", "qstash-port"),
        (ports.mailbox, "the mailbox", "mailbox-port"),
        (ports.ses, "SES", "ses-port"),
        (ports.resend, "Resend", "resend-port"),
        (ports.sns, "SNS", "sns-port"),
        (ports.objects, "the object store", "objects-port"),
    ] {
        if is_taken(port) {
            return Err(Error::PortTaken { port, part, flag });
        }
    }
    if !settings.bin_dir.is_dir() {
        return Err(Error::NotBuilt(settings.bin_dir.clone()));
    }
    Ok(())
}

/// Returns the port of the gateway and its URL for the functions and QStash. The URL is in their environment, so it is
/// determined before the gateway starts. A fixed port uses `localhost`, for people; a free port is for programs.
fn functions_address(port: u16, folder: &Folder) -> Result<(u16, String), Error> {
    match port {
        0 => {
            let port = free().map_err(|error| Error::write(folder.path(), error))?;
            Ok((port, format!("http://127.0.0.1:{port}")))
        }
        port => Ok((port, format!("http://localhost:{port}"))),
    }
}

fn write_env_file(data: &Path, environment: &BTreeMap<String, String>) -> Result<(), Error> {
    let file = env_file(data);
    private_file::write(&file, dotenv::text(environment).as_bytes())
        .map_err(|error| Error::write(&file, error))
}
