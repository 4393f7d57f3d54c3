//! Starts each part of the cloud with its share of the cloud's settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use local_gateway::Gateway;
use local_mail::events::svix;
use local_redis_rest::Front;

use super::folder::Folder;
use super::secrets::Secrets;
use super::{Database, Error, Settings, environment};
use crate::postgres::{self, Cluster, Passwords, run_script};
use crate::process::port::loopback;
use crate::redis_server::{self, RedisServer};

/// The database of the functions in a cluster of the cloud's own.
const DATABASE: &str = "signtusk";

/// The sample data: an owner, a document, and a signing request with three signers.
const SEED: &str = include_str!("../../seed.sql");

/// The tokens of the Redis REST front.
pub(super) struct RedisTokens {
    pub(super) standard: String,
    pub(super) read_only: String,
}

pub(super) fn redis_tokens(secrets: &mut Secrets) -> RedisTokens {
    RedisTokens {
        standard: secrets.get("redis_token"),
        read_only: secrets.get("redis_read_only_token"),
    }
}

pub(super) fn passwords(secrets: &mut Secrets) -> Passwords {
    Passwords::new(
        &secrets.get("database_admin"),
        &secrets.get("database_owner"),
        &secrets.get("database_functions"),
    )
}

pub(super) async fn redis_server(
    settings: &Settings,
    folder: &Folder,
) -> Result<RedisServer, Error> {
    let server = RedisServer::start(redis_server::Settings {
        port: 0,
        folder: folder.join("redis"),
        durable: settings.durable,
        log: folder.log("redis-server.log"),
    });
    Ok(server.await?)
}

/// Returns the database with its migrations and optional sample data, and the cluster if it is the cloud's own.
pub(super) async fn database(
    settings: &Settings,
    folder: &Folder,
    passwords: Passwords,
) -> Result<(Option<Cluster>, postgres::Database), Error> {
    let (cluster, database) = match &settings.database {
        Database::Own => {
            let cluster = own_cluster(settings, folder, passwords).await?;
            let database = cluster.permanent_database(DATABASE).await?;
            (Some(cluster), database)
        }
        Database::Url(url) => {
            postgres::migrate(url).await?;
            let database = postgres::Database {
                functions_url: url.clone(),
                owner_url: url.clone(),
            };
            (None, database)
        }
        Database::Made(database) => (None, database.clone()),
    };
    if settings.seed {
        run_script(&database.owner_url, SEED).await?;
    }
    Ok((cluster, database))
}

async fn own_cluster(
    settings: &Settings,
    folder: &Folder,
    passwords: Passwords,
) -> Result<Cluster, postgres::Error> {
    let settings = postgres::Settings {
        folder: folder.join("postgres"),
        port: 0,
        durable: settings.durable,
        log: folder.log("postgres.log"),
        passwords,
    };
    Cluster::start(settings).await
}

/// Returns the server of the replica, if one is to lag.
pub(super) async fn replica_server(
    settings: &Settings,
    folder: &Folder,
) -> Result<Option<RedisServer>, Error> {
    if settings.replica_lag.is_none() {
        return Ok(None);
    }
    let server = RedisServer::start(redis_server::Settings {
        port: 0,
        folder: folder.join("redis-replica"),
        durable: false,
        log: folder.log("redis-replica.log"),
    });
    Ok(Some(server.await?))
}

pub(super) async fn redis_rest(
    settings: &Settings,
    server: &RedisServer,
    replica: Option<&RedisServer>,
    tokens: &RedisTokens,
) -> Result<Front, Error> {
    let lag = settings.replica_lag.zip(replica);
    let lag = lag.map(|(delay, replica)| local_redis_rest::Lag {
        replica: replica.address(),
        delay,
    });
    let settings = local_redis_rest::Settings {
        listen: loopback(settings.ports.redis_rest),
        redis: server.address(),
        token: tokens.standard.clone(),
        read_only_token: tokens.read_only.clone(),
        limits: settings.redis_limits.clone(),
        lag,
    };
    local_redis_rest::start(settings)
        .await
        .map_err(Error::RedisRest)
}

pub(super) fn qstash_settings(settings: &Settings, folder: &Folder) -> local_qstash::Settings {
    let listen = loopback(settings.ports.qstash);
    let mut official = local_qstash::Settings::official(listen, folder.join("qstash"));
    official.speed = settings.qstash_speed;
    official.plan = settings.plan;
    official.disorder = settings.qstash_disorder;
    official
}

/// The credentials and signing keys of the mail providers.
pub(super) struct MailSecrets {
    pub(super) resend_key: String,
    pub(super) webhook_secret: String,
}

pub(super) fn mail_secrets(secrets: &mut Secrets) -> MailSecrets {
    MailSecrets {
        resend_key: format!("re_{}", secrets.get("resend_key")),
        webhook_secret: svix::secret_of(&secrets.get("resend_webhook")),
    }
}

pub(super) async fn mail(
    settings: &Settings,
    folder: &Folder,
    secrets: &MailSecrets,
) -> Result<local_mail::Server, Error> {
    let settings = local_mail::Settings {
        ses: loopback(settings.ports.ses),
        resend: loopback(settings.ports.resend),
        mailbox: loopback(settings.ports.mailbox),
        sns: loopback(settings.ports.sns),
        data: folder.join("mail"),
        verified: vec![environment::VERIFIED_DOMAIN.to_owned()],
        configuration_set: environment::CONFIGURATION_SET.to_owned(),
        resend_key: secrets.resend_key.clone(),
        webhook_secret: secrets.webhook_secret.clone(),
        ses_rate: settings.ses_rate,
        resend_rate: settings.resend_rate,
    };
    local_mail::start(settings).await.map_err(Error::Mail)
}

/// Starts the push service of simulated browsers.
pub(super) async fn push() -> Result<local_push::Server, Error> {
    local_push::start(loopback(0)).await.map_err(Error::Push)
}

/// Starts the store of documents and temporary files.
pub(super) async fn objects(
    settings: &Settings,
    folder: &Folder,
    keys: Vec<local_objects::Keys>,
) -> Result<local_objects::Server, Error> {
    let settings = local_objects::Settings {
        listen: loopback(settings.ports.objects),
        folder: folder.join("objects"),
        buckets: vec![
            environment::DOCUMENTS_BUCKET.to_owned(),
            environment::SIGNED_BUCKET.to_owned(),
        ],
        region: environment::REGION.to_owned(),
        keys,
    };
    local_objects::start(settings).await.map_err(Error::Objects)
}

/// Subscribes the functions to the providers' mail events.
pub(super) fn subscribe(
    mail: &local_mail::Server,
    environment: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let functions = environment.get("FUNCTIONS_URL").map_or("", String::as_str);
    mail.events()
        .subscribe(&format!("{functions}/api/mail-events"))
        .map_err(|error| Error::Mail(error.into()))
}

pub(super) async fn gateway(
    settings: &Settings,
    folder: &Folder,
    port: u16,
    environment: &BTreeMap<String, String>,
) -> Result<Gateway, Error> {
    let settings = local_gateway::Settings {
        listen: loopback(port),
        template: absolute(&settings.template)?,
        bin_dir: absolute(&settings.bin_dir)?,
        environment: environment.clone(),
        parameters: settings.parameters.clone(),
        max_instances: settings.max_instances,
        log: Some(folder.join("log")),
    };
    local_gateway::start(settings).await.map_err(Error::Gateway)
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|error| Error::write(path, error))
}
