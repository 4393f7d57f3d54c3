//! Forged, altered, misdirected and repeated deliveries, through the real binaries: a delivery that QStash did not sign
//! for a function has no effect.

mod envelope;
mod forged;
mod forgery;
mod keys;
mod mutations;
mod replays;

use http::Method;
use serde_json::{Value, json};
use shared::protocol::postgres::{Postgres, column};
use shared::protocol::upstash::Command;

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer};
use crate::support::payloads::signature_request;

/// A function that QStash calls, and a body that leaves traces if it is accepted.
struct Target {
    handler: &'static str,
    body: Vec<u8>,
}

impl Target {
    fn all() -> [Self; 2] {
        [
            Self::send_email("job-forged"),
            Self::job_failed("job-forged"),
        ]
    }

    fn send_email(job_id: &str) -> Self {
        let mut body = signature_request("forged@example.com");
        body["jobId"] = json!(job_id);
        Self {
            handler: "send-email",
            body: body.to_string().into_bytes(),
        }
    }

    /// Returns QStash's failure callback for a job's message.
    fn job_failed(job_id: &str) -> Self {
        let body = json!({
            "sourceMessageId": format!("msg-of-{job_id}"),
            "url": "https://functions.example.com/api/jobs/send-email",
            "sourceBody": base64(&json!({ "jobId": job_id })),
            "status": 500,
            "retried": 5,
        });
        Self {
            handler: "job-failed",
            body: body.to_string().into_bytes(),
        }
    }

    fn path(&self) -> String {
        format!("/api/jobs/{}", self.handler)
    }

    /// Delivers the body with each of `tokens` as a separate header.
    async fn deliver<T: AsRef<[u8]>>(&self, cloud: &TestCloud, tokens: &[T]) -> Answer {
        self.deliver_body(cloud, tokens, &self.body).await
    }

    async fn deliver_body<T: AsRef<[u8]>>(
        &self,
        cloud: &TestCloud,
        tokens: &[T],
        body: &[u8],
    ) -> Answer {
        let mut request = cloud
            .bare(Method::POST, &self.path())
            .header("content-type", "application/json")
            .header("upstash-message-id", "msg-forged")
            .body(body.to_vec());
        for token in tokens {
            request = request.header("upstash-signature", token.as_ref());
        }
        answer(request).await
    }

    /// Returns the token that QStash would sign for this delivery now.
    fn token(&self, cloud: &TestCloud) -> String {
        cloud.signer().sign(&cloud.url(&self.path()), &self.body)
    }
}

fn base64(value: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(value.to_string())
}

/// The traces of a delivery that ran.
#[derive(Debug, Default, PartialEq, Eq)]
struct Traces {
    redis_keys: i64,
    mails: usize,
    ledger_rows: i64,
}

impl Traces {
    async fn of(cloud: &TestCloud) -> Self {
        cloud.replica_follows().await;
        let owner = Postgres::at(cloud.migrations_database_url(), None).unwrap();
        let counted = owner.query("select count(*) from signtusk.email_ledger", &[]);
        Self {
            redis_keys: cloud
                .redis_client()
                .run(Command::new("DBSIZE"))
                .await
                .unwrap(),
            mails: cloud.mail().messages(None).len(),
            ledger_rows: column(&counted.await.unwrap()[0], "count").unwrap(),
        }
    }

    async fn assert_none(cloud: &TestCloud) {
        assert_eq!(
            Self::of(cloud).await,
            Self::default(),
            "nothing may have run"
        );
    }
}

/// Asserts that a delivery was rejected without a reason.
#[track_caller]
fn assert_refused(answer: &Answer, why: &str) {
    answer.assert_problem(401, "signature_invalid", why);
    let detail = "Invalid QStash signature.";
    assert_eq!(
        answer.body["detail"], detail,
        "{why}: the reason is for the log only"
    );
}
