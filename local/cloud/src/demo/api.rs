//! A client of the functions' API, equal to the web app's server side.

use std::time::Duration;

use reqwest::{RequestBuilder, header};
use serde_json::Value;

use super::Error;
use crate::cloud::Cloud;

/// The timeout of one call.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A caller with the service token.
pub(super) struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    pub(super) fn new(cloud: &Cloud) -> Result<Self, Error> {
        Ok(Self {
            http: shared::protocol::http::client(TIMEOUT)?,
            base: cloud.functions_url().to_owned(),
            token: cloud
                .environment()
                .get("API_TOKEN")
                .cloned()
                .unwrap_or_default(),
        })
    }

    /// Enqueues jobs and returns their ids.
    pub(super) async fn enqueue(&self, route: &str, body: &Value) -> Result<Vec<String>, Error> {
        let request = self
            .http
            .post(format!("{}{route}", self.base))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let taken = self.call(route, request).await?;
        let ids = taken["jobIds"].as_array().cloned();
        let ids = ids.unwrap_or_else(|| vec![taken["jobId"].clone()]);
        Ok(ids
            .iter()
            .filter_map(|id| id.as_str().map(ToOwned::to_owned))
            .collect())
    }

    /// Returns the current state of a job.
    pub(super) async fn job(&self, id: &str) -> Result<Value, Error> {
        let route = format!("/api/queue/jobs/{id}");
        let request = self.http.get(format!("{}{route}", self.base));
        self.call(&route, request).await
    }

    async fn call(&self, route: &str, request: RequestBuilder) -> Result<Value, Error> {
        let response = request.bearer_auth(&self.token).send().await?;
        let status = response.status();
        let text = response.text().await?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        Err(Error::Refused {
            route: route.to_owned(),
            status: status.as_u16(),
            detail: body["detail"].as_str().unwrap_or(&text).to_owned(),
        })
    }
}
