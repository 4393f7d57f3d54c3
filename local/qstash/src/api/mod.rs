//! The REST API, one file per resource. Source: <https://upstash.com/docs/qstash/api>.

mod admission;
mod auth;
mod batch;
mod bulk;
mod bulk_actions;
mod burst;
mod dlq;
mod events;
mod flow_control;
mod keys;
mod messages;
mod publish;
mod queues;
mod refusal;
mod schedules;
mod url_groups;
mod view;
mod workflow;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::broker::Broker;
use crate::error::causes;
use burst::Burst;
use refusal::Refusal;

/// The largest request, which is a batch.
const MAX_BODY: usize = 100 * 1024 * 1024;

/// Serves the API until `stop` is set.
pub(crate) async fn serve(
    listener: TcpListener,
    broker: Arc<Broker>,
    mut stop: watch::Receiver<bool>,
) {
    let service = router(broker).into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async move {
        // An error means that the server was dropped, which also stops it.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await
    {
        tracing::error!(error = causes(&error), "API stopped by an error");
    }
}

fn router(broker: Arc<Broker>) -> Router {
    let burst = Arc::new(Burst::new(broker.limits.calls_a_second));
    Router::new()
        .route("/v2/publish/{*destination}", post(publish::publish))
        .route("/v2/enqueue/{queue}/{*destination}", post(publish::enqueue))
        .route("/v2/batch", post(batch::batch))
        .route("/v2/messages", axum::routing::delete(messages::cancel_many))
        .route(
            "/v2/messages/{id}",
            get(messages::get).delete(messages::cancel),
        )
        .route("/v2/messages/{id}/retry", post(messages::release))
        .route("/v2/bulkActions", get(bulk_actions::list))
        .route("/v2/bulkActions/{id}", get(bulk_actions::get))
        .route("/v2/queues", get(queues::list).post(queues::upsert))
        .route("/v2/queues/{name}", get(queues::get).delete(queues::delete))
        .route("/v2/queues/{name}/pause", post(queues::pause))
        .route("/v2/queues/{name}/resume", post(queues::resume))
        .route("/v2/schedules", get(schedules::list))
        .route(
            "/v2/schedules/{*rest}",
            get(schedules::get)
                .post(schedules::post)
                .patch(schedules::patch)
                .delete(schedules::delete),
        )
        .route("/v2/topics", get(url_groups::list))
        .route(
            "/v2/topics/{name}",
            get(url_groups::get)
                .delete(url_groups::delete)
                .patch(url_groups::patch),
        )
        .route(
            "/v2/topics/{name}/endpoints",
            post(url_groups::add).delete(url_groups::remove),
        )
        .route("/v2/dlq", get(dlq::list).delete(dlq::delete_many))
        .route("/v2/dlq/retry", post(dlq::retry_many))
        .route("/v2/dlq/retry/{id}", post(dlq::retry))
        .route("/v2/dlq/{id}", get(dlq::get).delete(dlq::delete))
        .route("/v2/events", get(events::events))
        .route("/v2/logs", get(events::logs))
        .route("/v2/keys", get(keys::get))
        .route("/v2/keys/rotate", post(keys::rotate))
        .route("/v2/flowControl", get(flow_control::list))
        .route("/v2/flowControl/{key}", get(flow_control::get))
        .route("/v2/flowControl/{key}/{action}", post(flow_control::act))
        .route("/v2/globalParallelism", get(flow_control::global))
        .route("/v2/trigger/{*rest}", any(workflow::refuse))
        .route("/v2/batch/trigger", any(workflow::refuse))
        .route("/v2/notify/{*rest}", any(workflow::refuse))
        .route("/v2/waiters/{*rest}", any(workflow::refuse))
        .route("/v2/workflows/{*rest}", any(workflow::refuse))
        .fallback(any(async || {
            Refusal::NotFound("no such endpoint".to_owned())
        }))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(burst, burst::limit))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&broker),
            auth::require_token,
        ))
        .with_state(broker)
}
