//! An attempt whose response was lost is repeated by the client and counted once, whatever was attempted in between.

use crate::support::store::Store;

/// Runs the script of a failed attempt with this nonce.
async fn fail(redis: &mut redis::aio::MultiplexedConnection, nonce: &str) -> Vec<redis::Value> {
    let mut script = redis::cmd("EVAL");
    script
        .arg(include_str!(
            "../../../shared/src/service/security/lua/attempt.lua"
        ))
        .arg(9);
    for key in [
        "account",
        "device",
        "address",
        "devices",
        "from",
        "lockout",
        "addresses",
        "accounts",
    ] {
        script.arg(key);
    }
    script.arg(format!("attempt_answer:{nonce}"));
    for argument in [
        "0", "device", "address", "account", "86400000", "86400000", "3600000", "5", "20", "50",
        "30000", "1800000", "60000",
    ] {
        script.arg(argument);
    }
    script.query_async(redis).await.unwrap()
}

#[tokio::test]
async fn repeated_attempt_is_counted_once_despite_others_between() {
    let store = Store::start().await;
    let mut redis = store.direct().await;
    let first = fail(&mut redis, "first").await;
    let second = fail(&mut redis, "second").await;
    assert_eq!(first[1], redis::Value::Int(1));
    assert_eq!(second[1], redis::Value::Int(2));
    assert_eq!(fail(&mut redis, "first").await, first, "the first answer");
    let third = fail(&mut redis, "third").await;
    assert_eq!(third[1], redis::Value::Int(3), "counted once");
}
