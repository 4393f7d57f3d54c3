//! Rows and counts are locked in one order: the functions and the web app never deadlock.

use std::time::Duration;

use serde_json::json;
use shared::service::notification::{Entry, Error, Notifications, Recipient, Selection};

use super::new_user;
use crate::support::ledger::LedgerDatabase;

/// Writes two notifications of a user.
async fn two_rows(database: &LedgerDatabase, user: uuid::Uuid) {
    for number in 1..=2 {
        database
            .execute(&format!(
                "insert into public.notifications (id, user_id, type, title, message) \
                 values ('01985c00-0000-7000-8000-00000000000{number}', '{user}', 'general', 'T', 'M')"
            ))
            .await;
    }
}

#[tokio::test]
async fn reader_and_web_app_do_not_deadlock() {
    let database = LedgerDatabase::fresh().await;
    let user = new_user();
    two_rows(&database, user).await;
    let row = "id = '01985c00-0000-7000-8000-000000000002'";
    let web_app = database.connect_as_owner();
    let change = web_app.transaction().await.unwrap();
    let lock = format!("select from public.notifications where {row} for update");
    change.query(&lock, &[]).await.unwrap();

    let functions = Notifications::new(database.connect());
    let reading = tokio::spawn(async move { functions.read(user, &Selection::All).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let update = format!("update public.notifications set is_read = true where {row}");
    change
        .execute(&update, &[])
        .await
        .expect("the web app is not the deadlock victim");
    change.commit().await.unwrap();
    let marked = reading.await.unwrap().expect("the reader is not, either");
    assert_eq!(marked.unread.count, 0);
    let counts = "select jsonb_agg(unread) as value from signtusk.unread_counts";
    assert_eq!(database.read(counts).await, json!([0]));
}

/// If rows themselves are locked crosswise, the function gives up before the server chooses a victim.
#[tokio::test]
async fn web_app_locking_rows_in_reverse_order_is_not_the_deadlock_victim() {
    let database = LedgerDatabase::fresh().await;
    let user = new_user();
    two_rows(&database, user).await;
    let web_app = database.connect_as_owner();
    let change = web_app.transaction().await.unwrap();
    let update = |number: u8| {
        format!(
            "update public.notifications set title = 'N' where id = '01985c00-0000-7000-8000-00000000000{number}'"
        )
    };
    change.execute(&update(2), &[]).await.unwrap();
    let functions = Notifications::new(database.connect());
    let reading = tokio::spawn(async move { functions.read(user, &Selection::All).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    change
        .execute(&update(1), &[])
        .await
        .expect("the web app waits and continues");
    change.commit().await.unwrap();
    assert_eq!(reading.await.unwrap().unwrap().updated, 2);
}

/// A job's notifications lock the counts of their users in one order; the web app need not.
#[tokio::test]
async fn web_app_changing_two_users_in_reverse_order_is_not_the_deadlock_victim() {
    let database = LedgerDatabase::fresh().await;
    let mut users = [new_user(), new_user()];
    users.sort();
    for user in users {
        let row = format!(
            "insert into public.notifications (user_id, type, title, message) values ('{user}', 'general', 'T', 'M')"
        );
        database.execute(&row).await;
    }
    let web_app = database.connect_as_owner();
    let change = web_app.transaction().await.unwrap();
    let update =
        |user| format!("update public.notifications set is_read = true where user_id = '{user}'");
    change.execute(&update(users[1]), &[]).await.unwrap();
    let functions = Notifications::new(database.connect());
    let entries = users.map(|user| Entry {
        kind: "general",
        recipient: Recipient::User(user),
        title: "T".to_owned(),
        message: "M".to_owned(),
        metadata: serde_json::Map::new(),
        action_url: None,
    });
    let (notifications, written) = (functions.clone(), entries.clone());
    let writing = tokio::spawn(async move { notifications.write("job-1", 0, &written).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    change
        .execute(&update(users[0]), &[])
        .await
        .expect("the web app waits and continues");
    change.commit().await.unwrap();
    let results = match writing.await.unwrap() {
        Err(Error::Postgres(error)) if error.is_transient() => {
            functions.write("job-1", 0, &entries).await
        }
        results => results,
    };
    assert_eq!(results.unwrap().len(), 2);
    let rows = "select to_jsonb(count(*)) as value from public.notifications";
    assert_eq!(database.read(rows).await, json!(4));
}
