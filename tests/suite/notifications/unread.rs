//! The number of unread notifications: Postgres's count is authoritative, and Redis only caches it.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use shared::protocol::postgres::{self, Postgres};
use shared::service::notification::{Notification, Notifications, Selection, Unread, UnreadCounts};
use uuid::Uuid;

use super::{SEND_NOTIFICATION, Stage, general, new_user};
use crate::support::ledger::LedgerDatabase;
use crate::support::seeds;
use crate::support::store::Store;

const USERS: u128 = 3;

/// The next step of a writer.
#[derive(Clone, Debug)]
enum Step {
    /// A job with notifications to these users; the same job again writes nothing.
    Notify { job: u8, users: Vec<u128> },
    /// A user reads every n-th notification.
    ReadSome { user: u128, nth: i64 },
    /// A user reads everything.
    ReadAll { user: u128 },
    /// The web app changes rows itself.
    App(&'static str, u128),
}

/// The web app's changes to the rows of one user ($1 is not used: the statements are the owner's own).
const APP: [&str; 5] = [
    "insert into public.notifications (user_id, type, title, message, is_read) \
     select 'USER', 'general', 't', 'm', n % 2 = 0 from generate_series(1, 3) as n",
    "update public.notifications set is_read = not coalesce(is_read, false) where user_id = 'USER'",
    "delete from public.notifications where id in \
     (select id from public.notifications where user_id = 'USER' order by id limit 2)",
    "update public.notifications set title = left(title || '.', 200) where user_id = 'USER'",
    "update public.notifications set user_id = 'OTHER' where id in \
     (select id from public.notifications where user_id = 'USER' limit 1)",
];

fn steps(seed: u64) -> [Vec<Step>; 2] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let user = 0..USERS;
    let step = prop_oneof![
        4 => (0_u8..6, prop::collection::vec(0..USERS, 1..5)).prop_map(|(job, users)| Step::Notify { job, users }),
        2 => (user.clone(), 1_i64..4).prop_map(|(user, nth)| Step::ReadSome { user, nth }),
        1 => user.clone().prop_map(|user| Step::ReadAll { user }),
        2 => (prop::sample::select(APP.as_slice()), user).prop_map(|(sql, user)| Step::App(sql, user)),
    ];
    let writer = prop::collection::vec(step, 25);
    [writer.clone(), writer].map(|writer| writer.new_tree(&mut runner).unwrap().current())
}

fn user(number: u128) -> Uuid {
    Uuid::from_u128(1000 + number)
}

/// Runs one writer, with new connections.
async fn write(database: &LedgerDatabase, steps: Vec<Step>) {
    let notifications = Notifications::new(database.connect());
    let app = database.connect_as_owner();
    for step in steps {
        let done = match &step {
            Step::Notify { job, users } => notify(&notifications, *job, users).await,
            Step::ReadSome { user: reader, nth } => {
                read_some(&notifications, &app, *reader, *nth).await
            }
            Step::ReadAll { user: reader } => {
                let read = notifications.read(user(*reader), &Selection::All).await;
                read.map(|_| ()).map_err(|error| format!("{error:?}"))
            }
            Step::App(sql, whose) => of_the_app(&app, sql, *whose).await,
        };
        done.unwrap_or_else(|error| panic!("{step:?}: {error}"));
    }
}

async fn notify(notifications: &Notifications, job: u8, users: &[u128]) -> Result<(), String> {
    let items: Vec<_> = users
        .iter()
        .map(|number| json!({ "userId": user(*number), "title": "T", "message": "M" }))
        .collect();
    let payload = json!({ "type": "bulk_notification", "notifications": items });
    let entries = Notification::parse(&payload).unwrap().entries();
    let written = notifications
        .write(&format!("job-{job}"), 0, &entries)
        .await;
    written.map(|_| ()).map_err(|error| format!("{error:?}"))
}

async fn read_some(
    notifications: &Notifications,
    app: &Postgres,
    reader: u128,
    nth: i64,
) -> Result<(), String> {
    let sql = format!(
        "select id::text from (select id, row_number() over (order by id) as n \
         from public.notifications where user_id = '{}') as rows where n % {nth} = 0",
        user(reader)
    );
    let rows = app
        .query(&sql, &[])
        .await
        .map_err(|error| format!("{error:?}"))?;
    let ids = rows
        .iter()
        .map(|row| row.get::<_, String>(0).parse().unwrap());
    let read = notifications
        .read(user(reader), &Selection::Ids(ids.collect()))
        .await;
    read.map(|_| ()).map_err(|error| format!("{error:?}"))
}

/// Runs a change of the web app. It may lose a race, and is then repeated.
async fn of_the_app(app: &Postgres, sql: &str, whose: u128) -> Result<(), String> {
    let other = user((whose + 1) % USERS).to_string();
    let sql = sql
        .replace("USER", &user(whose).to_string())
        .replace("OTHER", &other);
    loop {
        match app.batch(&sql).await {
            Err(postgres::Error::Unavailable(_)) => {}
            settled => return settled.map_err(|error| format!("{error:?}")),
        }
    }
}

/// The users whose count differs from their rows.
const WRONG: &str = "select coalesce(jsonb_agg(jsonb_build_object('user', user_id, 'rows', there, 'count', unread)), '[]') \
    as value from ( \
      select user_id, count(*) filter (where is_read is not true) as there from public.notifications group by user_id \
    ) as rows full join signtusk.unread_counts using (user_id) where coalesce(there, 0) <> coalesce(unread, 0)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_count_equals_the_rows_after_concurrent_writers() {
    let database = LedgerDatabase::fresh().await;
    for seed in 0..seeds(15) {
        let [one, other] = steps(seed);
        tokio::join!(write(&database, one), write(&database, other));
        assert_eq!(database.read(WRONG).await, json!([]), "seed {seed}");
        let twice = "select coalesce(jsonb_agg(job_id), '[]') as value from ( \
            select job_id from signtusk.notification_receipts \
            group by job_id, place having count(*) > 1) as twice";
        assert_eq!(database.read(twice).await, json!([]), "seed {seed}");
    }
    database.execute("truncate public.notifications").await;
    assert_eq!(database.read(WRONG).await, json!([]), "after truncate");
}

#[tokio::test]
async fn existing_rows_are_counted_by_the_migration() {
    let database = LedgerDatabase::fresh().await;
    let user = new_user();
    database
        .execute(&format!(
            "drop trigger signtusk_unread_insert on public.notifications;
             drop trigger signtusk_unread_update on public.notifications;
             drop trigger signtusk_unread_delete on public.notifications;
             drop trigger signtusk_unread_truncate on public.notifications;
             insert into public.notifications (user_id, type, title, message, is_read)
             select '{user}', 'general', 't', 'm', n > 5 from generate_series(1, 8) as n;"
        ))
        .await;
    let folder = local::postgres::migrations_folder().join("0007_notifications.sql");
    database
        .execute(&std::fs::read_to_string(folder).unwrap())
        .await;
    let notifications = Notifications::new(database.functions.clone());
    assert_eq!(notifications.unread(user).await.unwrap().count, 5);
}

/// Defect 55: the count restarted at 1 when its key expired, could fall below zero, and reading changed nothing.
#[tokio::test]
async fn unread_count_does_not_restart_when_redis_loses_it() {
    let stage = Stage::start().await;
    let user = new_user();
    let mut redis = stage.cloud.redis_connection().await;
    for _ in 0..3 {
        stage.notify(&general(user)).await;
    }
    let key = format!("unread_count:{user}");
    let life: i64 = redis::cmd("PTTL")
        .arg(&key)
        .query_async(&mut redis)
        .await
        .unwrap();
    assert!(life > 0, "a count that never ends");
    let forget = async |redis: &mut redis::aio::MultiplexedConnection| {
        let _: i64 = redis::cmd("DEL")
            .arg(&key)
            .query_async(redis)
            .await
            .unwrap();
    };
    forget(&mut redis).await;
    assert_eq!(stage.unread(user).await, 3);
    forget(&mut redis).await;
    stage.notify(&general(user)).await;
    assert_eq!(stage.unread(user).await, 4);
    // The value of the web app's TypeScript.
    let () = redis::cmd("SET")
        .arg(&key)
        .arg("1")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(stage.unread(user).await, 4);
    let () = redis::cmd("SET")
        .arg(&key)
        .arg("-7")
        .query_async(&mut redis)
        .await
        .unwrap();
    let read = stage.read(user, &json!({ "all": true })).await;
    assert_eq!(read.body["unreadCount"], 0);
    assert_eq!(stage.unread(user).await, 0);
    assert_eq!(
        stage.read(user, &json!({ "all": true })).await.body["unreadCount"],
        0
    );
}

/// Defect 31: the count rose by two for each notification, and again with each retry.
#[tokio::test]
async fn redelivered_notification_is_counted_once() {
    let stage = Stage::start().await;
    let user = new_user();
    let mut payload = general(user);
    payload["jobId"] = "job-1".into();
    let mut redis = stage.cloud.redis_connection().await;
    for _ in 0..3 {
        let response = stage.cloud.deliver(SEND_NOTIFICATION, &payload).await;
        assert_eq!(response.status, 200, "{response:?}");
        // As if the commit had been lost: the next delivery runs the job again.
        let () = redis::cmd("HSET")
            .arg("job:job-1")
            .arg("status")
            .arg("failed")
            .query_async(&mut redis)
            .await
            .unwrap();
        assert_eq!(stage.unread(user).await, 1);
        assert_eq!(stage.inbox(user).await.len(), 1);
        assert_eq!(stage.events(user).await.len(), 1);
    }
}

#[tokio::test]
async fn late_writer_does_not_restore_an_old_count() {
    let store = Store::start().await;
    let counts = UnreadCounts::new(store.client());
    let of = |version: i64| Unread {
        count: version * 10,
        version,
    };
    for order in [
        [1, 2, 3],
        [1, 3, 2],
        [2, 1, 3],
        [2, 3, 1],
        [3, 1, 2],
        [3, 2, 1],
    ] {
        let user = new_user();
        let mut latest = 0;
        for version in order {
            latest = latest.max(version);
            let stands = counts.set(user, of(version)).await.unwrap();
            assert_eq!(stands, latest * 10, "{order:?}");
        }
        assert_eq!(counts.get(user).await.unwrap(), Some(30), "{order:?}");
    }
    assert_eq!(counts.get(new_user()).await.unwrap(), None);
}

#[tokio::test]
async fn unread_count_and_reads_work_without_redis() {
    let stage = Stage::start_with(|settings| {
        let nowhere = (
            "UPSTASH_REDIS_REST_URL".to_owned(),
            "http://127.0.0.1:9".to_owned(),
        );
        settings.overrides.extend([nowhere]);
    })
    .await;
    let user = new_user();
    let sql = format!("select public.signtusk_create_notification('{user}', 'general', 'T', 'M')");
    stage.database.execute(&sql).await;
    assert_eq!(stage.unread(user).await, 1);
    assert_eq!(
        stage.read(user, &json!({ "all": true })).await.body,
        json!({ "updated": 1, "unreadCount": 0 })
    );
    assert_eq!(stage.unread(user).await, 0);
}
