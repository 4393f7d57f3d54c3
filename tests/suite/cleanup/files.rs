//! Temporary files: rows and objects are deleted together despite crashes, and only rows to delete are read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use local::process::port::{free, loopback};
use serde_json::json;
use shared::protocol::object_storage::{Bucket, Error};

use super::{bucket, count};
use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;
use crate::support::memory::peak;
use crate::support::proxy::{Proxy, carries};
use crate::support::waiting::eventually;

const CLEANUP: &str = "cleanup-expired";

/// Writes the objects `tmp/1` and so on.
async fn objects(documents: &Bucket, count: usize) {
    for number in 1..=count {
        let body = Bytes::from(format!("file {number}"));
        let key = format!("tmp/{number}");
        documents.put(&key, "text/plain", body).await.unwrap();
    }
}

/// Returns which of them exist.
async fn left(documents: &Bucket, count: usize) -> BTreeSet<usize> {
    let mut left = BTreeSet::new();
    for number in 1..=count {
        match documents.head(&format!("tmp/{number}")).await {
            Ok(_) => {
                left.insert(number);
            }
            Err(Error::Missing) => {}
            Err(error) => panic!("tmp/{number}: {error:?}"),
        }
    }
    left
}

/// Writes rows of this number of files, four days old.
async fn rows(database: &LedgerDatabase, count: usize) {
    let insert = format!(
        "insert into public.temp_files (object_key, created_at) \
         select 'tmp/' || n, now() - interval '4 days' from generate_series(1, {count}) as n"
    );
    database.execute(&insert).await;
}

#[tokio::test]
async fn objects_are_removed_with_their_rows_and_young_or_unlisted_ones_are_kept() {
    let cloud = TestCloud::start().await;
    let (database, documents) = (
        LedgerDatabase::of(&cloud),
        bucket(&cloud, "DOCUMENTS_BUCKET"),
    );
    rows(&database, 3).await;
    database
        .execute(
            "insert into public.temp_files (object_key, created_at) values \
              (null, now() - interval '4 days'), ('tmp/4', now() - interval '2 days')",
        )
        .await;
    objects(&documents, 5).await;
    let dry = cloud.deliver(CLEANUP, &json!({ "dryRun": true })).await;
    assert_eq!(
        dry.body["result"]["tasks"]["tempFiles"]["wouldRemove"], 4,
        "{dry:?}"
    );
    assert_eq!(left(&documents, 5).await.len(), 5);
    let done = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
    assert_eq!(
        done.body["result"]["tasks"]["tempFiles"]["removed"], 4,
        "{done:?}"
    );
    assert_eq!(count(&database, "public.temp_files").await, 1);
    assert_eq!(left(&documents, 5).await, BTreeSet::from([4, 5]));
}

#[tokio::test]
async fn kill_during_file_cleanup_loses_no_file_and_counts_each_once() {
    const FILES: usize = 250;
    let port = free().unwrap();
    let store = Proxy::start(loopback(port)).await;
    let url = format!("http://{}", store.address);
    let cloud = TestCloud::start_with(|settings| {
        settings.ports.objects = port;
        settings
            .overrides
            .insert("DOCUMENTS_ENDPOINT".to_owned(), url);
    })
    .await;
    let (database, documents) = (
        LedgerDatabase::of(&cloud),
        bucket(&cloud, "DOCUMENTS_BUCKET"),
    );
    rows(&database, FILES).await;
    objects(&documents, FILES).await;
    // The killed deletions: before the end of the first page, right at its end, and within the last one.
    let points = [37, 140, 290];
    let (seen, switch) = (Arc::new(AtomicUsize::new(0)), cloud.gateway().kill_switch());
    let counted = Arc::clone(&seen);
    store.guard(move |bytes| {
        if !carries(bytes, "DELETE /documents/") {
            return true;
        }
        let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
        if points.contains(&number) {
            let _ = switch.kill(CLEANUP);
        }
        !points.contains(&number)
    });
    let mut deliveries = 0;
    let done = loop {
        deliveries += 1;
        let answer = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
        if answer.status == 200 {
            break answer;
        }
        assert!(deliveries <= points.len(), "{answer:?}");
        // The killed instance's lease is ended by hand, as if the time had passed.
        let mut redis = cloud.redis_connection().await;
        let () = redis::cmd("HSET")
            .arg(&["job:run-1", "leaseUntil", "1"])
            .query_async(&mut redis)
            .await
            .unwrap();
    };
    assert_eq!(deliveries, points.len() + 1, "each kill was met");
    assert_eq!(
        done.body["result"]["tasks"]["tempFiles"]["removed"], FILES,
        "{done:?}"
    );
    assert_eq!(count(&database, "public.temp_files").await, 0);
    assert_eq!(left(&documents, FILES).await, BTreeSet::new());
}

#[tokio::test]
async fn cleanup_of_three_thousand_files_reads_only_rows_it_removes_in_flat_memory() {
    const FILES: u32 = 3_000;
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    rows(&database, 100).await;
    database
        .execute("insert into public.temp_files (object_key, created_at) \
              select 'young/' || n, now() from generate_series(1, 5000) as n; analyze public.temp_files")
        .await;
    let first = cloud.deliver_as("run-0", CLEANUP, &json!({})).await;
    assert_eq!(first.status, 200, "{first:?}");
    let before = peak(&cloud, CLEANUP);
    rows(&database, FILES as usize).await;
    let (scans, read) = reads(&database).await;
    let calls = cloud.objects().requests();
    let done = cloud.deliver_as("run-1", CLEANUP, &json!({})).await;
    assert_eq!(
        done.body["result"]["tasks"]["tempFiles"]["removed"], FILES,
        "{done:?}"
    );
    assert_eq!(cloud.objects().requests() - calls, u64::from(FILES));
    let grown = peak(&cloud, CLEANUP) - before;
    assert!(grown < 4096, "clean-up grew by {grown} KB");
    // A backend reports its statement statistics after it has been idle for a while.
    let mut after = (0, 0);
    eventually("the reads are reported", async || {
        after = reads(&database).await;
        after.1 >= read + i64::from(FILES)
    })
    .await;
    assert_eq!(after.0, scans, "the table is never read as a whole");
    let each = 3 * i64::from(FILES) + 500;
    assert!(
        after.1 - read <= each,
        "{} rows read for {FILES} files",
        after.1 - read
    );
}

/// Returns the number of full scans of the table of files, and of rows read through an index.
async fn reads(database: &LedgerDatabase) -> (i64, i64) {
    let statistics = database
        .read(
            "select jsonb_build_array(seq_scan, idx_tup_fetch) as value from pg_stat_user_tables \
             where relid = 'public.temp_files'::regclass",
        )
        .await;
    let number = |place: usize| statistics[place].as_i64().unwrap_or_default();
    (number(0), number(1))
}
