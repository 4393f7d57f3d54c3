//! The status of a batch's jobs.

use http::Method;
use serde_json::json;

use super::acting;
use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};
use crate::support::payloads::bulk;

#[tokio::test]
async fn batch_reports_its_jobs_by_status_and_only_to_permitted_callers() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    let request = cloud
        .request(Method::POST, "/api/queue/emails/bulk")
        .header("x-user-id", "ann")
        .header("x-user-domain", "acme.example");
    let taken = answer(with_json(request, &bulk(201))).await.body;
    let path = format!("/api/queue/batches/{}", taken["batchId"].as_str().unwrap());
    let waiting = cloud.get(&path).await;
    assert_eq!(waiting.status, 200, "{waiting:?}");
    assert_eq!(
        (
            &waiting.body["jobs"],
            &waiting.body["statuses"],
            &waiting.body["finished"]
        ),
        (&json!(3), &json!({ "queued": 3 }), &json!(false))
    );
    let first = format!("/api/queue/jobs/{}", taken["jobIds"][0].as_str().unwrap());
    assert_eq!(
        answer(cloud.request(Method::DELETE, &first)).await.status,
        200
    );
    cloud.qstash().hold(false);
    for place in [1, 2] {
        cloud
            .wait_for(taken["jobIds"][place].as_str().unwrap(), "completed")
            .await;
    }
    let over = cloud.get(&path).await.body;
    assert_eq!(
        (&over["statuses"], &over["finished"]),
        (&json!({ "cancelled": 1, "completed": 2 }), &json!(true)),
        "{over:#}"
    );
    for (who, status) in [
        (("ann", "user", "acme.example"), 200),
        (("bea", "user", "acme.example"), 404),
        (("bea", "domain_admin", "acme.example"), 200),
        (("cem", "domain_admin", "other.example"), 404),
    ] {
        let answer = acting(&cloud, who, Method::GET, &path, None).await;
        assert_eq!(answer.status.as_u16(), status, "{who:?}");
    }
    let unknown = cloud.get("/api/queue/batches/nothing").await;
    unknown.assert_problem(404, "batch_not_found", "no such batch");
}
