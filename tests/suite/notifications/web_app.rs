//! The web app's writes and calls: our SQL functions, and its own tables, whose changes an owner is notified of.

use http::Method;
use serde_json::{Value, json};
use shared::protocol::mail::{EmailAddress, MessageId, Provider};
use shared::protocol::postgres::Error;
use shared::service::mail::event::{EventKind, MailEvent};
use shared::service::mail::ledger::{Begun, Entry, Identity};

use super::{Stage, new_user};
use crate::support::cloud::{answer, with_json};
use crate::support::ledger::LedgerDatabase;
use crate::support::waiting::eventually;

/// The jobs in the outbox, as their functions will get them.
const JOBS: &str = "select coalesce(jsonb_agg(payload || jsonb_build_object('jobId', id) order by seq), '[]') as value \
    from signtusk.outbox where job_type = 'notification'";

impl Stage {
    /// Relays the outbox, as the web app does if it does not want to wait for the sweep.
    async fn relay(&self, message: &str) {
        let done = self
            .cloud
            .deliver_as(message, "relay-outbox", &json!({}))
            .await;
        assert_eq!(done.status, 200, "{done:?}");
    }

    /// Returns the inbox of an owner, once it is not empty.
    async fn inbox_of(&self, owner: &str) -> Vec<Value> {
        let owner = owner.parse().unwrap();
        eventually("the owner is notified", async || {
            !self.inbox(owner).await.is_empty()
        })
        .await;
        self.inbox(owner).await
    }
}

/// Creates a request of an owner with one signer.
async fn request(database: &LedgerDatabase) -> [String; 3] {
    let [owner, request, signer] = [new_user(), new_user(), new_user()].map(|id| id.to_string());
    database
        .execute(&format!(
            "insert into public.signing_requests (id, title, initiated_by) values ('{request}', 'Lease', '{owner}');
             insert into public.signing_request_signers (id, signing_request_id, signer_email, signer_name)
             values ('{signer}', '{request}', 'ann@example.com', E'Ann\\nSigner');"
        ))
        .await;
    [owner, request, signer]
}

#[tokio::test]
async fn notification_of_the_web_app_commits_with_its_transaction_and_is_announced_once() {
    let stage = Stage::start().await;
    let user = new_user();
    let create = format!(
        "select public.signtusk_create_notification('{user}', 'reminder', 'Title', 'Message', '{{\"a\": 1}}', '/x')"
    );
    stage
        .database
        .execute(&format!("begin; {create}; rollback"))
        .await;
    assert_eq!(stage.unread(user).await, 0);
    stage.database.execute(&create).await;
    let inbox = stage.inbox(user).await;
    assert_eq!(inbox.len(), 1);
    assert_eq!(
        (&inbox[0]["metadata"], &inbox[0]["actionUrl"]),
        (&json!({ "a": 1 }), &json!("/x"))
    );
    assert!(stage.events(user).await.is_empty());

    let jobs = stage.database.read(JOBS).await;
    assert_eq!(jobs.as_array().unwrap().len(), 1, "{jobs:#}");
    stage.relay("msg_created").await;
    eventually("the notification is announced", async || {
        !stage.events(user).await.is_empty()
    })
    .await;
    assert_eq!(stage.inbox(user).await.len(), 1, "the job wrote it again");
    assert_eq!(
        stage.events(user).await[0].1["notification"]["id"],
        inbox[0]["id"]
    );

    let read = format!("select public.signtusk_read_notifications('{user}') as value");
    stage.database.execute(&read).await;
    let count = format!("select to_jsonb(public.signtusk_unread_count('{user}')) as value");
    assert_eq!(stage.database.read(&count).await, 0);
    let unheard =
        format!("select public.signtusk_create_notification('{user}', 'birthday', 'T', 'M')");
    assert!(stage.database.owner.batch(&unheard).await.is_err());
}

/// The owner of a request is notified of a declined signer, whichever of its columns the web app writes.
#[tokio::test]
async fn owner_is_notified_of_a_declined_signer() {
    let stage = Stage::start().await;
    for column in ["status", "signer_status"] {
        let [owner, request, signer] = request(&stage.database).await;
        let set = |what: &str| {
            format!("update public.signing_request_signers set {what} where id = '{signer}'")
        };
        stage.database.execute("delete from signtusk.outbox").await;
        stage.database.execute(&set("viewed_at = now()")).await;
        assert_eq!(stage.database.read(JOBS).await, json!([]));
        stage
            .database
            .execute(&set(&format!(
                "{column} = 'declined', decline_reason = 'Too dear'"
            )))
            .await;
        stage.database.execute(&set("updated_at = now()")).await;
        let jobs = stage.database.read(JOBS).await;
        assert_eq!(jobs.as_array().unwrap().len(), 1, "{column}: {jobs:#}");
        stage.relay(&format!("msg_{column}")).await;
        let inbox = stage.inbox_of(&owner).await;
        assert_eq!(inbox.len(), 1, "{column}");
        assert_eq!(inbox[0]["message"], "Ann Signer declined to sign Lease.");
        assert_eq!(inbox[0]["metadata"]["event"], "signer_declined");
        assert_eq!(inbox[0]["metadata"]["reason"], "Too dear");
        assert_eq!(inbox[0]["actionUrl"], format!("/documents/{request}"));
    }
}

/// The owner of a request is notified once of an undelivered mail, and once more if the address is invalid.
#[tokio::test]
async fn owner_is_notified_of_a_bounced_signer() {
    let stage = Stage::start().await;
    let [owner, request, signer] = request(&stage.database).await;
    let address = EmailAddress::parse("Ann@example.com").unwrap();
    let entry = Entry {
        kind: "signature-request",
        recipient: &address,
        job_id: "job-1",
        identity: Identity {
            request_id: Some(&request),
            signer_id: Some(&signer),
            occurrence: Some("first"),
        },
        optional: false,
        supersedes: None,
        acting_user: "",
    };
    let Begun::Send(sending) = stage
        .database
        .ledger()
        .begin(&entry, Provider::Ses)
        .await
        .unwrap()
    else {
        panic!("not to be sent");
    };
    let id = MessageId::new("m-1".to_owned());
    stage
        .database
        .ledger()
        .accepted(&sending, "ses", &id)
        .await
        .unwrap();
    let event = |name: &str, kind| MailEvent {
        provider: Provider::Ses,
        event_id: name.to_owned(),
        key: Some(sending.key().to_owned()),
        message_id: "m-1".to_owned(),
        kind,
        at: jiff::Timestamp::UNIX_EPOCH,
        recipients: vec![address.clone()],
        detail: None,
    };
    let events = stage.database.events();
    events
        .record(&event("e-1", EventKind::Delivered))
        .await
        .unwrap();
    events
        .record(&event("e-2", EventKind::Bounced { permanent: false }))
        .await
        .unwrap();
    events
        .record(&event("e-2b", EventKind::Failed))
        .await
        .unwrap();
    let jobs = stage.database.read(JOBS).await;
    assert_eq!(jobs.as_array().unwrap().len(), 1, "notified once: {jobs:#}");
    stage.relay("msg_soft").await;
    let inbox = stage.inbox_of(&owner).await;
    assert_eq!(inbox.len(), 1, "{inbox:#?}");
    assert_eq!(inbox[0]["metadata"]["event"], "signer_undelivered");
    let message = inbox[0]["message"].as_str().unwrap();
    assert!(
        message.contains("Ann Signer about Lease was not delivered"),
        "{message}"
    );
    for _ in 0..2 {
        events
            .record(&event("e-3", EventKind::Bounced { permanent: true }))
            .await
            .unwrap();
    }
    let jobs = stage.database.read(JOBS).await;
    assert_eq!(jobs.as_array().unwrap().len(), 2, "{jobs:#}");
    stage.relay("msg_bounced").await;
    let inbox = stage.inbox_of(&owner).await;
    assert_eq!(
        inbox[0]["metadata"]["event"], "signer_bounced",
        "{inbox:#?}"
    );
    assert!(
        inbox[0]["message"].as_str().unwrap().contains("Ann Signer"),
        "{inbox:#?}"
    );

    let stray = MailEvent {
        key: None,
        ..event("e-4", EventKind::Bounced { permanent: true })
    };
    let elsewhere = MailEvent {
        message_id: "m-2".to_owned(),
        ..stray
    };
    events.record(&elsewhere).await.unwrap();
    assert_eq!(stage.database.read(JOBS).await.as_array().unwrap().len(), 2);
}

/// A mail of a bulk belongs to no request: the user for whom the bulk was sent is notified, if there is one.
#[tokio::test]
async fn sender_is_notified_of_a_bounced_bulk_recipient() {
    let stage = Stage::start().await;
    let sender = new_user().to_string();
    for (place, user) in [Some(sender.as_str()), None, Some("no-uuid")]
        .into_iter()
        .enumerate()
    {
        let to = format!("gone-{place}@example.com");
        let bulk = json!({ "emails": [{ "name": "Gone", "email": to }] });
        let mut request = stage.cloud.request(Method::POST, "/api/queue/emails/bulk");
        if let Some(user) = user {
            request = request.header("x-user-id", user);
        }
        let taken = answer(with_json(request, &bulk)).await;
        let job = taken.body["jobIds"][0].as_str().unwrap();
        stage.cloud.wait_for(job, "completed").await;
        let key = format!(
            "select to_jsonb(key) as value from signtusk.email_ledger where recipient = '{to}'"
        );
        let key = stage.database.read(&key).await;
        let bounced = MailEvent {
            provider: Provider::Ses,
            event_id: format!("e-{place}"),
            key: Some(key.as_str().unwrap().to_owned()),
            message_id: format!("m-{place}"),
            kind: EventKind::Bounced { permanent: true },
            at: jiff::Timestamp::UNIX_EPOCH,
            recipients: vec![EmailAddress::parse(&to).unwrap()],
            detail: None,
        };
        for _ in 0..2 {
            stage.database.events().record(&bounced).await.unwrap();
        }
    }
    let jobs = stage.database.read(JOBS).await;
    assert_eq!(jobs.as_array().unwrap().len(), 1, "{jobs:#}");
    stage.relay("msg_bounced").await;
    let inbox = stage.inbox_of(&sender).await;
    assert_eq!(
        inbox[0]["metadata"]["event"], "recipient_bounced",
        "{inbox:#?}"
    );
    assert_eq!(inbox[0]["metadata"]["recipientEmail"], "gone-0@example.com");
}

#[tokio::test]
async fn rows_are_written_by_our_functions_only_and_visitors_cannot_call_them() {
    let database = LedgerDatabase::fresh().await;
    let user = new_user();
    let forbidden = async |who: &shared::protocol::postgres::Postgres, script: &str| {
        let error = who.batch(script).await.unwrap_err();
        assert!(
            matches!(&error, Error::Rejected { code, .. } if code == "42501"),
            "{script}: {error:?}"
        );
    };
    for statement in [
        format!(
            "insert into public.notifications (user_id, type, title, message) values ('{user}', 'x', 'x', 'x')"
        ),
        "update public.notifications set is_read = true".to_owned(),
        "delete from public.notifications".to_owned(),
        "update signtusk.unread_counts set unread = 0".to_owned(),
    ] {
        forbidden(&database.functions, &statement).await;
    }
    let calls = [
        format!("select public.signtusk_create_notification('{user}', 'general', 'T', 'M')"),
        format!("select public.signtusk_read_notifications('{user}')"),
        format!("select public.signtusk_unread_count('{user}')"),
    ];
    for call in &calls {
        for visitor in ["anon", "authenticated"] {
            forbidden(
                &database.owner,
                &format!("set local role {visitor}; {call}"),
            )
            .await;
        }
        database
            .execute(&format!("set local role service_role; {call}"))
            .await;
    }
    for visitor in ["anon", "authenticated"] {
        for table in [
            "unread_counts",
            "push_subscriptions",
            "notification_receipts",
            "notification_types",
        ] {
            let select = format!("set local role {visitor}; select * from signtusk.{table}");
            forbidden(&database.owner, &select).await;
        }
    }
    let open: Value = database
        .read(
            "select to_jsonb(count(*)) as value from pg_class where relnamespace = 'public'::regnamespace \
             and relname in ('notifications', 'notification_preferences') and not relrowsecurity",
        )
        .await;
    assert_eq!(open, 0, "a table that is made here is open to visitors");
}
