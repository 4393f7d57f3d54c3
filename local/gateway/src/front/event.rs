//! The event of payload format 2.0
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use http::header;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use url::{Url, form_urlencoded};

use super::refusal::Refusal;
use super::{headers, text};
use crate::clock;
use crate::router::Match;

const STAGE: &str = "$default";
const ACCOUNT: &str = "000000000000";
const API: &str = "local";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: &'a BTreeMap<String, String>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'static str,
    api_id: &'static str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: String,
    source_ip: String,
    user_agent: String,
}

/// Returns the event of a request, as JSON.
pub(super) fn build(
    parts: &Parts,
    body: &[u8],
    route: &Match<'_>,
    peer: SocketAddr,
    id: &str,
) -> Result<Vec<u8>, Refusal> {
    let host = host(parts)?;
    let path = path(parts);
    let query = parts.uri.query().unwrap_or_default();
    let content_type = headers::first(parts, &header::CONTENT_TYPE);
    let (body, is_base64_encoded) = text::body(&content_type, body);
    let event = Event {
        version: "2.0",
        route_key: route.key,
        raw_path: &path,
        raw_query_string: query,
        cookies: headers::cookies(parts),
        headers: headers::joined(parts, peer),
        query_string_parameters: query_parameters(query),
        path_parameters: &route.parameters,
        request_context: context(parts, &host, &path, route, peer, id),
        body,
        is_base64_encoded,
    };
    // The event has only strings and numbers, so this cannot fail; a rejection is still better than a panic.
    serde_json::to_vec(&event).map_err(|_| Refusal::Malformed)
}

fn context<'a>(
    parts: &'a Parts,
    host: &'a str,
    path: &'a str,
    route: &'a Match<'_>,
    peer: SocketAddr,
    id: &'a str,
) -> Context<'a> {
    let now = clock::now();
    Context {
        account_id: ACCOUNT,
        api_id: API,
        domain_name: host,
        domain_prefix: host.split(['.', ':']).next().unwrap_or_default(),
        http: Http {
            method: parts.method.as_str(),
            path,
            protocol: format!("{:?}", parts.version),
            source_ip: peer.ip().to_string(),
            user_agent: headers::first(parts, &header::USER_AGENT),
        },
        request_id: id,
        route_key: route.key,
        stage: STAGE,
        time: now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        time_epoch: now.as_millisecond(),
    }
}

/// Returns the host that the client named. API Gateway selects the API by it, so a request with an invalid host never
/// reaches a function.
fn host(parts: &Parts) -> Result<String, Refusal> {
    let host = headers::first(parts, &header::HOST);
    if host.is_empty() {
        return Ok("localhost".to_owned());
    }
    let url = Url::parse(&format!("http://{host}/")).map_err(|_| Refusal::Malformed)?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    if bare {
        Ok(host)
    } else {
        Err(Refusal::Malformed)
    }
}

/// Returns the decoded path. Despite its name, HTTP APIs percent-decode `rawPath`. A path that is not UTF-8 stays
/// unchanged.
fn path(parts: &Parts) -> Cow<'_, str> {
    let sent = parts.uri.path();
    percent_decode_str(sent)
        .decode_utf8()
        .unwrap_or(Cow::Borrowed(sent))
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match joined.get_mut(name.as_ref()) {
            Some(values) => {
                values.push(',');
                values.push_str(&value);
            }
            None => {
                joined.insert(name.into_owned(), value.into_owned());
            }
        }
    }
    joined
}
