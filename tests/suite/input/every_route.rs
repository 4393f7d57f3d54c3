//! Every operation of docs/openapi.json with invalid requests: a new route is tested from its first day. Each status is
//! in the document, and none is a 5xx.

use http::Method;
use serde_json::json;

use super::assert_nobody_panicked;
use super::document::{Operation, operations};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer};

/// Bytes that are not text, or that change their meaning if decoded twice.
const ODD: [&str; 9] = [
    "%ff",
    "%00",
    "a%00b",
    "%3Fx",
    "%23x",
    "%2F..%2F",
    "%25ff",
    "%F0%9F%92%A9",
    "%5B%5D",
];

/// Makes a call as an administrator, who may use every route.
async fn call(
    cloud: &TestCloud,
    method: &Method,
    target: &str,
    media: Option<&str>,
    body: Vec<u8>,
) -> Answer {
    let request = cloud
        .request(method.clone(), target)
        .header("x-user-id", "01985c00-0000-7000-8000-00000000000a")
        .header("x-user-role", "admin");
    let request = match media {
        Some(media) => request.header("content-type", media),
        None => request,
    };
    answer(request.body(body)).await
}

async fn send(cloud: &TestCloud, operation: &Operation, body: Vec<u8>) -> Answer {
    let (method, path) = (&operation.method, operation.usual_path());
    call(cloud, method, &path, Some("application/json"), body).await
}

#[tokio::test]
async fn malformed_or_oversized_body_is_refused_on_every_route() {
    let cloud = TestCloud::start().await;
    let all = operations();
    let taking = all.iter().filter(|operation| operation.takes_json());
    let mut met = 0;
    for operation in taking {
        let why = operation.to_string();
        let large = send(&cloud, operation, vec![b' '; (4 << 20) + 1]).await;
        large.assert_problem(413, "body_too_large", &why);
        for malformed in [&b"{\"a\":\"\xff\xfe\"}"[..], b"\xff", b"{", b"", b"{} {}"] {
            let refused = send(&cloud, operation, malformed.to_vec()).await;
            refused.assert_problem(400, "malformed_json", &why);
        }
        for other in ["null", "[]", "[null,null]", "1", "\"x\"", "true"] {
            let refused = send(&cloud, operation, other.into()).await;
            refused.assert_invalid("", &format!("{why}: {other}"));
        }
        let path = operation.usual_path();
        let untold = call(&cloud, &operation.method, &path, None, b"{}".to_vec()).await;
        untold.assert_problem(415, "unsupported_media_type", &why);
        met += 1;
    }
    assert!(met > 20, "{met} operations take JSON");
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn member_of_another_type_is_refused_on_every_route() {
    let cloud = TestCloud::start().await;
    let values = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!("\0"),
        json!([[]]),
        json!({ "a": {} }),
    ];
    for operation in operations() {
        for (member, schema) in operation.members() {
            for value in values
                .iter()
                .filter(|value| !operation.may_be(&schema, value))
            {
                let mut body = json!({});
                body[&member] = value.clone();
                let refused = send(&cloud, &operation, body.to_string().into()).await;
                assert_eq!(refused.status, 422, "{operation}: {body}: {refused:?}");
                assert_ne!(refused.body["errors"], json!([]), "{operation}: {body}");
            }
        }
    }
    assert_nobody_panicked(&cloud);
}

#[tokio::test]
async fn page_limit_and_instant_are_bounded_on_every_route() {
    let cloud = TestCloud::start().await;
    let limits = ["0", "101", "-1", "4294967296", "1.5", "", "many"];
    let instants = [
        "-000001-12-31T23:59:59Z",
        "-009999-01-02T01:59:59Z",
        "soon",
        "",
    ];
    let mut met = [0, 0];
    for operation in operations() {
        for (name, schema) in operation.queries() {
            let is_limit = name == "limit";
            if !is_limit && schema["format"] != "date-time" {
                continue;
            }
            met[usize::from(is_limit)] += 1;
            let path = operation.usual_path();
            for bad in if is_limit { &limits[..] } else { &instants } {
                let target = format!("{path}?{name}={bad}");
                let refused = call(&cloud, &operation.method, &target, None, vec![]).await;
                refused.assert_problem(400, "malformed_query", &target);
            }
            for good in if is_limit {
                ["1", "100"]
            } else {
                ["0000-01-01T00:00:00Z", "9999-12-30T00:00:00Z"]
            } {
                let target = format!("{path}?{name}={good}");
                let page = call(&cloud, &operation.method, &target, None, vec![]).await;
                assert_eq!(page.status, 200, "{target}: {page:?}");
            }
        }
    }
    assert!(met[0] > 3 && met[1] > 3, "{met:?} parameters were met");
}

#[tokio::test]
async fn odd_path_or_query_never_fails_a_route() {
    let cloud = TestCloud::start().await;
    let long = "x".repeat(5000);
    let odd: Vec<&str> = ODD.into_iter().chain([long.as_str()]).collect();
    for operation in operations() {
        let paths = odd.iter().flat_map(|odd| operation.paths_with(odd));
        let queries = odd.iter().flat_map(|odd| operation.queries_with(odd));
        for target in paths.chain(queries) {
            let body = operation.takes_json().then_some("application/json");
            let seen = call(&cloud, &operation.method, &target, body, b"{}".to_vec()).await;
            // The gateway itself has no route for a path that is not text.
            let known = operation.answers(seen.status) || seen.status == 404;
            assert!(
                known && !seen.status.is_server_error(),
                "{operation}: {target:.80}: {seen:?}"
            );
        }
    }
    assert_nobody_panicked(&cloud);
}
