//! The path of a request, rebuilt from its matched route.
//!
//! HTTP APIs pass the path percent-decoded, although it is named `rawPath`. An id with `?`, `/` or `%` would change the
//! path, and lead to another route or another user's id. The matched route and its parameters are passed separately and
//! are unambiguous.

use http::Uri;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

/// Returns the request with every path parameter encoded again.
pub(super) fn encoded(mut request: Request) -> Request {
    if let Some(uri) = original_uri(&request) {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns the URI as sent, if the route has parameters.
fn original_uri(request: &Request) -> Option<Uri> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return None;
    };
    // For example `GET /api/queue/jobs/{jobId}`.
    let (_, route) = context.route_key.as_deref()?.split_once(' ')?;
    let path = filled(route, |name| request.path_parameters_ref()?.first(name))?;
    let target = match query(request) {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(target.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

/// Returns the route with a value for each parameter. None if it has no parameters, or if a value is missing.
fn filled<'a>(route: &str, value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let mut path = String::new();
    let mut has_parameters = false;
    for segment in route.split('/').skip(1) {
        path.push('/');
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) => {
                has_parameters = true;
                path.extend(utf8_percent_encode(value(name)?, NON_ALPHANUMERIC));
            }
            None => path.push_str(segment),
        }
    }
    has_parameters.then_some(path)
}

/// Returns the query as sent, or rebuilds it if the decoded path contains a `?` or a `#`.
fn query(request: &Request) -> Option<String> {
    if !request.raw_http_path().contains(['?', '#']) {
        return request.uri().query().map(str::to_owned);
    }
    let sent = request.query_string_parameters_ref()?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    Some(query.extend_pairs(sent.iter()).finish())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use url::form_urlencoded;

    use super::encoded;

    fn target(route: &str, raw_path: &str, id: &str, query: &str) -> String {
        let event = serde_json::json!({
            "version": "2.0",
            "routeKey": route,
            "rawPath": raw_path,
            "rawQueryString": query,
            "headers": { "host": "localhost" },
            "pathParameters": { "jobId": id },
            "requestContext": {
                "routeKey": route,
                "http": { "method": "GET", "path": raw_path },
                "stage": "$default",
                "timeEpoch": 0,
            },
            "isBase64Encoded": false,
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        encoded(request).uri().path_and_query().unwrap().to_string()
    }

    #[test]
    fn path_parameter_is_percent_encoded_in_the_target() {
        for (id, written) in [
            ("a?b", "a%3Fb"),
            ("a#b", "a%23b"),
            ("a/b", "a%2Fb"),
            ("..", "%2E%2E"),
            ("%41", "%2541"),
            ("ü+ ", "%C3%BC%2B%20"),
        ] {
            let seen = target(
                "GET /jobs/{jobId}/log",
                &format!("/jobs/{id}/log"),
                id,
                "limit=1&x=%41",
            );
            let (path, query) = seen.split_once('?').unwrap();
            assert_eq!(path, format!("/jobs/{written}/log"), "{id}");
            // A rebuilt query has no defined order.
            let pairs: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
            let wanted = [("limit", "1"), ("x", "A")].map(|(k, v)| (k.into(), v.into()));
            assert_eq!(pairs, BTreeMap::from(wanted), "{seen}");
        }
        assert_eq!(target("GET /jobs/{jobId}", "/jobs/7", "7", ""), "/jobs/7");
    }

    #[test]
    fn path_without_parameters_is_unchanged() {
        let seen = target("ANY /jobs", "/jobs", "7", "a=%20");
        assert_eq!(seen, "/jobs?a=%20");
        assert_eq!(target("$default", "/x", "7", ""), "/x");
    }
}
