//! Random events in random orders: the final row does not depend on the order.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use serde_json::{Value, json};
use shared::service::mail::event::EventKind;

use super::*;
use crate::support::seeds;

/// One event of the random runs: its kind, the message id of one of two mails, and its minute.
type TimedEvent = (EventKind, &'static str, i64);

/// The row of the random runs before the events.
#[derive(Clone, Copy, Debug)]
struct Start {
    state: &'static str,
    in_doubt: bool,
    ids: &'static [&'static str],
}

const STARTS: [Start; 5] = [
    Start {
        state: "sending",
        in_doubt: false,
        ids: &[],
    },
    Start {
        state: "sending",
        in_doubt: true,
        ids: &[],
    },
    Start {
        state: "accepted",
        in_doubt: false,
        ids: &["a"],
    },
    Start {
        state: "accepted",
        in_doubt: true,
        ids: &["b"],
    },
    Start {
        state: "superseded",
        in_doubt: false,
        ids: &[],
    },
];

/// Returns a row that started like this, after these events, and the reasons why its recipient gets no mail.
async fn apply_events(
    database: &LedgerDatabase,
    run: &str,
    start: Start,
    timed_events: &[TimedEvent],
) -> (Value, Value) {
    let (job_id, occurrence) = (format!("job-{run}"), run.to_owned());
    let to = format!("{run}@example.com");
    let mail = Reminder {
        to: &to,
        job_id: &job_id,
        occurrence: &occurrence,
        ..REMINDER
    };
    mail.sending(database).await;
    let Start {
        state,
        in_doubt,
        ids,
    } = start;
    database
        .execute(&format!(
            "update signtusk.email_ledger set state = '{state}', in_doubt = {in_doubt}, sending_since = '{SENT}',
               message_ids = '{{{}}}', accepted_at = case when '{state}' = 'accepted' then timestamptz '{SENT}' end
             where key = '{}'",
            ids.join(","),
            mail.key(),
        ))
        .await;
    for (kind, message, minutes) in timed_events {
        let mut event = event(&mail.key(), *kind, message, *minutes);
        event.recipients = vec![EmailAddress::parse(&to).unwrap()];
        record(database, &event).await;
    }
    let mut row = database.row(&mail.key()).await;
    for own in [
        "key",
        "recipient",
        "job_id",
        "occurrence",
        "attempt",
        "created_at",
        "updated_at",
    ] {
        row.as_object_mut().unwrap().remove(own);
    }
    let reasons = format!(
        "select coalesce(jsonb_agg(reason order by reason), '[]') as value \
         from signtusk.email_suppressions where address = '{to}'"
    );
    (row, database.read(&reasons).await)
}

/// Checks a row against the events in any order.
fn check(
    start: Start,
    timed_events: &[TimedEvent],
    row: &Value,
    reasons: &Value,
) -> TestCaseResult {
    let first = |kinds: &[EventKind]| {
        let times = timed_events
            .iter()
            .filter(|(kind, ..)| kinds.contains(kind));
        let first = times.map(|(.., minutes)| *minutes).min();
        first.map_or(Value::Null, |minutes| {
            json!(at(minutes).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())
        })
    };
    let ids: BTreeSet<&str> = timed_events
        .iter()
        .map(|(_, message, _)| *message)
        .chain(start.ids.iter().copied())
        .collect();
    let late = timed_events.iter().any(|(.., minutes)| *minutes > 60);
    let state = if timed_events.is_empty() {
        start.state
    } else {
        "accepted"
    };
    prop_assert_eq!(&row["state"], state);
    prop_assert_eq!(&row["message_ids"], &json!(ids));
    prop_assert_eq!(&row["doubled"], &json!(ids.len() > 1));
    let doubt = start.in_doubt && ids.len() < 2 && !late;
    prop_assert_eq!(&row["in_doubt"], &json!(doubt));
    for (column, kinds) in [
        ("delayed_at", &[EventKind::Delayed][..]),
        (
            "delivered_at",
            &[EventKind::Delivered, EventKind::Opened, EventKind::Clicked],
        ),
        ("opened_at", &[EventKind::Opened, EventKind::Clicked]),
        ("bounced_at", &[EventKind::Bounced { permanent: true }]),
        (
            "soft_bounced_at",
            &[EventKind::Bounced { permanent: false }],
        ),
        ("complained_at", &[EventKind::Complained]),
        ("failed_at", &[EventKind::Failed]),
    ] {
        prop_assert_eq!(&row[column], &first(kinds), "{}", column);
    }
    let stops = [
        ("bounced", EventKind::Bounced { permanent: true }),
        ("complained", EventKind::Complained),
    ];
    let stopped = stops
        .into_iter()
        .filter(|(_, stop)| timed_events.iter().any(|(kind, ..)| kind == stop));
    let stopped: Vec<&str> = stopped.map(|(reason, _)| reason).collect();
    prop_assert_eq!(reasons, &json!(stopped));
    Ok(())
}

#[test]
fn row_is_independent_of_the_order_of_events() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(LedgerDatabase::fresh());
    let cases = u32::try_from(seeds(48)).unwrap();
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let happening = (select(&KINDS[..]), select(&["a", "b"][..]), 0..180_i64);
    let strategy = vec(happening, 1..7).prop_flat_map(|timed_events| {
        (
            Just(timed_events.clone()),
            Just(timed_events).prop_shuffle(),
        )
    });
    let mut run = 0;
    let run = std::cell::RefCell::new(&mut run);
    runner
        .run(&(select(&STARTS[..]), strategy), |(start, (one, other))| {
            let name = {
                let mut run = run.borrow_mut();
                **run += 1;
                format!("r{}", **run)
            };
            runtime.block_on(async {
                let (row, reasons) =
                    apply_events(&database, &format!("{name}x"), start, &one).await;
                check(start, &one, &row, &reasons)?;
                let (again, reasons) =
                    apply_events(&database, &format!("{name}y"), start, &other).await;
                check(start, &other, &again, &reasons)?;
                prop_assert_eq!(row, again);
                Ok(())
            })
        })
        .unwrap();
}
