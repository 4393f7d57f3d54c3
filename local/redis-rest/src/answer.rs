//! HTTP responses from replies, in Upstash's form.

use std::io;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::format::Format;
use crate::malformed::Malformed;
use crate::outcome::Outcome;
use crate::redis::Reply;

/// A response's body: complete, or a stream of events.
pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;
pub(crate) type Answer = Response<AnswerBody>;

/// Returns the response to one command: 400 if it failed.
pub(crate) fn of_command(reply: &Reply, format: Format) -> Answer {
    let status = if matches!(reply, Reply::Error(_)) {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    match format {
        Format::Resp2 => resp2(status, std::slice::from_ref(reply)),
        _ => json(status, &Outcome { reply, format }),
    }
}

/// Returns the response to several commands: always 200, with the failures among the results.
pub(crate) fn of_batch(replies: &[Reply], format: Format) -> Answer {
    match format {
        Format::Resp2 => resp2(StatusCode::OK, replies),
        _ => json(
            StatusCode::OK,
            &replies
                .iter()
                .map(|reply| Outcome { reply, format })
                .collect::<Vec<_>>(),
        ),
    }
}

/// Returns the response to a rejected request.
pub(crate) fn of_malformed(malformed: &Malformed) -> Answer {
    let mut answer = of_failure(malformed.status(), &malformed.to_string());
    if matches!(malformed, Malformed::Method) {
        answer
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("HEAD, GET, POST, PUT"));
    }
    answer
}

/// Returns an error with its own status.
pub(crate) fn of_failure(status: StatusCode, text: &str) -> Answer {
    json(
        status,
        &Outcome {
            reply: &Reply::error(text),
            format: Format::Text,
        },
    )
}

/// Returns a JSON string, for `GET /`.
pub(crate) fn of_welcome() -> Answer {
    json(StatusCode::OK, &"Redis over REST")
}

/// Returns server-sent events; each piece is one or more complete events.
pub(crate) fn of_events(
    events: impl futures_util::Stream<Item = Bytes> + Send + 'static,
) -> Answer {
    let body = StreamBody::new(events.map(|event| Ok(Frame::data(event)))).boxed_unsync();
    let mut answer = with_type(StatusCode::OK, "text/event-stream", body);
    answer
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

/// Returns the same response, cut off in the middle of its first piece.
pub(crate) fn cut(answer: Answer) -> Answer {
    let (mut parts, mut body) = answer.into_parts();
    let length = hyper::body::Body::size_hint(&body).exact();
    parts
        .headers
        .extend(length.map(|length| (hyper::header::CONTENT_LENGTH, HeaderValue::from(length))));
    let pieces = futures_util::stream::once(async move {
        let whole = body
            .frame()
            .await
            .and_then(Result::ok)
            .and_then(|frame| frame.into_data().ok())
            .unwrap_or_default();
        Ok(Frame::data(whole.slice(..whole.len() / 2)))
    });
    // One turn of the event loop in between flushes the first half.
    let end = futures_util::stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    Response::from_parts(parts, StreamBody::new(pieces.chain(end)).boxed_unsync())
}

fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => with_type(status, "application/json", full(body)),
        Err(error) => with_type(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            full(error.to_string().into_bytes()),
        ),
    }
}

/// Returns the replies in sequence, as over TCP.
fn resp2(status: StatusCode, replies: &[Reply]) -> Answer {
    let mut body = Vec::new();
    for reply in replies {
        reply.write(&mut body);
    }
    with_type(status, "application/octet-stream", full(body))
}

fn full(body: Vec<u8>) -> AnswerBody {
    Full::new(Bytes::from(body))
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn with_type(status: StatusCode, content_type: &'static str, body: AnswerBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
