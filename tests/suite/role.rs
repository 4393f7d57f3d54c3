//! The functions' role: temporary credentials, whose session token every AWS call must carry, signed.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use shared::base::secret::Secret;
use shared::protocol::object_storage::{Bucket, Error};
use url::Url;

use crate::support::TestCloud;
use crate::support::cloud::TIMEOUT;
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::signature_request;
use crate::support::waiting::eventually;

const TO: &str = "ann@example.com";

/// Starts a cloud with some other variables.
async fn cloud_with(overrides: &[(&str, &str)]) -> TestCloud {
    TestCloud::start_with(|settings| {
        let overrides = overrides.iter();
        let owned = overrides.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        settings.overrides.extend(owned);
    })
    .await
}

fn secret(cloud: &TestCloud, variable: &str) -> Secret {
    Secret::new(cloud.variable(variable).to_owned())
}

/// Returns the store's bucket by its endpoint, with permanent keys.
fn documents(cloud: &TestCloud) -> Bucket {
    let endpoint: Url = cloud.objects().url().parse().unwrap();
    let key_id = cloud.variable("DOCUMENTS_ACCESS_KEY");
    let key = secret(cloud, "DOCUMENTS_SECRET_KEY");
    Bucket::at(&endpoint, "documents", key_id, key).unwrap()
}

/// Runs the clean-up of one temporary file with the role's own credentials.
async fn remove_as_role(cloud: &TestCloud) -> StatusCode {
    LedgerDatabase::of(cloud)
        .execute(
            "insert into public.temp_files (object_key, created_at) \
             values ('tmp/1', now() - interval '4 days')",
        )
        .await;
    let run = cloud
        .deliver_as("run-1", "cleanup-expired", &json!({}))
        .await;
    run.status
}

#[tokio::test]
async fn role_sends_mails_and_removes_objects_with_its_session_token() {
    let cloud = cloud_with(&[("DOCUMENTS_ACCESS_KEY", "")]).await;
    assert!(cloud.variable("AWS_ACCESS_KEY_ID").starts_with("ASIA"));
    let id = cloud.enqueue(&signature_request(TO)).await;
    cloud.wait_for(&id, "completed").await;

    assert_eq!(remove_as_role(&cloud).await, 200);
    let objects = cloud.objects().requests();
    assert!(objects > 0, "the store was asked");
    let rows = LedgerDatabase::of(&cloud);
    let left = rows.read("select to_jsonb(count(*)) as value from public.temp_files");
    assert_eq!(left.await, 0);
}

#[tokio::test]
async fn role_without_its_session_token_is_refused() {
    let cloud = cloud_with(&[("DOCUMENTS_ACCESS_KEY", ""), ("AWS_SESSION_TOKEN", "")]).await;
    let id = cloud.enqueue(&signature_request(TO)).await;
    let job = cloud.wait_for(&id, "failed").await;
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("InvalidClientTokenId"), "{job:#}");
    assert!(cloud.mails().is_empty());

    assert_eq!(remove_as_role(&cloud).await, 503);
    eventually("the log says why", async || {
        cloud.logs().contains("InvalidAccessKeyId")
    })
    .await;
}

#[tokio::test]
async fn object_is_the_same_by_path_and_by_virtual_host() {
    let cloud = TestCloud::start().await;
    let body = Bytes::from_static(b"the lease");
    let key = "a folder/Vertrag +1.pdf";
    let by_path = documents(&cloud);
    by_path
        .put(key, "application/pdf", body.clone())
        .await
        .unwrap();

    let link = |region: &str, token: &str| {
        let key_id = cloud.variable("AWS_ACCESS_KEY_ID");
        let secret_key = secret(&cloud, "AWS_SECRET_ACCESS_KEY");
        let token = Secret::new(token.to_owned());
        let bucket = Bucket::at_aws("documents", region, key_id, secret_key, token).unwrap();
        bucket.presigned_get(key, Duration::from_mins(5)).unwrap()
    };
    // The link is for AWS; only the connection goes to this machine.
    let fetch = async |link: Url| {
        let path = &link[url::Position::BeforePath..];
        let http = shared::protocol::http::client(TIMEOUT).unwrap();
        let request = http.get(format!("{}{path}", cloud.objects().url()));
        let host = link.host_str().unwrap().to_owned();
        let answer = request.header("host", host).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    };
    let token = cloud.variable("AWS_SESSION_TOKEN");
    assert_eq!(fetch(link("us-east-1", token)).await, (200, body));

    for (link, status, code) in [
        (
            link("eu-west-1", token),
            400,
            "AuthorizationHeaderMalformed",
        ),
        (link("us-east-1", "another"), 400, "InvalidToken"),
    ] {
        let (refused, text) = fetch(link).await;
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(refused, status, "{text}");
        assert!(text.contains(code), "{text}");
    }
    by_path.delete(key).await.unwrap();
    assert!(matches!(by_path.head(key).await, Err(Error::Missing)));
}
