//! The e-mail ledger and its migrations, on a real PostgreSQL.

use std::path::Path;

use local::postgres::{Cluster, Passwords, Settings, migrations_folder};
use shared::protocol::mail::{MessageId, Provider};
use shared::protocol::postgres::{self, Postgres, column};
use shared::service::email::EmailAddress;
use shared::service::mail_ledger::{Begun, Entry, Identity, MailLedger, Sending};
use tempfile::TempDir;

/// A migrated database with the two roles that use it.
struct Fixture {
    functions: Postgres,
    owner: Postgres,
    functions_url: String,
    cluster: Cluster,
    _folder: TempDir,
}

impl Fixture {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(Settings {
            folder: folder.path().join("postgres"),
            port: 0,
            durable: false,
            log: folder.path().join("postgres.log"),
            passwords: Passwords::new("admin", "owner", "functions"),
        })
        .await
        .unwrap();
        let database = cluster.database("ledger").await.unwrap();
        Self {
            functions: Postgres::at(&database.functions_url, None).unwrap(),
            owner: Postgres::at(&database.owner_url, None).unwrap(),
            functions_url: database.functions_url.clone(),
            cluster,
            _folder: folder,
        }
    }

    fn ledger(&self) -> MailLedger {
        MailLedger::new(self.functions.clone())
    }

    /// The number that a query of the owner gives.
    async fn count(&self, sql: &str) -> i64 {
        let rows = self.owner.query(sql, &[]).await.unwrap();
        column(&rows[0], "count").unwrap()
    }

    async fn end(self) {
        self.cluster.stop().await;
    }
}

async fn begin(ledger: &MailLedger, job_id: &str) -> Begun {
    let recipient = EmailAddress::parse("ann@example.com").unwrap();
    let entry = Entry {
        kind: "reminder",
        recipient: &recipient,
        job_id,
        identity: Identity {
            request_id: Some("request"),
            signer_id: Some("signer"),
            occurrence: Some("1"),
        },
        optional: true,
        supersedes: None,
    };
    ledger.begin(&entry, Provider::Ses).await.unwrap()
}

#[track_caller]
fn to_send(begun: Begun) -> Sending {
    match begun {
        Begun::Send(sending) => sending,
        other => panic!("nothing to send: {other:?}"),
    }
}

async fn accept(ledger: &MailLedger, sending: &Sending) {
    let id = MessageId::new("m-1".to_owned());
    ledger.accepted(sending, "ses", &id).await.unwrap();
}

#[tokio::test]
async fn a_mail_is_sent_once_and_what_may_have_gone_twice_is_marked() {
    let fixture = Fixture::start().await;
    let ledger = fixture.ledger();

    let first = to_send(begin(&ledger, "job-1").await);
    assert!(!first.in_doubt());
    ledger
        .released(&first, "the provider is down")
        .await
        .unwrap();
    let second = to_send(begin(&ledger, "job-1").await);
    assert!(!second.in_doubt(), "a released mail is surely not sent");

    let third = to_send(begin(&ledger, "job-1").await);
    assert!(third.in_doubt(), "the second attempt ended without a word");
    ledger.released(&second, "late").await.unwrap();
    ledger.rejected(&second, "late").await.unwrap();
    ledger.released(&third, "throttled").await.unwrap();
    let fourth = to_send(begin(&ledger, "job-1").await);
    assert!(fourth.in_doubt(), "the doubt stays");

    accept(&ledger, &fourth).await;
    ledger.released(&fourth, "late").await.unwrap();
    for job_id in ["job-1", "job-2"] {
        let again = begin(&ledger, job_id).await;
        assert!(
            matches!(again, Begun::AlreadyAccepted { in_doubt: true }),
            "{again:?}"
        );
    }
    let settled = "select count(*) from signtusk.email_ledger where state = 'accepted' and attempts = 4 \
                   and provider = 'ses' and message_id = 'm-1' and reason is null and in_doubt";
    assert_eq!(fixture.count(settled).await, 1);
    fixture.end().await;
}

#[tokio::test]
async fn a_rejected_mail_is_never_tried_again() {
    let fixture = Fixture::start().await;
    let ledger = fixture.ledger();
    let sending = to_send(begin(&ledger, "job-1").await);
    ledger.rejected(&sending, "MessageRejected").await.unwrap();
    let again = begin(&ledger, "job-1").await;
    assert!(
        matches!(&again, Begun::Rejected { reason } if reason == "MessageRejected"),
        "{again:?}"
    );
    fixture.end().await;
}

#[tokio::test]
async fn of_jobs_that_send_the_same_mail_at_once_one_sends_it() {
    let fixture = Fixture::start().await;
    let attempts = (0..20).map(|n| {
        let ledger = MailLedger::new(Postgres::at(&fixture.functions_url, None).unwrap());
        tokio::spawn(async move { begin(&ledger, &format!("job-{n}")).await })
    });
    let mut sending = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Begun::Send(_) => sending += 1,
            Begun::Busy => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sending, 1);

    let aged = "update signtusk.email_ledger set updated_at = now() - interval '2 minutes'";
    fixture.owner.execute(aged, &[]).await.unwrap();
    let taken_over = to_send(begin(&fixture.ledger(), "job-x").await);
    assert!(taken_over.in_doubt(), "its job was killed, or is still out");
    fixture.end().await;
}

#[tokio::test]
async fn a_connection_that_died_costs_no_statement() {
    let fixture = Fixture::start().await;
    let ledger = fixture.ledger();
    let sending = to_send(begin(&ledger, "job-1").await);
    let other = Postgres::at(&fixture.functions_url, None).unwrap();
    let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
               where usename = 'functions' and pid <> pg_backend_pid()";
    let rows = other.query(end, &[]).await.unwrap();
    assert_eq!(column::<i64>(&rows[0], "count").unwrap(), 1);
    accept(&ledger, &sending).await;

    let cut = "select pg_terminate_backend(pg_backend_pid())";
    let error = fixture.functions.query(cut, &[]).await.unwrap_err();
    assert!(
        matches!(error, postgres::Error::Unavailable(_)),
        "{error:?}"
    );
    let slow = fixture
        .functions
        .query("select pg_sleep(30)", &[])
        .await
        .unwrap_err();
    assert!(matches!(slow, postgres::Error::Interrupted(_)), "{slow:?}");
    let wrong = fixture
        .functions
        .query("select nothing", &[])
        .await
        .unwrap_err();
    assert!(
        matches!(&wrong, postgres::Error::Rejected { code, .. } if code == "42703"),
        "{wrong:?}"
    );
    let again = begin(&ledger, "job-1").await;
    assert!(
        matches!(again, Begun::AlreadyAccepted { in_doubt: false }),
        "{again:?}"
    );

    let Fixture {
        functions, cluster, ..
    } = fixture;
    cluster.stop().await;
    let gone = functions.batch("select 1").await.unwrap_err();
    assert!(matches!(gone, postgres::Error::Unavailable(_)), "{gone:?}");
}

#[tokio::test]
async fn the_migrations_run_twice_and_keep_what_the_web_app_has() {
    let fixture = Fixture::start().await;
    let older = "drop table public.signing_request_signers, public.signing_requests, public.documents cascade; \
         create table public.documents (id uuid primary key default gen_random_uuid(), title text not null, \
           user_id uuid not null, user_email text not null, status text default 'unheard_of'); \
         insert into public.documents (title, user_id, user_email) \
           values ('Lease', gen_random_uuid(), 'bob@example.com');";
    fixture.owner.batch(older).await.unwrap();
    for _ in 0..2 {
        migrate(&fixture.owner, &migrations_folder()).await;
    }
    let kept = "select count(*) from public.documents where title = 'Lease' and status = 'unheard_of' \
                and metadata = '{}' and pdf_url is null";
    assert_eq!(fixture.count(kept).await, 1);
    let open = "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' \
                and relname like 'signing_request%' and not relrowsecurity";
    assert_eq!(
        fixture.count(open).await,
        0,
        "a table that is made here is not open to visitors"
    );

    let read = "select count(*) from public.documents join public.user_profiles on true";
    fixture.functions.query(read, &[]).await.unwrap();
    fixture.end().await;
}

#[tokio::test]
async fn visitors_of_the_web_app_reach_nothing_of_ours() {
    let fixture = Fixture::start().await;
    for role in ["anon", "authenticated"] {
        for statement in [
            "select count(*) from signtusk.email_ledger",
            "insert into signtusk.email_ledger (key) values ('')",
            "create table signtusk.theirs ()",
        ] {
            let script = format!("set local role {role}; {statement}");
            let error = fixture.owner.batch(&script).await.unwrap_err();
            assert!(
                matches!(&error, postgres::Error::Rejected { code, .. } if code == "42501"),
                "{role}: {statement}: {error:?}"
            );
        }
    }
    let error = fixture
        .functions
        .batch("delete from signtusk.email_ledger")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, postgres::Error::Rejected { code, .. } if code == "42501"),
        "{error:?}"
    );
    fixture.end().await;
}

/// Runs every migration, whether it has run before or not.
async fn migrate(owner: &Postgres, folder: &Path) {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let script = std::fs::read_to_string(&file).unwrap();
        if let Err(error) = owner.batch(&script).await {
            panic!("{}: {error:?}", file.display());
        }
    }
}
