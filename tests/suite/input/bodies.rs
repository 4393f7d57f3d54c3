//! Bodies that no route can parse: invalid JSON, no object, no text, the wrong media type, too large.

use http::Method;
use serde_json::json;

use super::{ENQUEUE, assert_nobody_panicked};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer, with_json};
use crate::support::event::{event, with_body, with_header};
use crate::support::payloads::signature_request;

async fn post(cloud: &TestCloud, route: &str, body: Vec<u8>) -> Answer {
    let request = cloud.request(Method::POST, route);
    answer(
        request
            .header("content-type", "application/json")
            .body(body),
    )
    .await
}

#[tokio::test]
async fn malformed_json_is_answered_400_on_every_route() {
    let cloud = TestCloud::start().await;
    let valid = signature_request("ann@example.com").to_string();
    let table: [(&str, Vec<u8>); 19] = [
        ("nothing", vec![]),
        ("a space", b" ".to_vec()),
        ("a word", b"hello".to_vec()),
        ("an open brace", b"{".to_vec()),
        (
            "cut in the middle",
            valid.as_bytes()[..valid.len() / 2].to_vec(),
        ),
        ("cut by one", valid.as_bytes()[..valid.len() - 1].to_vec()),
        ("two documents", format!("{valid}{valid}").into_bytes()),
        ("something behind it", format!("{valid}]").into_bytes()),
        ("a byte order mark", format!("\u{feff}{valid}").into_bytes()),
        ("single quotes", b"{'type':'reminder'}".to_vec()),
        ("a comment", b"{} // comment".to_vec()),
        ("a number that is none", br#"{"delaySeconds":NaN}"#.to_vec()),
        ("a number beyond all", br#"{"delaySeconds":1e999}"#.to_vec()),
        ("a lone surrogate", br#"{"type":"\ud800"}"#.to_vec()),
        (
            "a raw line break in a string",
            b"{\"type\":\"a\nb\"}".to_vec(),
        ),
        ("100,000 brackets", vec![b'['; 100_000]),
        ("a form", b"type=reminder&to=ann%40example.com".to_vec()),
        (
            "bytes that are no UTF-8",
            b"{\"type\":\"\xff\xfe\"}".to_vec(),
        ),
        (
            "UTF-16",
            valid.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
    ];
    for (why, body) in table {
        for route in ENQUEUE {
            let refused = post(&cloud, route, body.clone()).await;
            refused.assert_problem(400, "malformed_json", &format!("{route}: {why}"));
        }
    }
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn json_other_than_an_object_is_invalid_at_the_root() {
    let cloud = TestCloud::start().await;
    for body in [
        "null",
        "true",
        "0",
        "-1.5",
        "\"text\"",
        "[]",
        "[{}]",
        "[1,2,3]",
        r#"[null,null,"high"]"#,
    ] {
        for route in ENQUEUE {
            let refused = post(&cloud, route, body.into()).await;
            refused.assert_invalid("", &format!("{route}: {body}"));
        }
    }
    let nested = format!(
        "{}{}",
        r#"{"a":"#.repeat(100),
        "1".to_owned() + &"}".repeat(100)
    );
    for route in ENQUEUE {
        let refused = post(&cloud, route, nested.clone().into_bytes()).await;
        assert_eq!(
            refused.status, 422,
            "an object of a hundred levels is still an object"
        );
    }
}

#[tokio::test]
async fn body_with_a_repeated_member_is_refused() {
    let cloud = TestCloud::start().await;
    for route in ENQUEUE {
        let body = r#"{"delaySeconds":1,"delaySeconds":2,"emails":[],"to":"a@example.com","to":"b@example.com"}"#;
        let refused = post(&cloud, route, body.into()).await;
        assert_eq!(refused.status, 422, "{route}: {refused:?}");
    }
}

#[tokio::test]
async fn only_json_media_types_are_read() {
    let cloud = TestCloud::start().await;
    for route in ENQUEUE {
        let body = signature_request("ann@example.com").to_string();
        let bare = cloud.request(Method::POST, route).body(body.clone());
        answer(bare)
            .await
            .assert_problem(415, "unsupported_media_type", "no media type");
        for media in [
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/jsonx",
            "application/octet-stream",
            "application/",
            "json",
            "text/plain; application/json",
            ";",
            "application/\u{e9}json",
        ] {
            let request = cloud.request(Method::POST, route);
            let request = request.header("content-type", media).body(body.clone());
            answer(request)
                .await
                .assert_problem(415, "unsupported_media_type", media);
        }
        for media in [
            "application/json; charset=utf-8",
            "APPLICATION/JSON",
            " application/json ;x",
            "application/vnd.api+json",
        ] {
            let request = cloud
                .request(Method::POST, route)
                .header("content-type", media);
            let read = answer(request.body("{}")).await;
            assert_eq!(read.status, 422, "{media} is read: {read:?}");
        }
    }
}

#[tokio::test]
async fn body_over_5_mb_is_refused_by_the_route_and_over_10_mb_by_the_gateway() {
    let cloud = TestCloud::start().await;
    let mut large = signature_request("ann@example.com");
    large["message"] = json!("x".repeat(5 << 20));
    let mut just_large = signature_request("ann@example.com");
    just_large["padding"] = json!("x".repeat((4 << 20) + 1));
    for route in ENQUEUE {
        for body in [&large, &just_large] {
            let refused = cloud.post(route, body).await;
            refused.assert_problem(413, "body_too_large", route);
        }
        let huge = post(&cloud, route, vec![b' '; (10 << 20) + 1]).await;
        assert_eq!(huge.status, 413, "{route}");
        assert_eq!(
            huge.headers["content-type"], "application/json",
            "the gateway's own answer"
        );
    }
    for handler in ["send-email", "job-failed"] {
        let path = format!("/api/jobs/{handler}");
        let unsigned = with_json(cloud.bare(Method::POST, &path), &large);
        answer(unsigned)
            .await
            .assert_problem(401, "signature_invalid", handler);
        let huge = cloud
            .bare(Method::POST, &path)
            .body(vec![b' '; (10 << 20) + 1]);
        assert_eq!(answer(huge).await.status, 413, "{handler}");
    }
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn body_without_the_gateway_is_bounded_too() {
    let cloud = TestCloud::start().await;
    let bearer = format!("Bearer {}", cloud.variable("API_TOKEN"));
    for (size, base64) in [((4 << 20) + 1, true), (12 << 20, false), (12 << 20, true)] {
        let call = with_header(event("POST", ENQUEUE[0]), "authorization", &bearer);
        let call = with_header(call, "content-type", "application/json");
        let refused = cloud
            .invoke("queue", with_body(call, &vec![b' '; size], base64))
            .await;
        refused.assert_problem(
            413,
            "body_too_large",
            &format!("{size} bytes, base64: {base64}"),
        );
    }
    assert_nobody_panicked(&cloud);
}
