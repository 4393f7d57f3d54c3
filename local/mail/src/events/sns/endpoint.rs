//! The HTTP endpoint of the topic's host: it serves the certificate and the links in messages.
//!
//! <https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html>.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use uuid::Uuid;

use super::TOPIC_ARN;
use super::key::TOPIC;
use super::signer::{certificate_path, subscription_arn};
use crate::events::Events;

const XML: [(http::HeaderName, &str); 1] = [(CONTENT_TYPE, "text/xml")];
const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// Returns the routes of the topic's host.
pub(crate) fn router(events: Events) -> Router {
    let pem = [(CONTENT_TYPE, "application/x-pem-file")];
    Router::new()
        .route(
            &certificate_path(),
            get(async move || (pem, TOPIC.certificate)),
        )
        .route("/", get(act))
        .with_state(events)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ActionQuery {
    action: String,
    topic_arn: String,
    token: String,
    subscription_arn: String,
}

async fn act(State(events): State<Events>, Query(query): Query<ActionQuery>) -> Response {
    match query.action.as_str() {
        "ConfirmSubscription" => {
            let confirmed = events.confirm(&query.topic_arn, &query.token);
            if query.topic_arn != TOPIC_ARN {
                return refusal(StatusCode::NOT_FOUND, "NotFound", "Topic does not exist");
            }
            if !confirmed {
                return refusal(StatusCode::BAD_REQUEST, "InvalidParameter", "Invalid token");
            }
            let arn = subscription_arn();
            answer(
                "ConfirmSubscription",
                &format!(
                    "<ConfirmSubscriptionResult><SubscriptionArn>{arn}</SubscriptionArn></ConfirmSubscriptionResult>"
                ),
            )
        }
        "Unsubscribe" if query.subscription_arn == subscription_arn() => {
            events.deactivate();
            answer("Unsubscribe", "")
        }
        _ => refusal(
            StatusCode::BAD_REQUEST,
            "InvalidAction",
            "Nothing else can be done here",
        ),
    }
}

fn answer(action: &str, result: &str) -> Response {
    let id = Uuid::new_v4();
    let text = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\">{result}\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{action}Response>"
    );
    (XML, text).into_response()
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let id = Uuid::new_v4();
    let text = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
    );
    (status, XML, text).into_response()
}
