//! A real PostgreSQL cluster, with Supabase's roles and the migrations.
//!
//! It has three roles. `supabase_admin` is the superuser and is internal. `postgres` owns the databases and runs the
//! migrations, as on Supabase. The functions log in as `functions`, which owns nothing.

mod binaries;
mod database;
mod error;
mod home;
mod migration;
mod role;
mod session;

pub use database::Database;
pub use error::Error;
pub use migration::{apply as migrate, folder as migrations_folder};
pub use session::run_script;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Mutex;

use self::binaries::Binaries;
use self::home::Home;
pub use self::role::Passwords;
use self::session::Session;
use crate::process::port::free;
use crate::process::{Process, Program};

/// The longest recovery of a cluster before it answers.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The template database of `Cluster::database`.
const TEMPLATE: &str = "signtusk_template";

/// The settings of a cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of its data. As root, the system user `postgres` owns it. If that user has no access to it, the data
    /// are in a folder of that user, which [`Cluster::folder`] returns.
    pub folder: PathBuf,
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// Whether its data remain after it stops.
    pub durable: bool,
    /// The file that its output is appended to.
    pub log: PathBuf,
    /// The role passwords.
    pub passwords: Passwords,
}

/// A running cluster. Dropping it stops it.
#[derive(Debug)]
pub struct Cluster {
    process: Process,
    port: u16,
    passwords: Passwords,
    home: Home,
    durable: bool,
    /// Whether the template exists; locked while a database is created from it.
    template: Mutex<bool>,
}

impl Cluster {
    /// Starts the cluster, creates it if necessary, and waits until it answers.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let home = Home::prepare(&settings.folder)?;
        let binaries = Binaries::for_data(&home.data())?;
        if !home.is_made() {
            make(&binaries, &home, &settings).await?;
        }
        let port = match settings.port {
            0 => free().map_err(|source| Error::Folder {
                folder: settings.folder.clone(),
                source,
            })?,
            port => port,
        };
        let mut process = Process::start(&program(
            "postgres",
            binaries.postgres(),
            server_arguments(&home, port),
            &home,
            &settings,
        ))
        .await?;
        let admin = settings.passwords.admin_url(port, "postgres");
        process
            .answers(START_LIMIT, async || Session::open(&admin).await.is_ok())
            .await?;
        let session = Session::open(&admin).await?;
        session.run(&role::script(&settings.passwords)).await?;
        session.close().await;
        Ok(Self {
            process,
            port,
            passwords: settings.passwords,
            home,
            durable: settings.durable,
            template: Mutex::new(false),
        })
    }

    /// Returns the folder of the data.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.home.data()
    }

    /// Returns the database `name` with every migration applied. An existing one keeps its rows.
    pub async fn permanent_database(&self, name: &str) -> Result<Database, Error> {
        let database = self.named(name)?;
        let admin = self.admin().await?;
        if !admin.has_database(name).await? {
            admin
                .run(&format!("create database {name} owner postgres"))
                .await?;
        }
        admin.close().await;
        migration::apply(&database.owner_url).await?;
        Ok(database)
    }

    /// Returns a new database `name` with every migration applied, copied from a template. An existing one is dropped.
    pub async fn database(&self, name: &str) -> Result<Database, Error> {
        let database = self.named(name)?;
        let mut stands = self.template.lock().await;
        let admin = self.admin().await?;
        if !*stands {
            let template = self.named(TEMPLATE)?;
            admin
                .run(&format!("drop database if exists {TEMPLATE} with (force)"))
                .await?;
            admin
                .run(&format!("create database {TEMPLATE} owner postgres"))
                .await?;
            migration::apply(&template.owner_url).await?;
            *stands = true;
        }
        admin
            .run(&format!("drop database if exists {name} with (force)"))
            .await?;
        admin
            .run(&format!(
                "create database {name} template {TEMPLATE} owner postgres"
            ))
            .await?;
        admin.close().await;
        Ok(database)
    }

    /// Stops the cluster. Without durability, all files are deleted.
    pub async fn stop(self) {
        self.process.stop().await;
        if !self.durable {
            self.home.remove();
        }
    }

    async fn admin(&self) -> Result<Session, Error> {
        Session::open(&self.passwords.admin_url(self.port, "postgres")).await
    }

    fn named(&self, name: &str) -> Result<Database, Error> {
        Database::new(name, self.port, &self.passwords)
    }
}

/// Creates the cluster in another folder and moves it to its final folder when it is complete.
async fn make(binaries: &Binaries, home: &Home, settings: &Settings) -> Result<(), Error> {
    let password = home.write("password", settings.passwords.admin())?;
    let fresh = home.fresh()?;
    let arguments = [
        "--no-sync",
        "--no-instructions",
        "--encoding=UTF8",
        "--no-locale",
        "--auth=password",
        "--username=supabase_admin",
    ];
    let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    arguments.extend([
        "--pwfile".into(),
        password.into(),
        "--pgdata".into(),
        fresh.into(),
    ]);
    let initdb = program("initdb", binaries.initdb(), arguments, home, settings);
    Process::start(&initdb).await?.finish().await?;
    home.settle()
}

/// Returns the server's arguments. They trade durability for speed: a crash of the machine may lose local data, a crash
/// of a process does not. Passwords are sent in plain text on loopback, which saves each connection SCRAM's thousands
/// of hash rounds.
fn server_arguments(home: &Home, port: u16) -> Vec<OsString> {
    let options = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "unix_socket_directories=".to_owned(),
        "fsync=off".to_owned(),
        "synchronous_commit=off".to_owned(),
        "full_page_writes=off".to_owned(),
        "max_connections=300".to_owned(),
    ];
    let mut arguments: Vec<OsString> = vec!["-D".into(), home.data().into()];
    for option in options {
        arguments.extend(["-c".into(), option.into()]);
    }
    arguments
}

fn program(
    name: &'static str,
    path: PathBuf,
    arguments: Vec<OsString>,
    home: &Home,
    settings: &Settings,
) -> Program {
    Program {
        name,
        path,
        arguments,
        folder: home.folder().to_owned(),
        user: home.user(),
        log: settings.log.clone(),
        // A smart shutdown (TERM) would wait for clients; a fast one (INT) disconnects them.
        stop_signal: "INT",
    }
}
