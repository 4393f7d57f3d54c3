//! The effect of providers' events on the ledger and the suppression list, on a real PostgreSQL.

mod order;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use shared::protocol::mail::{EmailAddress, MessageId, Provider};
use shared::service::mail::event::{
    Cursor, Delivery, EventKind, Filter, MailEvent, MailEvents, Recorded, State, TrackedMail,
};
use shared::service::mail::ledger::Begun;
use shared::service::mail::payload::Reference;

use crate::support::ledger::{LedgerDatabase, REMINDER, Reminder};

/// The first attempt of these tests' mails.
const SENT: &str = "2026-11-24T09:00:00Z";

const KINDS: [EventKind; 9] = [
    EventKind::Sent,
    EventKind::Delivered,
    EventKind::Delayed,
    EventKind::Bounced { permanent: true },
    EventKind::Bounced { permanent: false },
    EventKind::Complained,
    EventKind::Opened,
    EventKind::Clicked,
    EventKind::Failed,
];

/// Returns the instant this number of minutes after the first attempt.
fn at(minutes: i64) -> Timestamp {
    SENT.parse::<Timestamp>().unwrap() + minutes.minutes()
}

/// Returns an event of the mail with this key.
fn event(key: &str, kind: EventKind, message: &str, minutes: i64) -> MailEvent {
    MailEvent {
        provider: Provider::Ses,
        event_id: format!("{key} {kind:?} {message} {minutes}"),
        key: Some(key.to_owned()),
        message_id: message.to_owned(),
        kind,
        at: at(minutes),
        recipients: vec![EmailAddress::parse(REMINDER.to).unwrap()],
        detail: None,
    }
}

async fn record(database: &LedgerDatabase, event: &MailEvent) -> Recorded {
    database.events().record(event).await.unwrap()
}

/// Sets the first attempt of every mail to [`SENT`].
async fn date_back(database: &LedgerDatabase) {
    let sql = format!("update signtusk.email_ledger set sending_since = '{SENT}'");
    database.execute(&sql).await;
}

/// Returns the list's only mail.
async fn only_mail(database: &LedgerDatabase) -> TrackedMail {
    let filter = Filter {
        limit: 100,
        ..Filter::default()
    };
    let mut page = database.events().list(&filter).await.unwrap();
    assert_eq!((page.items.len(), page.cursor), (1, None));
    page.items.remove(0)
}

/// Returns the addresses that get no mail, as `address reason`.
async fn suppressed(database: &LedgerDatabase) -> Value {
    let sql = "select coalesce(jsonb_agg(address || ' ' || reason order by address, reason), '[]') as value \
               from signtusk.email_suppressions";
    database.read(sql).await
}

#[tokio::test]
async fn concurrent_events_are_each_counted_once() {
    let database = LedgerDatabase::fresh().await;
    REMINDER.sending(&database).await;
    let key = REMINDER.key();
    let calls: Vec<_> = (0..3)
        .flat_map(|_| KINDS.into_iter().zip(["a", "b"].into_iter().cycle()))
        .map(|(kind, message)| {
            let events = MailEvents::new(database.connect());
            let event = event(&key, kind, message, 1);
            tokio::spawn(async move { events.record(&event).await.unwrap() })
        })
        .collect();
    let mut applied = 0;
    for call in calls {
        applied += usize::from(call.await.unwrap() == Recorded::Applied);
    }
    assert_eq!(applied, KINDS.len());
    let row = database.row(&key).await;
    for column in [
        "delayed_at",
        "delivered_at",
        "opened_at",
        "bounced_at",
        "soft_bounced_at",
        "complained_at",
        "failed_at",
    ] {
        assert!(row[column].is_string(), "{column} was lost: {row:#}");
    }
    assert_eq!(row["message_ids"], json!(["a", "b"]));
    assert_eq!(row["doubled"], true);
}

#[tokio::test]
async fn event_settles_a_mail_whose_attempt_had_no_answer() {
    let database = LedgerDatabase::fresh().await;
    let sending = REMINDER.sending(&database).await;
    let sent = event(&REMINDER.key(), EventKind::Sent, "a", 0);
    assert_eq!(record(&database, &sent).await, Recorded::Applied);
    let again = REMINDER.begin(&database).await;
    assert!(
        matches!(again, Begun::AlreadyAccepted { in_doubt: false }),
        "{again:?}"
    );
    // A late result of the attempt changes nothing any more.
    let ledger = database.ledger();
    ledger.released(&sending, "late").await.unwrap();
    ledger.rejected(&sending, "late").await.unwrap();
    let mail = only_mail(&database).await;
    assert_eq!(
        (mail.state, mail.delivery, mail.message_id.as_deref()),
        (State::Accepted, Some(Delivery::Sent), Some("a"))
    );
}

#[tokio::test]
async fn repeated_event_changes_nothing() {
    let database = LedgerDatabase::fresh().await;
    REMINDER.sending(&database).await;
    let bounced = event(
        &REMINDER.key(),
        EventKind::Bounced { permanent: true },
        "a",
        1,
    );
    assert_eq!(record(&database, &bounced).await, Recorded::Applied);
    let before = database.row(&REMINDER.key()).await;
    database
        .execute("delete from signtusk.email_suppressions")
        .await;
    let tampered = MailEvent {
        kind: EventKind::Complained,
        message_id: "b".to_owned(),
        ..bounced.clone()
    };
    for again in [&bounced, &tampered] {
        assert_eq!(record(&database, again).await, Recorded::Replayed);
    }
    assert_eq!(database.row(&REMINDER.key()).await, before);
    assert_eq!(
        suppressed(&database).await,
        json!([]),
        "a lifted address stays lifted"
    );
    let elsewhere = MailEvent {
        provider: Provider::Resend,
        ..bounced
    };
    assert_eq!(
        record(&database, &elsewhere).await,
        Recorded::Applied,
        "two providers may use the same id"
    );
}

#[tokio::test]
async fn second_message_id_proves_a_duplicate_and_ends_the_doubt() {
    let database = LedgerDatabase::fresh().await;
    REMINDER.sending(&database).await;
    let second = REMINDER.sending(&database).await;
    assert!(second.in_doubt());
    let id = MessageId::new("b".to_owned());
    database
        .ledger()
        .accepted(&second, "ses", &id)
        .await
        .unwrap();
    assert!(only_mail(&database).await.in_doubt);
    for (message, doubled) in [("b", false), ("a", true)] {
        let sent = event(&REMINDER.key(), EventKind::Sent, message, 0);
        record(&database, &sent).await;
        let mail = only_mail(&database).await;
        assert_eq!((mail.doubled, mail.in_doubt), (doubled, !doubled));
    }
    assert_eq!(only_mail(&database).await.message_ids, ["a", "b"]);
}

#[tokio::test]
async fn answer_to_a_second_attempt_proves_a_duplicate() {
    let database = LedgerDatabase::fresh().await;
    REMINDER.sending(&database).await;
    let second = REMINDER.sending(&database).await;
    let sent = event(&REMINDER.key(), EventKind::Sent, "a", 0);
    record(&database, &sent).await;
    let id = MessageId::new("b".to_owned());
    for _ in 0..2 {
        let ledger = database.ledger();
        ledger.accepted(&second, "ses", &id).await.unwrap();
    }
    let mail = only_mail(&database).await;
    assert_eq!((mail.doubled, mail.in_doubt), (true, false));
    assert_eq!(mail.message_ids, ["a", "b"]);
}

#[tokio::test]
async fn event_an_hour_later_with_one_message_id_ends_the_doubt() {
    let database = LedgerDatabase::fresh().await;
    REMINDER.sending(&database).await;
    let second = REMINDER.sending(&database).await;
    let id = MessageId::new("a".to_owned());
    let ledger = database.ledger();
    ledger.accepted(&second, "ses", &id).await.unwrap();
    let delivered = event(&REMINDER.key(), EventKind::Delivered, "a", 1);

    let long_ago = "update signtusk.email_ledger set sending_since = now() - interval '2 hours'";
    database.execute(long_ago).await;
    assert!(only_mail(&database).await.in_doubt, "no event arrived");

    database
        .execute("update signtusk.email_ledger set sending_since = now()")
        .await;
    record(&database, &delivered).await;
    assert!(only_mail(&database).await.in_doubt, "it is too early");

    database.execute(long_ago).await;
    assert!(!only_mail(&database).await.in_doubt);
    date_back(&database).await;
    let opened = event(&REMINDER.key(), EventKind::Opened, "a", 61);
    record(&database, &opened).await;
    let row = database.row(&REMINDER.key()).await;
    assert_eq!(
        (&row["in_doubt"], &row["doubled"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn only_hard_bounces_and_complaints_suppress_an_address() {
    let database = LedgerDatabase::fresh().await;
    REMINDER.sending(&database).await;
    let key = REMINDER.key();
    let harmless = KINDS.into_iter().filter(|kind| {
        !matches!(
            kind,
            EventKind::Bounced { permanent: true } | EventKind::Complained
        )
    });
    for kind in harmless {
        record(&database, &event(&key, kind, "a", 1)).await;
    }
    assert_eq!(suppressed(&database).await, json!([]));

    let mut bounced = event(&key, EventKind::Bounced { permanent: true }, "a", 1);
    bounced.recipients = ["Ann@Example.com", "ann@example.com", "bob@example.com"]
        .map(|address| EmailAddress::parse(address).unwrap())
        .to_vec();
    record(&database, &bounced).await;
    record(&database, &event(&key, EventKind::Complained, "a", 2)).await;
    assert_eq!(
        suppressed(&database).await,
        json!(["ann@example.com bounced", "ann@example.com complained"]),
        "the address that was mailed, and no other that the provider names"
    );
}

#[tokio::test]
async fn event_without_a_tag_is_matched_by_message_id() {
    let database = LedgerDatabase::fresh().await;
    let sending = REMINDER.sending(&database).await;
    let id = MessageId::new("a".to_owned());
    let ledger = database.ledger();
    ledger.accepted(&sending, "ses", &id).await.unwrap();
    for (n, tag) in [None, Some("no key"), Some(&"f".repeat(64)[..])]
        .into_iter()
        .enumerate()
    {
        let mut delivered = event("", EventKind::Delivered, "a", 1);
        delivered.event_id = n.to_string();
        delivered.key = tag.map(ToOwned::to_owned);
        assert_eq!(
            record(&database, &delivered).await,
            Recorded::Applied,
            "{tag:?}"
        );
    }
    assert_eq!(
        only_mail(&database).await.delivery,
        Some(Delivery::Delivered)
    );

    let mut foreign = event("", EventKind::Bounced { permanent: true }, "z", 1);
    foreign.key = Some("f".repeat(64));
    assert_eq!(record(&database, &foreign).await, Recorded::Unmatched);
    assert_eq!(
        suppressed(&database).await,
        json!(["ann@example.com bounced"])
    );
    foreign.event_id = "without any id".to_owned();
    foreign.message_id = String::new();
    assert_eq!(record(&database, &foreign).await, Recorded::Unmatched);
}

#[tokio::test]
async fn invalid_texts_and_times_are_stored_safely() {
    let database = LedgerDatabase::fresh().await;
    REMINDER.sending(&database).await;
    for (n, at) in [Timestamp::MIN, Timestamp::MAX].into_iter().enumerate() {
        let hostile = MailEvent {
            event_id: format!("\0{n}"),
            message_id: "a\0'; --".to_owned(),
            detail: Some("\0é".repeat(100_000)),
            at,
            ..event(&REMINDER.key(), EventKind::Delayed, "a", 0)
        };
        assert_eq!(record(&database, &hostile).await, Recorded::Applied);
    }
    let mail = only_mail(&database).await;
    assert_eq!(mail.message_ids, ["a'; --"]);
    assert_eq!(mail.detail, Some("é".repeat(1000)));
}

#[tokio::test]
async fn mails_are_listed_by_request_address_and_job_in_pages() {
    let database = LedgerDatabase::fresh().await;
    for n in 0..7 {
        let (job_id, occurrence) = (format!("job-{}", n % 2), n.to_string());
        let mail = Reminder {
            to: ["ann@example.com", "Bob@example.com"][n % 2],
            job_id: &job_id,
            occurrence: &occurrence,
            ..REMINDER
        };
        mail.sending(&database).await;
    }
    // Rows of the same instant are ordered by their keys.
    database
        .execute("update signtusk.email_ledger set created_at = '2026-11-24T09:00:00.123456Z' where occurrence < '5'")
        .await;
    let mut seen = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let filter = Filter {
            request_id: Some(reference("request")),
            limit: 2,
            cursor,
            ..Filter::default()
        };
        let page = database.events().list(&filter).await.unwrap();
        seen.extend(page.items.into_iter().map(|mail| mail.occurrence.unwrap()));
        cursor = page
            .cursor
            .map(|cursor| cursor.to_string().parse().unwrap());
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen[..2], ["6", "5"], "the newest come first");
    seen.sort();
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5", "6"]);

    let to = |address: &str| Filter {
        email: Some(EmailAddress::parse(address).unwrap()),
        limit: 100,
        ..Filter::default()
    };
    let of = |job: &str| Filter {
        job_id: Some(reference(job)),
        limit: 100,
        ..Filter::default()
    };
    for (filter, count) in [
        (to("BOB@example.com"), 3),
        (to("eve@example.com"), 0),
        (of("job-0"), 4),
        (of("job-2"), 0),
    ] {
        let page = database.events().list(&filter).await.unwrap();
        assert_eq!((page.items.len(), page.cursor), (count, None), "{filter:?}");
    }
}

/// Returns an id in the list's form.
fn reference(id: &str) -> Reference {
    id.to_owned().try_into().unwrap()
}
