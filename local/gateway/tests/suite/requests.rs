//! The request as the function sees it, and the response as the client sees it.

use http::Request;
use serde_json::json;

use crate::client::{get, raw, send};
use crate::harness::start;

#[tokio::test]
async fn function_receives_the_request_in_api_gateway_format() {
    let running = start(1).await;
    let request = Request::get("/items/a%2Fb%20c?x=1&x=2&y=%20")
        .header("Host", "api.example.test")
        .header("User-Agent", "suite")
        .header("X-Twice", "one")
        .header("X-Twice", "two")
        .header("X-Latin", b"caf\xe9".as_slice())
        .header("Cookie", "a=1; b=2")
        .header("X-Forwarded-For", "192.0.2.1");
    let answer = send(&running.gateway.url(), request, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = answer.json();
    assert_eq!(seen["method"], "GET");
    assert_eq!(seen["path"], "/items/a/b c", "API Gateway decodes it");
    assert_eq!(
        seen["uri"],
        "http://api.example.test/items/a/b%20c?x=1&x=2&y=%20"
    );
    assert_eq!(seen["parameters"], json!({"id": "a/b c"}));
    assert_eq!(seen["headers"]["x-twice"], "one,two");
    assert_eq!(seen["headers"]["x-latin"], "café");
    assert_eq!(seen["headers"]["cookie"], "a=1; b=2");
    assert_eq!(seen["headers"]["x-forwarded-for"], "192.0.2.1, 127.0.0.1");
    let context = &seen["context"];
    assert_eq!(context["routeKey"], "GET /items/{id}");
    assert_eq!(context["stage"], "$default");
    assert_eq!(
        context["requestId"],
        answer.headers["apigw-requestid"].to_str().unwrap()
    );
    assert_eq!(
        context["http"]["sourceIp"], "127.0.0.1",
        "the connection's address, not that of a header"
    );
    assert_eq!(context["http"]["userAgent"], "suite");
    assert_eq!(context["http"]["protocol"], "HTTP/1.1");
    running.gateway.stop().await;
}

#[tokio::test]
async fn bodies_arrive_byte_for_byte() {
    let running = start(1).await;
    let post = |kind: &str| {
        Request::post("/echo")
            .header("host", "localhost")
            .header("content-type", kind)
    };
    for (kind, body) in [
        ("application/json", "{\"a\": \"é\"}".as_bytes()),
        ("application/octet-stream", b"\x00\xff\xfe".as_slice()),
        ("application/json", b"\"\xff\"".as_slice()),
        ("text/plain", b"".as_slice()),
    ] {
        let seen = send(&running.gateway.url(), post(kind), body).await.json();
        let expected: Vec<u8> = body.to_vec();
        let got: Vec<u8> = serde_json::from_value(seen["body"].clone()).unwrap();
        assert_eq!(got, expected, "{kind}");
    }
    running.gateway.stop().await;
}

#[tokio::test]
async fn chunked_body_arrives_complete_and_a_half_closed_client_gets_its_answer() {
    let running = start(1).await;
    let request = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let answer = raw(&running.gateway.url(), request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("[97,98,99,100,101]"), "{answer}");
    assert!(
        !answer.contains("transfer-encoding\":"),
        "hop-by-hop headers end here: {answer}"
    );
    running.gateway.stop().await;
}

#[tokio::test]
async fn unknown_route_is_answered_404() {
    let running = start(1).await;
    let url = running.gateway.url();
    get(&url, "/nowhere").await.assert_refusal(404, "Not Found");
    get(&url, "/echo/").await.assert_refusal(404, "Not Found");
    let options = Request::options("/echo").header("host", "localhost");
    send(&url, options, "")
        .await
        .assert_refusal(404, "Not Found");
    let delete = Request::delete("/echo").header("host", "localhost");
    send(&url, delete, "")
        .await
        .assert_refusal(404, "Not Found");
    let head = send(&url, Request::head("/echo").header("host", "localhost"), "").await;
    assert_eq!(head.status, 404);
    assert_eq!(
        running.gateway.instances("echo"),
        0,
        "nothing was started for them"
    );
    running.gateway.stop().await;
}

#[tokio::test]
async fn malformed_requests_reach_no_function() {
    let running = start(1).await;
    let url = running.gateway.url();
    for host in ["a b", "a/b", "a?b", "[", "a@b", ":x"] {
        let answer = send(&url, Request::get("/echo").header("host", host), "").await;
        answer.assert_refusal(400, "Bad Request");
    }
    for request in [
        b"GARBAGE\r\n\r\n".as_slice(),
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc",
    ] {
        let answer = raw(&url, request).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
    assert_eq!(running.gateway.invocations("echo"), 0);
    running.gateway.stop().await;
}

#[tokio::test]
async fn function_sees_only_the_variables_of_its_entry() {
    let running = start(1).await;
    let seen = get(&running.gateway.url(), "/echo?do=env").await.json();
    let names: Vec<&str> = seen
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "AWS_ACCESS_KEY_ID",
            "AWS_ENDPOINT_URL_SESV2",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_RUNTIME_API",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "NAMED",
            "_X_AMZN_TRACE_ID"
        ]
    );
    running.gateway.stop().await;
}

#[tokio::test]
async fn sample_event_can_be_invoked_without_http() {
    let running = start(1).await;
    let event = json!({
        "version": "2.0", "routeKey": "GET /echo", "rawPath": "/echo", "rawQueryString": "do=pid", "headers": {},
        "isBase64Encoded": false,
        "requestContext": {
            "accountId": "1", "apiId": "x", "stage": "$default", "time": "", "timeEpoch": 0,
            "http": {"method": "GET", "path": "/echo", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x"}
        }
    });
    let result = running.gateway.invoke("echo", event).await.unwrap();
    assert_eq!(result["statusCode"], 200);
    assert_eq!(result["body"], running.gateway.pids("echo")[0].to_string());
    running.gateway.stop().await;
}
