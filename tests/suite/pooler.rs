//! Postgres as in production: through a transaction-mode pgbouncer, over TLS, with a private certificate authority.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use crate::support::store::Store;
use local::postgres::Cluster;
use local::process::port::{free, is_taken};
use local::process::{Process, Program};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use shared::base::secret::Secret;
use shared::protocol::mail::{MessageId, Provider};
use shared::protocol::postgres::{self, Postgres, Type, column};
use shared::protocol::qstash;
use shared::service::job::{JobType, Publisher};
use shared::service::mail::ledger::{self, Begun, Identity, MailLedger};
use shared::service::mail::payload::EmailAddress;
use shared::service::outbox::{Entry, Outbox};
use shared::service::session::{
    Device, NewSession, RefreshToken, Refreshed, SessionId, Sessions, Viewer,
};
use tempfile::TempDir;
use url::Url;

use crate::outbox::ping;
use crate::support::TestCloud;
use crate::support::cluster::cluster;
use crate::support::payloads::signature_request;
use crate::support::waiting::eventually;

/// The pooler's maximum number of clients: all instances of all functions together must fit.
const MAX_CLIENTS: usize = 150;

/// A pooler for a migrated database. Its certificate is for `localhost` and for no address.
struct Fixture {
    cluster: Cluster,
    pooler: Process,
    port: u16,
    authority: String,
    database: local::postgres::Database,
    _folder: TempDir,
}

impl Fixture {
    async fn start() -> Self {
        Self::start_with(MAX_CLIENTS).await
    }

    async fn start_with(max_clients: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = cluster(folder.path()).await;
        let database = cluster.database("pooled").await.unwrap();
        let postgres = Url::parse(&database.functions_url).unwrap().port().unwrap();
        let port = free().unwrap();
        let authority = write_configuration(folder.path(), port, postgres, max_clients);
        let pooler = start_pooler(folder.path(), port).await;
        Self {
            cluster,
            pooler,
            port,
            authority,
            database,
            _folder: folder,
        }
    }

    fn url(&self, host: &str, sslmode: &str) -> String {
        let port = self.port;
        format!("postgresql://functions:functions@{host}:{port}/pooled?sslmode={sslmode}")
    }

    fn connect(&self) -> Postgres {
        Postgres::at(&self.url("localhost", "require"), Some(&self.authority)).unwrap()
    }

    async fn end(self) {
        self.pooler.stop().await;
        self.cluster.stop().await;
    }
}

/// Writes pgbouncer's configuration and returns its certificate authority. The folder is readable by the system user of
/// a pgbouncer that is started as root.
fn write_configuration(folder: &Path, port: u16, postgres: u16, max_clients: usize) -> String {
    let (authority, certificate, key) = certificates();
    let path = |name: &str| folder.join(name).display().to_string();
    let settings = format!(
        "[databases]\npooled = host=127.0.0.1 port={postgres} dbname=pooled\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = {max_clients}\nauth_type = md5\nauth_file = {}\n\
         client_tls_sslmode = require\nclient_tls_cert_file = {}\nclient_tls_key_file = {}\n",
        path("users"),
        path("certificate.pem"),
        path("key.pem"),
    );
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    for (name, content) in [
        ("pgbouncer.ini", settings.as_str()),
        ("users", "\"functions\" \"functions\"\n"),
        ("certificate.pem", &certificate),
        ("key.pem", &key),
    ] {
        fs::write(folder.join(name), content).unwrap();
        fs::set_permissions(folder.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    authority
}

/// Returns a new certificate authority, and the certificate and key that it issues to `localhost`, as PEM.
fn certificates() -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    (issuer.pem(), certificate.pem(), key.serialize_pem())
}

async fn start_pooler(folder: &Path, port: u16) -> Process {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut arguments: Vec<OsString> = vec![folder.join("pgbouncer.ini").into()];
    if is_root {
        arguments.splice(0..0, ["-u".into(), "postgres".into()]);
    }
    let mut pooler = Process::start(&Program {
        name: "pgbouncer",
        path: "/usr/sbin/pgbouncer".into(),
        arguments,
        folder: folder.to_owned(),
        user: None,
        log: folder.join("pgbouncer.log"),
        stop_signal: "INT",
    })
    .await
    .unwrap();
    pooler
        .answers(Duration::from_secs(20), async || is_taken(port))
        .await
        .unwrap();
    pooler
}

#[tokio::test]
async fn statements_work_through_a_transaction_pooler() {
    let fixture = Fixture::start().await;
    let clients = (0..20).map(|n| {
        let database = fixture.connect();
        tokio::spawn(async move {
            let ledger = MailLedger::new(database.clone());
            for mail in 0..10 {
                let recipient = EmailAddress::parse(&format!("s{mail}@example.com")).unwrap();
                let job_id = format!("job-{n}");
                let entry = ledger::Entry {
                    kind: "bulk",
                    recipient: &recipient,
                    job_id: &job_id,
                    identity: Identity::default(),
                    optional: false,
                    supersedes: None,
                    acting_user: "",
                };
                let Begun::Send(sending) = ledger.begin(&entry, Provider::Ses).await.unwrap() else {
                    panic!("nothing to send");
                };
                let id = MessageId::new(format!("m-{n}-{mail}"));
                ledger.accepted(&sending, "ses", &id).await.unwrap();
            }
            let sql = "select count(*) from signtusk.email_ledger where job_id = $1 and state = 'accepted'";
            let job_id = format!("job-{n}");
            let rows = database.query(sql, &[(&job_id, Type::TEXT)]).await.unwrap();
            column::<i64>(&rows[0], "count").unwrap()
        })
    });
    for client in clients.collect::<Vec<_>>() {
        assert_eq!(client.await.unwrap(), 10);
    }
    let named = "select count(*) from pg_prepared_statements where name <> ''";
    let rows = fixture.connect().query(named, &[]).await.unwrap();
    assert_eq!(column::<i64>(&rows[0], "count").unwrap(), 0);
    fixture.end().await;
}

#[tokio::test]
async fn client_above_the_pooler_limit_is_unavailable_until_another_leaves() {
    let fixture = Fixture::start_with(3).await;
    let clients: Vec<Postgres> = (0..3).map(|_| fixture.connect()).collect();
    for client in &clients {
        client.batch("select 1").await.unwrap();
    }
    let late = fixture.connect();
    let refused = late.batch("select 1").await.unwrap_err();
    assert!(
        matches!(refused, postgres::Error::Unavailable(_)),
        "a full pooler is an outage, not a fault of the statement: {refused:?}"
    );
    for client in &clients {
        client.batch("select 1").await.unwrap();
    }
    drop(clients);
    eventually("the late one gets in", async || {
        late.batch("select 1").await.is_ok()
    })
    .await;
    fixture.end().await;
}

#[tokio::test]
async fn server_without_a_trusted_certificate_gets_no_password() {
    let fixture = Fixture::start().await;
    let (stranger, _, _) = certificates();
    let authority = Some(fixture.authority.as_str());
    fixture.connect().batch("select 1").await.unwrap();
    for (case, url, authority) in [
        ("no authority", fixture.url("localhost", "require"), None),
        (
            "another authority",
            fixture.url("localhost", "require"),
            Some(stranger.as_str()),
        ),
        (
            "another name",
            fixture.url("127.0.0.1", "require"),
            authority,
        ),
        ("no TLS", fixture.url("localhost", "disable"), authority),
    ] {
        let error = Postgres::at(&url, authority)
            .unwrap()
            .batch("select 1")
            .await
            .unwrap_err();
        assert!(
            matches!(error, postgres::Error::Unavailable(_)),
            "{case}: {error:?}"
        );
    }
    fixture.end().await;
}

#[tokio::test]
async fn sessions_work_through_a_transaction_pooler() {
    let fixture = Fixture::start().await;
    let store = Store::start().await;
    let nowhere = Url::parse("http://127.0.0.1:9").unwrap();
    let token = Secret::new("none".to_owned());
    let queue = qstash::Client::new(nowhere.as_str(), &token, Duration::from_secs(1)).unwrap();
    let instance = || {
        let publisher = Publisher::new(queue.clone(), nowhere.clone());
        Sessions::new(store.client(), fixture.connect(), publisher)
    };
    let users = (0..8).map(|_| {
        let (here, there) = (instance(), instance());
        tokio::spawn(async move { live(&here, &there).await })
    });
    for user in users.collect::<Vec<_>>() {
        user.await.unwrap();
    }
    fixture.end().await;
}

/// Runs a session from its creation to its end, at two instances in turn, with every statement.
async fn live(here: &Sessions, there: &Sessions) {
    let user = uuid::Uuid::new_v4();
    let token = |text: &str| RefreshToken::try_from(text.to_owned()).unwrap();
    let new = NewSession {
        id: SessionId::random(),
        user_id: user,
        email: EmailAddress::parse("ann@example.com").unwrap(),
        token: token("t0"),
        device: Device::parse("curl/8.5.0"),
        ip_address: None,
    };
    here.create(&new).await.unwrap();
    let (given, next) = (token("t0"), token("t1"));
    let refreshed = there.refresh(&new.id, Viewer::ALL, &given, &next).await;
    assert_eq!(refreshed.unwrap(), Refreshed::Rotated);
    assert_eq!(here.list(user, None).await.unwrap().len(), 1);
    there.revoke(&new.id, Viewer::ALL).await.unwrap();
    here.revoke_all(user, None).await.unwrap();
    assert!(
        there
            .read(&new.id, Viewer::ALL, None)
            .await
            .unwrap()
            .is_none()
    );
}

/// Writers use an advisory lock, and the relay claims with `SKIP LOCKED`. Both must end with the transaction, because
/// another client uses its connection afterwards.
#[tokio::test]
async fn outbox_works_through_a_transaction_pooler() {
    let fixture = Fixture::start().await;
    let (url, authority) = (
        fixture.url("localhost", "require"),
        fixture.authority.clone(),
    );
    let database = fixture.database.clone();
    let cloud = TestCloud::start_with(|settings| {
        settings.database = local::cloud::Database::Made(database);
        settings.overrides.insert("DATABASE_URL".to_owned(), url);
        settings
            .overrides
            .insert("DATABASE_CA".to_owned(), authority);
    })
    .await;
    let writers = (0..8).map(|writer| {
        let database = fixture.connect();
        tokio::spawn(async move {
            let key = format!("document-{}", writer % 2);
            for mail in 0..3 {
                let transaction = database.transaction().await.unwrap();
                let entry = Entry {
                    ordering_key: Some(&key),
                    ..Entry::new(JobType::Email, "-")
                };
                let to = signature_request(&format!("s{writer}-{mail}@example.com"));
                Outbox::write(&transaction, &entry, &to).await.unwrap();
                transaction.commit().await.unwrap();
            }
        })
    });
    let sweeps = async {
        for sweep in 0..6 {
            ping(&cloud, &format!("msg_{sweep}")).await;
        }
    };
    let writers = futures_util::future::join_all(writers.collect::<Vec<_>>());
    let (written, ()) = tokio::join!(writers, sweeps);
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    ping(&cloud, "msg_last").await;
    eventually("all 24 mails are sent", async || cloud.mails().len() == 24).await;
    assert!(cloud.mails().values().all(|count| *count == 1));
    let rows = fixture
        .connect()
        .query(
            "select count(*) filter (where published_at is null) as waiting, \
             (select count(*) from pg_prepared_statements where name <> '') as named, \
             (select count(*) from pg_locks where locktype = 'advisory') as locks from signtusk.outbox",
            &[],
        )
        .await
        .unwrap();
    for figure in ["waiting", "named", "locks"] {
        assert_eq!(column::<i64>(&rows[0], figure).unwrap(), 0, "{figure}");
    }
    drop(cloud);
    fixture.end().await;
}
