//! Every limit of API Gateway and Lambda, just below and just above it.

use bytes::Bytes;
use http::Request;
use http::request::Builder;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{address, get, read, send};
use crate::harness::{start, until};

const MB: usize = 1024 * 1024;

fn post(kind: &str) -> Builder {
    Request::post("/echo?do=pid")
        .header("host", "localhost")
        .header("content-type", kind)
}

#[tokio::test]
async fn body_over_10_mb_is_refused_in_every_encoding() {
    let running = start(1).await;
    let url = running.gateway.url();
    send(&url, post("text/plain"), vec![b'a'; 10 * MB + 1])
        .await
        .assert_refusal(413, "Request Entity Too Large");

    let mut stream = TcpStream::connect(address(&url)).await.unwrap();
    let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [
        format!("{MB:x}\r\n").into_bytes(),
        vec![b'a'; MB],
        b"\r\n".to_vec(),
    ]
    .concat();
    for _ in 0..11 {
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert!(read(stream).await.starts_with("HTTP/1.1 413"));
    assert_eq!(running.gateway.invocations("echo"), 0);
    running.gateway.stop().await;
}

#[tokio::test]
async fn event_over_6_mb_is_refused_including_base64() {
    let running = start(1).await;
    let url = running.gateway.url();
    let sent = |kind: &'static str, size: usize| send(&url, post(kind), vec![b'a'; size]);
    assert_eq!(sent("text/plain", 6 * MB - 4096).await.status, 200);
    sent("text/plain", 6 * MB)
        .await
        .assert_refusal(413, "Request Entity Too Large");
    assert_eq!(sent("application/pdf", 4_500_000).await.status, 200);
    sent("application/pdf", 5_000_000)
        .await
        .assert_refusal(413, "Request Entity Too Large");
    running.gateway.stop().await;
}

#[tokio::test]
async fn request_head_over_10240_bytes_is_refused() {
    let running = start(1).await;
    let url = running.gateway.url();
    let rest = "GET /echo?do=pid HTTP/1.1\r\nhost: localhost\r\nx-pad: \r\n\r\n".len();
    let padded = |size: usize| {
        Request::get("/echo?do=pid")
            .header("host", "localhost")
            .header("x-pad", "a".repeat(size - rest))
    };
    assert_eq!(send(&url, padded(10_240), Bytes::new()).await.status, 200);
    let refused = send(&url, padded(10_241), Bytes::new()).await;
    refused.assert_refusal(431, "Request Header Fields Too Large");
    let target = format!("/echo?do=pid&pad={}", "a".repeat(10_240));
    get(&url, &target)
        .await
        .assert_refusal(431, "Request Header Fields Too Large");
    assert_eq!(running.gateway.invocations("echo"), 1);
    running.gateway.stop().await;
}

#[tokio::test]
async fn answer_over_6_mb_is_refused_and_a_smaller_one_is_not() {
    let running = start(1).await;
    let url = running.gateway.url();
    assert_eq!(
        get(&url, &format!("/echo?do=big&bytes={}", 6 * MB - 4096))
            .await
            .body
            .len(),
        6 * MB - 4096
    );
    let refused = get(&url, &format!("/echo?do=big&bytes={}", 6 * MB + 200)).await;
    refused.assert_refusal(500, "Internal Server Error");
    assert_eq!(
        get(&url, "/echo").await.status,
        200,
        "the function keeps running"
    );
    running.gateway.stop().await;
}

#[tokio::test]
async fn integration_over_30_seconds_is_answered_503() {
    let running = start(1).await;
    let url = running.gateway.url();
    let (running_call, queued_call) = tokio::join!(
        get(&url, "/patient?do=sleep&ms=31000"),
        get(&url, "/patient?do=sleep&ms=31000")
    );
    running_call.assert_refusal(503, "Service Unavailable");
    queued_call.assert_refusal(503, "Service Unavailable");
    let gateway = &running.gateway;
    assert_eq!(
        gateway.invocations("patient"),
        1,
        "the queued one was never begun"
    );
    // Lambda does not know that API Gateway timed out: the first call runs to its end.
    let pid = get(&url, "/patient?do=pid").await;
    assert_eq!(pid.text(), gateway.pids("patient")[0].to_string());
    running.gateway.stop().await;
}

#[tokio::test]
async fn client_with_an_unfinished_head_is_disconnected() {
    let running = start(1).await;
    let url = running.gateway.url();
    let mut slow = TcpStream::connect(address(&url)).await.unwrap();
    slow.write_all(b"GET /echo HTTP/1.1\r\nHost: loc")
        .await
        .unwrap();
    let silent = TcpStream::connect(address(&url)).await.unwrap();
    assert_eq!(
        get(&url, "/echo").await.status,
        200,
        "others are not delayed"
    );
    let (slow, silent) = tokio::join!(read(slow), read(silent));
    assert!(!slow.contains("200"), "{slow}");
    assert!(!silent.contains("200"), "{silent}");
    running.gateway.stop().await;
}

#[tokio::test]
async fn function_output_is_logged_per_function() {
    let running = start(1).await;
    assert_eq!(
        get(&running.gateway.url(), "/echo?do=print&text=hello")
            .await
            .status,
        200
    );
    let file = running.logs.join("echo.log");
    until("the line is in the file", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text == "hello\n")
    })
    .await;
    running.gateway.stop().await;
}
