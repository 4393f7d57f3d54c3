//! Events of API Gateway's HTTP API (payload format 2.0), for calling a function without the gateway's own limits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Returns the event of a request without headers and body.
pub(crate) fn event(method: &str, path: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": format!("ANY {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "host": "localhost", "x-forwarded-proto": "https" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "suite",
            },
            "requestId": "00000000-0000-4000-8000-000000000001",
            "routeKey": format!("ANY {path}"),
            "stage": "$default",
            "time": "24/Nov/2026:09:35:28 +0000",
            "timeEpoch": 1_795_512_928_000_i64,
        },
        "isBase64Encoded": false,
    })
}

/// Returns the event with one more header.
pub(crate) fn with_header(mut event: Value, name: &str, value: &str) -> Value {
    event["headers"][name] = json!(value);
    event
}

/// Returns the event with a body, as text or in base64.
pub(crate) fn with_body(mut event: Value, body: &[u8], base64: bool) -> Value {
    event["body"] = if base64 {
        json!(STANDARD.encode(body))
    } else {
        json!(String::from_utf8_lossy(body))
    };
    event["isBase64Encoded"] = json!(base64);
    event
}
