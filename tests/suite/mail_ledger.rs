//! The e-mail ledger, on a real PostgreSQL.

use serde_json::{Value, json};
use shared::protocol::mail::{MessageId, Provider};
use shared::protocol::postgres::{self, Postgres, column};
use shared::service::mail::ledger::{Begun, Entry, Identity, MailLedger, Sending};
use shared::service::mail::payload::EmailAddress;

use crate::support::cluster::OwnDatabase;
use crate::support::ledger::{LedgerDatabase, REMINDER, Reminder};

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
        acting_user: "",
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
async fn mail_is_sent_once_and_a_possible_duplicate_is_marked_in_doubt() {
    let fixture = OwnDatabase::start().await;
    let ledger = MailLedger::new(fixture.functions.clone());

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
async fn rejected_mail_is_never_retried() {
    let fixture = OwnDatabase::start().await;
    let ledger = MailLedger::new(fixture.functions.clone());
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
async fn same_mail_begun_by_parallel_jobs_is_sent_by_one() {
    let fixture = OwnDatabase::start().await;
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
    let taken_over = to_send(begin(&MailLedger::new(fixture.functions.clone()), "job-x").await);
    assert!(taken_over.in_doubt(), "its job was killed, or is still out");
    fixture.end().await;
}

#[tokio::test]
async fn repeated_mail_is_in_doubt_only_after_the_provider_forgets_its_key() {
    let resend = Reminder {
        provider: Provider::Resend,
        ..REMINDER
    };
    for (age, other, doubt) in [
        ("23 hours 58 minutes", resend, false),
        ("23 hours 59 minutes 30 seconds", resend, true),
        ("1 minute", REMINDER, true),
    ] {
        let database = LedgerDatabase::fresh().await;
        resend.sending(&database).await;
        let aged =
            format!("update signtusk.email_ledger set sending_since = now() - interval '{age}'");
        database.execute(&aged).await;
        let again = other.sending(&database).await;
        assert_eq!(again.in_doubt(), doubt, "{age}");
    }
}

#[tokio::test]
async fn release_after_an_unanswered_attempt_keeps_the_start_of_the_provider_window() {
    let database = LedgerDatabase::fresh().await;
    let ledger = database.ledger();
    let resend = Reminder {
        provider: Provider::Resend,
        ..REMINDER
    };
    let first = resend.sending(&database).await;
    ledger.released(&first, "throttled").await.unwrap();
    assert_eq!(
        database.row(&resend.key()).await["sending_since"],
        Value::Null
    );

    resend.sending(&database).await;
    let resumed = resend.sending(&database).await;
    assert!(!resumed.in_doubt());
    ledger.released(&resumed, "throttled").await.unwrap();
    let since = database.row(&resend.key()).await["sending_since"].clone();
    assert!(since.is_string(), "the second attempt may have sent it");
    database
        .execute("update signtusk.email_ledger set sending_since = now() - interval '25 hours'")
        .await;
    assert!(resend.sending(&database).await.in_doubt());
}

#[tokio::test]
async fn superseded_mail_is_not_sent_unless_already_accepted() {
    let database = LedgerDatabase::fresh().await;
    let wrong = Reminder {
        to: "amn@example.com",
        ..REMINDER
    };
    let right = Reminder {
        job_id: "job-2",
        occurrence: "2",
        supersedes: Some("1"),
        ..REMINDER
    };
    // Its own job is still waiting in the queue.
    right.sending(&database).await;
    assert_eq!(database.row(&wrong.key()).await["recipient"], Value::Null);
    for _ in 0..2 {
        let begun = wrong.begin(&database).await;
        assert!(matches!(begun, Begun::Superseded), "{begun:?}");
    }
    let row = database.row(&wrong.key()).await;
    let columns = [
        &row["state"],
        &row["recipient"],
        &row["job_id"],
        &row["attempts"],
    ];
    assert_eq!(
        columns,
        [
            &json!("superseded"),
            &json!("amn@example.com"),
            &json!("job-1"),
            &json!(0)
        ]
    );

    // A later one still replaces it, and a late result does not free it.
    let third = Reminder {
        job_id: "job-3",
        occurrence: "3",
        supersedes: Some("2"),
        ..REMINDER
    };
    third.sending(&database).await;
    let begun = right.begin(&database).await;
    assert!(matches!(begun, Begun::Superseded), "{begun:?}");
    let other = Reminder {
        occurrence: "4",
        ..REMINDER
    };
    let sending = other.sending(&database).await;
    let instead = Reminder {
        job_id: "job-5",
        occurrence: "5",
        supersedes: Some("4"),
        ..REMINDER
    };
    instead.sending(&database).await;
    let ledger = database.ledger();
    ledger.released(&sending, "late").await.unwrap();
    let begun = other.begin(&database).await;
    assert!(matches!(begun, Begun::Superseded), "{begun:?}");

    // A mail that the provider accepted is sent, even if it was to be replaced.
    accept(&ledger, &sending).await;
    instead.begin(&database).await;
    let begun = other.begin(&database).await;
    assert!(
        matches!(begun, Begun::AlreadyAccepted { in_doubt: false }),
        "{begun:?}"
    );
}

#[tokio::test]
async fn parallel_mail_and_successor_do_not_deadlock_and_the_successor_is_sent() {
    let database = LedgerDatabase::fresh().await;
    let calls: Vec<_> = (0..10)
        .flat_map(|n| [(n, None), (n, Some("1"))])
        .map(|(n, supersedes)| {
            let ledger = MailLedger::new(database.connect());
            tokio::spawn(async move {
                let recipient = EmailAddress::parse("ann@example.com").unwrap();
                let job_id = format!("job-{n}-{}", supersedes.is_some());
                let entry = Entry {
                    kind: "reminder",
                    recipient: &recipient,
                    job_id: &job_id,
                    identity: Identity {
                        request_id: Some("request"),
                        signer_id: Some("signer"),
                        occurrence: Some(if supersedes.is_some() { "2" } else { "1" }),
                    },
                    optional: true,
                    supersedes,
                    acting_user: "",
                };
                let begun = ledger.begin(&entry, Provider::Ses).await.unwrap();
                supersedes.is_some() && matches!(begun, Begun::Send(_))
            })
        })
        .collect();
    let mut sent = 0;
    for call in calls {
        sent += usize::from(call.await.unwrap());
    }
    assert_eq!(sent, 1);
    assert_eq!(database.row(&REMINDER.key()).await["state"], "superseded");
}

#[tokio::test]
async fn dead_connection_loses_no_statement() {
    let fixture = OwnDatabase::start().await;
    let ledger = MailLedger::new(fixture.functions.clone());
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

    let OwnDatabase {
        functions, cluster, ..
    } = fixture;
    cluster.stop().await;
    let gone = functions.batch("select 1").await.unwrap_err();
    assert!(matches!(gone, postgres::Error::Unavailable(_)), "{gone:?}");
}
