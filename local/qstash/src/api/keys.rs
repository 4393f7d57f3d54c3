//! `/v2/keys`: the signing keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::broker::Broker;
use crate::keys::Keys;

use super::refusal::Refusal;

/// Gets both keys.
pub(super) async fn get(State(broker): State<Arc<Broker>>) -> Json<Keys> {
    Json(broker.keys())
}

/// Makes the next key the current one, and creates a new next key.
pub(super) async fn rotate(State(broker): State<Arc<Broker>>) -> Result<Json<Keys>, Refusal> {
    Ok(Json(broker.rotate_keys().await?))
}
