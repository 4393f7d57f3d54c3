//! The web app's own values, put into display kinds. Defects 50 and 58 of the original are named here.

use http::Method;
use serde_json::json;
use shared::service::cache::AnyKind;

use super::{OWNER, REQUEST, STRANGER, came_from, cloud, etag, get_as, known, path};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer};

async fn put(cloud: &TestCloud, path: &str, generation: Option<&str>, body: &str) -> Answer {
    let request = cloud.request(Method::PUT, path);
    let request = request
        .header("content-type", "application/json")
        .body(body.to_owned());
    answer(match generation {
        Some(generation) => request.header("if-match", generation),
        None => request,
    })
    .await
}

#[tokio::test]
async fn falsy_looking_value_is_read_as_it_was_put() {
    let cloud = cloud().await;
    for (n, text) in [
        "{}",
        r#"{"zero":0,"no":false,"nothing":null,"empty":"","none":[]}"#,
        r#"{"text":"a plain string","number":"00042","json":"{\"a\":1}"}"#,
        "{ \"spaces\" :\t1.50 }",
        "{\"\u{1f600}\":\"\\u0000\"}",
    ]
    .into_iter()
    .enumerate()
    {
        let path = path("user-profiles", &format!("falsy-{n}"));
        assert_eq!(put(&cloud, &path, None, text).await.status, 204, "{text}");
        let response = cloud.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.headers()["x-cache"], "HIT", "{text}");
        assert_eq!(response.text().await.unwrap(), text);
    }
}

#[tokio::test]
async fn put_replaces_only_the_generation_that_it_names() {
    let cloud = cloud().await;
    let path = path("user-profiles", OWNER);
    let first = cloud.get(&path).await;
    let unnamed = put(&cloud, &path, None, "{\"n\":1}").await;
    unnamed.assert_problem(428, "generation_required", "there is a value");
    let done = put(&cloud, &path, Some(etag(&first)), "{\"n\":1}").await;
    assert_eq!(done.status, 204, "{done:?}");
    let again = put(&cloud, &path, Some(etag(&first)), "{\"n\":2}").await;
    again.assert_problem(412, "generation_changed", "another writer was faster");
    let read = cloud.get(&path).await;
    assert_eq!((came_from(&read), &read.body["n"]), ("HIT", &json!(1)));
    assert_eq!(etag(&read), etag(&done));

    answer(cloud.request(Method::DELETE, &path)).await;
    let late = put(&cloud, &path, Some(etag(&read)), "{\"n\":3}").await;
    late.assert_problem(412, "generation_changed", "it was invalidated meanwhile");
    assert_eq!(
        cloud.get(&path).await.body["email"],
        "olivia.owner@acme.example"
    );
    for bad in ["", "x", "\"\"", "\"a\", \"b\"", "W/\"a\"", "*"] {
        let refused = put(&cloud, &path, Some(bad), "{}").await;
        refused.assert_problem(400, "if_match_malformed", bad);
    }
}

#[tokio::test]
async fn value_that_is_not_an_object_is_refused_and_changes_nothing() {
    let cloud = cloud().await;
    let path = path("user-profiles", "u1");
    for text in ["null", "0", "false", "\"text\"", "[]", "[{}]"] {
        put(&cloud, &path, None, text)
            .await
            .assert_invalid("", text);
    }
    for text in ["", "{", "{}x", "{\"a\":NaN}"] {
        put(&cloud, &path, None, text)
            .await
            .assert_problem(400, "malformed_json", text);
    }
    let large = json!({ "a": "x".repeat(512 << 10) }).to_string();
    put(&cloud, &path, None, &large)
        .await
        .assert_problem(413, "body_too_large", "over 512 KB");
    cloud
        .get(&path)
        .await
        .assert_problem(404, "cache_entry_not_found", "nothing was put");
}

#[tokio::test]
async fn security_data_is_never_put() {
    let cloud = cloud().await;
    for kind in AnyKind::ALL {
        let AnyKind::Security(_) = kind else { continue };
        let path = path(kind.name(), known(kind));
        for generation in [None, Some("\"0\"")] {
            let refused = put(&cloud, &path, generation, "{\"enabled\":false}").await;
            refused.assert_problem(405, "cache_kind_readonly", kind.name());
            assert_eq!(refused.headers["allow"], "GET,HEAD,DELETE");
        }
        let read = cloud.get(&path).await;
        assert_eq!(came_from(&read), "MISS", "{}", kind.name());
    }
}

/// Defect 58: any value under `user_profile:*`, a shortened hash as key, and no user in it.
#[tokio::test]
async fn value_put_for_one_user_is_not_shown_to_another() {
    let cloud = cloud().await;
    let users: Vec<String> = (0..20)
        .map(|n| format!("https-app-example-com-page-of-user-{n}"))
        .collect();
    for user in &users {
        let body = json!({ "of": user }).to_string();
        let done = put(&cloud, &path("user-profiles", user), None, &body).await;
        assert_eq!(done.status, 204, "{done:?}");
    }
    for user in &users {
        let path = path("user-profiles", user);
        let own = get_as(&cloud, &path, &[("x-user-id", user)]).await;
        assert_eq!(own.body["of"], json!(user));
        let others = get_as(&cloud, &path, &[("x-user-id", STRANGER)]).await;
        others.assert_problem(404, "cache_entry_not_found", user);
    }
}

#[tokio::test]
async fn request_put_into_an_empty_entry_is_hidden_until_its_parties_are_known() {
    let cloud = cloud().await;
    let path = path("signing-requests", REQUEST);
    assert_eq!(
        put(&cloud, &path, None, "{\"mine\":true}").await.status,
        204
    );
    let service = cloud.get(&path).await;
    assert_eq!(service.body, json!({ "mine": true }));
    let stranger = get_as(&cloud, &path, &[("x-user-id", STRANGER)]).await;
    assert_eq!(stranger.status, 404);
    let owner = get_as(&cloud, &path, &[("x-user-id", OWNER)]).await;
    assert_eq!(
        (owner.status.as_u16(), &owner.body["status"]),
        (200, &json!("initiated"))
    );

    // A value that replaces the one that was read keeps its visibility.
    let read = cloud.get(&path).await;
    let done = put(&cloud, &path, Some(etag(&read)), "{\"mine\":1}").await;
    assert_eq!(done.status, 204, "{done:?}");
    let owner = get_as(&cloud, &path, &[("x-user-id", OWNER)]).await;
    assert_eq!(
        (came_from(&owner), &owner.body),
        ("HIT", &json!({ "mine": 1 }))
    );
    let stranger = get_as(&cloud, &path, &[("x-user-id", STRANGER)]).await;
    assert_eq!(stranger.status, 404);
}
