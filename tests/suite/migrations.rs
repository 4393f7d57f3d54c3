//! The migrations: they can run twice, keep the web app's data, and grant its visitors nothing.

use std::path::Path;

use local::postgres::migrations_folder;
use serde_json::json;
use shared::protocol::postgres::{self, Postgres};

use crate::support::cluster::OwnDatabase;
use crate::support::ledger::{LedgerDatabase, REMINDER, Reminder};

#[tokio::test]
async fn migrations_run_twice_and_keep_the_web_apps_rows() {
    let fixture = OwnDatabase::start().await;
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
async fn web_app_visitors_cannot_access_our_tables() {
    let fixture = OwnDatabase::start().await;
    for role in ["anon", "authenticated"] {
        for statement in [
            "select count(*) from signtusk.email_ledger",
            "select count(*) from signtusk.email_events",
            "delete from signtusk.email_suppressions",
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
        .batch("truncate signtusk.email_ledger")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, postgres::Error::Rejected { code, .. } if code == "42501"),
        "{error:?}"
    );
    fixture.end().await;
}

/// Runs every migration, including those that have already run.
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

#[tokio::test]
async fn rows_older_than_mail_events_keep_their_meaning() {
    let database = LedgerDatabase::fresh().await;
    database
        .execute(
            "drop table signtusk.email_events, signtusk.email_suppressions;
             alter table signtusk.email_ledger drop column sending_since, drop column resumed, drop column message_ids,
               drop column doubled, drop column accepted_at, drop column delivered_at,
               drop constraint email_ledger_state_check,
               add constraint email_ledger_state_check
                 check (state in ('sending', 'accepted', 'released', 'rejected'));",
        )
        .await;
    let gone = Reminder {
        occurrence: "gone",
        ..REMINDER
    };
    for (mail, state, id) in [(REMINDER, "sending", "null"), (gone, "accepted", "'m-1'")] {
        let insert = format!(
            "insert into signtusk.email_ledger (key, kind, recipient, job_id, state, attempt, message_id) \
             values ('{}', 'reminder', 'ann@example.com', 'job-1', '{state}', 'old', {id})",
            mail.key(),
        );
        database.execute(&insert).await;
    }
    for _ in 0..2 {
        migrate(&database.owner, &migrations_folder()).await;
    }
    let row = database.row(&gone.key()).await;
    assert_eq!(row["message_ids"], json!(["m-1"]));
    assert!(row["accepted_at"].is_string());
    assert!(
        REMINDER.sending(&database).await.in_doubt(),
        "its attempt ended without a word"
    );
}
