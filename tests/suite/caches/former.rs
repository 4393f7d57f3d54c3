//! Values that the web app's TypeScript wrote under the same keys: JSON strings, plain strings, other types.

use serde_json::json;
use shared::service::cache::{AnyKind, STALE};

use super::{OWNER, came_from, cloud, known, path};

/// Writes a key as the web app did.
async fn set(redis: &mut redis::aio::MultiplexedConnection, key: &str, value: &str, seconds: u64) {
    redis::cmd("SETEX")
        .arg(key)
        .arg(seconds)
        .arg(value)
        .exec_async(redis)
        .await
        .unwrap();
}

#[tokio::test]
async fn web_app_object_is_served_for_its_remaining_life_and_becomes_an_entry() {
    let cloud = cloud().await;
    let mut redis = cloud.redis_connection().await;
    for kind in ["user-profiles", "notification-preferences"] {
        let kind = AnyKind::named(kind).unwrap();
        let key = kind.key(OWNER).unwrap();
        set(&mut redis, &key, "{\"former\":0}", 100).await;
        for _ in 0..2 {
            let read = cloud.get(&path(kind.name(), OWNER)).await;
            assert_eq!(read.body, json!({ "former": 0 }), "{}", kind.name());
            assert_eq!(came_from(&read), "HIT");
        }
        let (is, left): (String, u64) = (
            redis::cmd("TYPE")
                .arg(&key)
                .query_async(&mut redis)
                .await
                .unwrap(),
            redis::cmd("TTL")
                .arg(&key)
                .query_async(&mut redis)
                .await
                .unwrap(),
        );
        assert_eq!(is, "hash");
        assert!(left <= 100 && left < STALE.as_secs(), "{left}");
    }
}

/// A script that decodes and encodes it would turn empty lists into objects, and round numbers of 16 digits.
#[tokio::test]
async fn web_app_object_keeps_its_text() {
    let cloud = cloud().await;
    let mut redis = cloud.redis_connection().await;
    let text = r#"{"lists":[],"objects":{},"number":9007199254740993,"small":0.1,"slash":"a/b","nested":[[],[{}]]}"#;
    let kind = AnyKind::named("user-profiles").unwrap();
    set(&mut redis, &kind.key(OWNER).unwrap(), text, 100).await;
    for _ in 0..2 {
        let request = cloud.request(http::Method::GET, &path(kind.name(), OWNER));
        let read = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(read, text);
    }
}

/// Security data, and rows with signatures, must not come from values that any client can write to the store.
#[tokio::test]
async fn web_app_string_of_another_kind_is_never_trusted() {
    let cloud = cloud().await;
    let mut redis = cloud.redis_connection().await;
    for kind in AnyKind::ALL {
        if ["user-profiles", "notification-preferences"].contains(&kind.name()) {
            continue;
        }
        let key = kind.key(known(kind)).unwrap();
        set(
            &mut redis,
            &key,
            "{\"enabled\":false,\"signature_data\":\"forged\"}",
            7200,
        )
        .await;
        let read = cloud.get(&path(kind.name(), known(kind))).await;
        assert_eq!(
            (read.status.as_u16(), came_from(&read)),
            (200, "MISS"),
            "{key}: {read:?}"
        );
        assert_eq!(read.body.get("signature_data"), None, "{key}");
    }
}

/// Defect 50: falsy values looked like misses, plain strings were parsed twice.
#[tokio::test]
async fn former_value_that_is_not_an_object_is_refilled_without_wrongtype() {
    let cloud = cloud().await;
    let mut redis = cloud.redis_connection().await;
    for kind in AnyKind::ALL {
        let key = kind.key(known(kind)).unwrap();
        for value in [
            "",
            "0",
            "false",
            "null",
            "plain",
            "\"plain\"",
            "[1]",
            "{",
            "\u{0}",
            "{a}",
        ] {
            set(&mut redis, &key, value, 100).await;
            let read = cloud.get(&path(kind.name(), known(kind))).await;
            assert_eq!(
                (read.status.as_u16(), came_from(&read)),
                (200, "MISS"),
                "{key} = {value:?}"
            );
        }
        for other in ["LPUSH", "SADD"] {
            redis::cmd("DEL")
                .arg(&key)
                .exec_async(&mut redis)
                .await
                .unwrap();
            redis::cmd(other)
                .arg(&key)
                .arg("x")
                .exec_async(&mut redis)
                .await
                .unwrap();
            let read = cloud.get(&path(kind.name(), known(kind))).await;
            assert_eq!(read.status, 200, "{key} {other}: {read:?}");
        }
    }
}
