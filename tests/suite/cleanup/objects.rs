//! Objects: the client with an independent store, and temporary files through clean-up.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use shared::base::secret::Secret;
use shared::protocol::object_storage::{Bucket, Error};
use url::Url;

use super::count;
use crate::support::TestCloud;
use crate::support::cloud::TIMEOUT;
use crate::support::ledger::LedgerDatabase;
use crate::support::moto::Moto;

async fn make_bucket(moto: &Moto, name: &str) {
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    let made = http
        .put(format!("{}/{name}", moto.url()))
        .send()
        .await
        .unwrap();
    assert!(made.status().is_success(), "{made:?}");
}

fn bucket(moto: &Moto, name: &str) -> Bucket {
    let endpoint: Url = moto.url().parse().unwrap();
    Bucket::at(
        &endpoint,
        name,
        "AKIDEXAMPLE",
        Secret::new("secret".to_owned()),
    )
    .unwrap()
}

#[tokio::test]
async fn object_is_written_read_presigned_and_removed() {
    let moto = Moto::start().await;
    make_bucket(&moto, "documents").await;
    let documents = bucket(&moto, "documents");
    for key in [
        "plain.pdf",
        "a folder/Vertrag +1 ü&?#%.pdf",
        "~tilde/...dots",
    ] {
        let body = Bytes::from(format!("the content of {key}"));
        assert!(
            matches!(documents.get(key).await, Err(Error::Missing)),
            "{key}"
        );
        documents
            .put(key, "application/pdf", body.clone())
            .await
            .unwrap();
        assert_eq!(documents.get(key).await.unwrap(), body, "{key}");
        assert_eq!(
            documents.head(key).await.unwrap().size,
            body.len() as u64,
            "{key}"
        );
        let link = documents
            .presigned_get(key, Duration::from_mins(5))
            .unwrap();
        let http = shared::protocol::http::client(TIMEOUT).unwrap();
        let read = http.get(link).send().await.unwrap();
        assert_eq!(read.status(), 200, "{key}");
        assert_eq!(read.bytes().await.unwrap(), body, "{key}");
        for _ in 0..2 {
            documents.delete(key).await.unwrap();
        }
        assert!(
            matches!(documents.head(key).await, Err(Error::Missing)),
            "{key}"
        );
    }
    let nowhere = bucket(&moto, "nowhere").get("a").await.unwrap_err();
    assert!(
        matches!(&nowhere, Error::Refused { code, .. } if code == "NoSuchBucket"),
        "{nowhere:?}"
    );
    let outside = documents
        .delete("../signed/contract.pdf")
        .await
        .unwrap_err();
    assert!(
        matches!(&outside, Error::Refused { code, .. } if code == "InvalidKey"),
        "{outside:?}"
    );
    let away: Url = "http://127.0.0.1:9".parse().unwrap();
    let away = Bucket::at(&away, "documents", "a", Secret::new("b".to_owned())).unwrap();
    assert!(matches!(away.get("a").await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn row_is_kept_until_its_object_is_removed_and_a_failed_task_stops_no_other() {
    let moto = Moto::start().await;
    let endpoint = moto.url().to_owned();
    let cloud = TestCloud::start_with(|settings| {
        settings
            .overrides
            .insert("DOCUMENTS_ENDPOINT".to_owned(), endpoint);
    })
    .await;
    let database = LedgerDatabase::of(&cloud);
    database
        .execute("insert into public.temp_files (object_key, created_at) \
              select 'tmp/' || n, now() - interval '4 days' from generate_series(1, 5) as n; \
              insert into public.password_reset_tokens (expires_at) values (now() - interval '1 day')")
        .await;
    // The bucket does not exist yet.
    let first = cloud
        .deliver_as("run-1", "cleanup-expired", &json!({}))
        .await;
    assert_eq!(first.status, 503, "{first:?}");
    assert!(first.headers.contains_key("retry-after"));
    let job = cloud.job("run-1").await;
    assert!(
        job["error"].as_str().unwrap().contains("tempFiles"),
        "{job:#}"
    );
    assert_eq!(count(&database, "public.temp_files").await, 5);
    assert_eq!(count(&database, "public.password_reset_tokens").await, 0);

    make_bucket(&moto, "documents").await;
    let documents = bucket(&moto, "documents");
    for n in 1..=6 {
        documents
            .put(&format!("tmp/{n}"), "text/plain", Bytes::from_static(b"x"))
            .await
            .unwrap();
    }
    let second = cloud
        .deliver_as("run-1", "cleanup-expired", &json!({}))
        .await;
    assert_eq!(second.status, 200, "{second:?}");
    let tasks = &second.body["result"]["tasks"];
    assert_eq!(tasks["tempFiles"]["removed"], 5, "{tasks:#}");
    assert_eq!(
        tasks["expiredTokens"]["removed"], 1,
        "of the first delivery: {tasks:#}"
    );
    assert_eq!(count(&database, "public.temp_files").await, 0);
    for n in 1..=5 {
        let gone = documents.head(&format!("tmp/{n}")).await;
        assert!(matches!(gone, Err(Error::Missing)), "tmp/{n}");
    }
    assert!(
        documents.head("tmp/6").await.is_ok(),
        "this one was not requested"
    );
}
