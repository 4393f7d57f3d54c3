//! Registers the schedules when the cloud starts, as `scripts/deploy` does after a deployment.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud::Cloud;

/// The timeout of the API call, which includes starting an instance.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Registers every schedule whose function is built, under its fixed id. Returns the result as one line. A failure does
/// not stop the cloud, which is useful without schedules.
pub(super) async fn register(cloud: &Cloud) -> String {
    match put(cloud).await {
        Ok(count) => format!("{count} schedules are registered."),
        Err(reason) => format!("The schedules are not registered: {reason}."),
    }
}

async fn put(cloud: &Cloud) -> Result<usize, String> {
    let http = shared::protocol::http::client(TIMEOUT).map_err(|error| error.to_string())?;
    let token = cloud.environment().get("API_TOKEN");
    let answer = http
        .put(format!("{}/api/queue/schedules", cloud.functions_url()))
        .bearer_auth(token.map_or("", String::as_str))
        .header("content-type", "application/json")
        .body(json!({}).to_string())
        .send()
        .await
        .map_err(|_| "queue-jobs does not answer".to_owned())?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("queue-jobs answers {status}"));
    }
    let body = answer.bytes().await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(registered(&body))
}

fn registered(body: &Value) -> usize {
    let items = body["items"].as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter(|item| item["registered"] == true)
        .count()
}
