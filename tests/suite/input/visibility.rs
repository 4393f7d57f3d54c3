//! The visibility of jobs: a user sees own jobs, a domain administrator those of the domain, an administrator and the
//! service all.

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::payloads::signature_request;

/// The user, the role and the domain of a caller.
#[derive(Clone, Copy, Debug)]
struct Caller(&'static str, &'static str, &'static str);

const ANN: Caller = Caller("ann", "user", "acme.example");
const BOB: Caller = Caller("bob", "user", "acme.example");
const CAT: Caller = Caller("cat", "user", "other.example");
const ACME: Caller = Caller("dan", "domain_admin", "acme.example");
const OTHER: Caller = Caller("eve", "domain_admin", "other.example");
const ADMIN: Caller = Caller("fay", "admin", "other.example");

impl Caller {
    fn request(self, cloud: &TestCloud, method: Method, path: &str) -> RequestBuilder {
        let Self(user, role, domain) = self;
        cloud
            .request(method, path)
            .header("x-user-id", user)
            .header("x-user-role", role)
            .header("x-user-domain", domain)
    }

    async fn call(self, cloud: &TestCloud, method: Method, path: &str) -> Answer {
        answer(self.request(cloud, method, path)).await
    }

    /// Enqueues a mail for tomorrow.
    async fn enqueue(self, cloud: &TestCloud) -> String {
        let mut payload = signature_request("ann@example.com");
        payload["delaySeconds"] = json!(86_400);
        let request = self.request(cloud, Method::POST, "/api/queue/emails");
        let taken = answer(with_json(request, &payload)).await;
        assert_eq!(taken.status, 202, "{taken:?}");
        taken.body["jobId"].as_str().unwrap().to_owned()
    }

    async fn listed(self, cloud: &TestCloud) -> Vec<String> {
        ids(&self
            .call(cloud, Method::GET, "/api/queue/jobs?limit=100")
            .await
            .body)
    }
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    let mut ids: Vec<String> = items
        .map(|job| job["jobId"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

/// Starts a cloud with a job of each of the three users and one of the service.
async fn cloud_with_jobs() -> (TestCloud, [String; 4]) {
    let cloud = TestCloud::start_with(|settings| settings.qstash_speed = 1.0).await;
    let ids = [
        ANN.enqueue(&cloud).await,
        BOB.enqueue(&cloud).await,
        CAT.enqueue(&cloud).await,
        cloud
            .enqueue(&{
                let mut payload = signature_request("ann@example.com");
                payload["delaySeconds"] = json!(86_400);
                payload
            })
            .await,
    ];
    (cloud, ids)
}

#[tokio::test]
async fn caller_sees_and_lists_only_jobs_of_the_role() {
    let (cloud, ids) = cloud_with_jobs().await;
    let table: [(Caller, [bool; 4]); 8] = [
        (ANN, [true, false, false, false]),
        (BOB, [false, true, false, false]),
        (CAT, [false, false, true, false]),
        (ACME, [true, true, false, false]),
        (OTHER, [false, false, true, false]),
        (ADMIN, [true; 4]),
        (
            Caller("ann", "owner", "acme.example"),
            [true, false, false, false],
        ),
        (Caller("-", "domain_admin", "none.example"), [false; 4]),
    ];
    for (caller, sees) in table {
        let mut expected = Vec::new();
        for (id, seen) in ids.iter().zip(sees) {
            let shown = caller
                .call(&cloud, Method::GET, &format!("/api/queue/jobs/{id}"))
                .await;
            if seen {
                assert_eq!(shown.status, 200, "{caller:?}: {shown:?}");
                assert_eq!(shown.body["jobId"], **id);
                expected.push(id.clone());
            } else {
                shown.assert_problem(404, "job_not_found", &format!("{caller:?}"));
            }
        }
        expected.sort();
        assert_eq!(caller.listed(&cloud).await, expected, "{caller:?}");
    }
    let mut all = ids.to_vec();
    all.sort();
    let service = cloud.get("/api/queue/jobs?limit=100").await;
    assert_eq!(self::ids(&service.body), all, "the service sees all");
}

#[tokio::test]
async fn invisible_job_can_be_neither_cancelled_nor_retried() {
    let (cloud, ids) = cloud_with_jobs().await;
    let before = cloud.job(&ids[0]).await;
    let (cancel, retry) = (
        format!("/api/queue/jobs/{}", ids[0]),
        format!("/api/queue/jobs/{}/retry", ids[0]),
    );
    for caller in [BOB, CAT, OTHER] {
        let why = format!("{caller:?}");
        let refused = caller.call(&cloud, Method::DELETE, &cancel).await;
        refused.assert_problem(404, "job_not_found", &why);
        let refused = caller.call(&cloud, Method::POST, &retry).await;
        refused.assert_problem(404, "job_not_found", &why);
    }
    assert_eq!(cloud.job(&ids[0]).await, before, "the job is as it was");

    let cancelled = ACME.call(&cloud, Method::DELETE, &cancel).await;
    assert_eq!(
        cancelled.body["status"], "cancelled",
        "the domain's administrator may: {cancelled:?}"
    );
    let retried = ANN.call(&cloud, Method::POST, &retry).await;
    assert_eq!(retried.status, 202, "its own user may: {retried:?}");
}

#[tokio::test]
async fn message_id_does_not_reveal_another_users_job() {
    let (cloud, ids) = cloud_with_jobs().await;
    let mut body = signature_request("ann@example.com");
    body["jobId"] = json!(ids[0]);
    let delivered = cloud.deliver_as("msg-of-ann", "send-email", &body).await;
    assert_eq!(delivered.status, 200);
    let path = "/api/queue/jobs/msg-of-ann";
    let shown = ANN.call(&cloud, Method::GET, path).await;
    assert_eq!(shown.body["jobId"], *ids[0], "{shown:?}");
    for caller in [BOB, CAT, OTHER] {
        for method in [Method::GET, Method::DELETE] {
            let refused = caller.call(&cloud, method, path).await;
            refused.assert_problem(404, "job_not_found", &format!("{caller:?}"));
        }
    }
}

#[tokio::test]
async fn page_and_cursor_never_reveal_another_users_job() {
    let (cloud, ids) = cloud_with_jobs().await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..10 {
        let path = format!("/api/queue/jobs?limit=1{cursor}");
        let page = ANN.call(&cloud, Method::GET, &path).await.body;
        seen.extend(self::ids(&page));
        let Some(next) = page["cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, [ids[0].clone()]);
    // A cursor from a caller with more rights is only a position in time.
    let page = cloud.get("/api/queue/jobs?limit=1").await.body;
    let path = format!(
        "/api/queue/jobs?cursor={}",
        page["cursor"].as_str().unwrap()
    );
    assert_eq!(
        self::ids(&ANN.call(&cloud, Method::GET, &path).await.body),
        [ids[0].clone()]
    );
}
