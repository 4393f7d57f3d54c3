//! `GET /api/openapi.json`: the OpenAPI document of all routes.
//!
//! Needs no authentication. Uses no store: the document is part of the binary.

use openapi::router;
use shared::edge::{Fatal, api, telemetry};
use shared::protocol::upstash::Usage;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    telemetry::init()?;
    api::serve("openapi", router(), Usage::default()).await
}
