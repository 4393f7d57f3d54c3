//! Errors are distinguished by what a caller could do about them.

use std::time::Duration;

use local_redis_rest::Fault;
use shared::protocol::upstash::{Command, Error, Pipeline, Redis, Script};

use crate::support::cloud::TIMEOUT;
use crate::support::store::{Store, client};

static WRITE: Script = Script::new("return redis.call('SET', KEYS[1], 'v')");

fn set() -> Command {
    Command::new("SET").arg("k").arg("v")
}

fn get() -> Command {
    Command::new("GET").arg("k")
}

#[tokio::test]
async fn each_refusal_has_its_own_error_and_nothing_runs() {
    let store = Store::start().await;
    let redis = store.client();
    for fault in [
        Fault::Loading,
        Fault::ReadOnly,
        Fault::Unauthorized,
        Fault::RateLimited,
    ] {
        let right = |error: &Error| match fault {
            Fault::Loading | Fault::ReadOnly => matches!(error, Error::NotReady(_)),
            Fault::Unauthorized => matches!(error, Error::Unauthorized),
            _ => matches!(error, Error::RateLimited { retry_after: None }),
        };
        store.front.faults().set(Some(fault));
        let single = redis.run::<()>(set()).await.unwrap_err();
        let script = redis.eval::<()>(WRITE.invoke().key("k")).await.unwrap_err();
        let transaction = redis.transaction(&[set()]).await.unwrap_err();
        let pipeline = match redis.pipeline(Pipeline::new().command(set())).await {
            Ok(mut replies) => replies.take::<()>().unwrap_err(),
            Err(error) => error,
        };
        for (error, way) in [
            (single, "single"),
            (script, "script"),
            (transaction, "transaction"),
            (pipeline, "pipeline"),
        ] {
            assert!(right(&error), "{fault:?}, {way}: {error:?}");
            assert_eq!(
                error.is_transient(),
                fault != Fault::Unauthorized,
                "{fault:?}, {way}"
            );
        }
        store.front.faults().set(None);
    }
    assert_eq!(redis.run::<Option<String>>(get()).await.unwrap(), None);
}

#[tokio::test]
async fn spent_quota_is_recognised_by_its_text_in_every_status() {
    let store = Store::start().await;
    let redis = store.client();
    for status in [
        None,
        Some(400),
        Some(402),
        Some(403),
        Some(429),
        Some(500),
        Some(503),
    ] {
        store.front.faults().set(Some(Fault::Spent(status)));
        let single = redis.run::<()>(set()).await.unwrap_err();
        let script = redis.eval::<()>(WRITE.invoke().key("k")).await.unwrap_err();
        let pipeline = match redis.pipeline(Pipeline::new().command(set())).await {
            Ok(mut replies) => replies.take::<()>().unwrap_err(),
            Err(error) => error,
        };
        for error in [single, script, pipeline] {
            assert!(
                matches!(error, Error::RateLimited { .. }),
                "{status:?}: {error:?}"
            );
            assert!(error.is_transient());
        }
    }
}

#[tokio::test]
async fn full_store_is_a_distinct_transient_error() {
    let store = Store::start().await;
    let redis = store.client();
    store.front.faults().set(Some(Fault::Full));
    let single = redis.run::<()>(set()).await.unwrap_err();
    let script = redis.eval::<()>(WRITE.invoke().key("k")).await.unwrap_err();
    let mut replies = redis
        .pipeline(Pipeline::new().command(set()).command(get()))
        .await
        .unwrap();
    let piped = replies.take::<()>().unwrap_err();
    for error in [single, script, piped] {
        assert!(matches!(error, Error::Full(_)), "{error:?}");
        assert!(error.is_transient() && !error.is_ambiguous());
    }
    assert_eq!(
        replies.take::<Option<String>>().unwrap(),
        None,
        "reads still work"
    );
}

#[tokio::test]
async fn wrong_token_is_refused_and_not_printed() {
    let store = Store::start().await;
    let redis = client(&store.front.url(), "a-wrong-token");
    let error = redis.run::<()>(set()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized), "{error:?}");
    assert!(matches!(
        redis.subscribe(&["c"]).await,
        Err(Error::Unauthorized)
    ));
    assert!(!format!("{redis:?} {error:?}").contains("a-wrong-token"));
}

#[tokio::test]
async fn command_error_is_not_reported_as_a_store_error() {
    let store = Store::start().await;
    let redis = store.client();
    redis.run::<()>(set()).await.unwrap();
    for wrong in [
        Command::new("LPUSH").arg("k").arg("v"),
        Command::new("INCR").arg("k"),
        Command::new("SET").arg("k"),
        Command::new("NOSUCHCOMMAND"),
        Command::new(""),
    ] {
        let error = redis.run::<()>(wrong.clone()).await.unwrap_err();
        assert!(matches!(error, Error::Command(_)), "{wrong:?}: {error:?}");
        assert!(!error.is_transient(), "{wrong:?}");
    }
}

#[tokio::test]
async fn real_replica_serves_reads_and_is_not_ready_for_writes() {
    let store = Store::start().await;
    let redis = store.client();
    redis.run::<()>(set()).await.unwrap();
    let mut replica = redis::cmd("REPLICAOF");
    replica
        .arg("127.0.0.1")
        .arg(1)
        .exec_async(&mut store.direct().await)
        .await
        .unwrap();
    assert_eq!(redis.run::<String>(get()).await.unwrap(), "v");
    for outcome in [
        redis.run::<()>(set()).await,
        redis.eval(WRITE.invoke().key("k")).await,
    ] {
        assert!(matches!(outcome, Err(Error::NotReady(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn store_busy_with_a_script_is_not_ready() {
    let store = Store::start().await;
    let redis = store.client();
    let mut direct = store.direct().await;
    let mut threshold = redis::cmd("CONFIG");
    threshold.arg("SET").arg("busy-reply-threshold").arg(1);
    threshold.exec_async(&mut direct).await.unwrap();
    let mut endless = store.direct().await;
    let running = tokio::spawn(async move {
        let mut script = redis::cmd("EVAL");
        script
            .arg("while true do end")
            .arg(0)
            .exec_async(&mut endless)
            .await
    });
    let error = until_refused(&redis).await;
    assert!(
        matches!(error, Error::NotReady(ref line) if line.starts_with("BUSY")),
        "{error:?}"
    );
    redis::cmd("SCRIPT")
        .arg("KILL")
        .exec_async(&mut direct)
        .await
        .unwrap();
    running.await.unwrap().unwrap_err();
    redis.run::<()>(set()).await.unwrap();
}

async fn until_refused(redis: &Redis) -> Error {
    let refused = async {
        loop {
            match redis.run::<()>(Command::new("ECHO").arg("x")).await {
                Ok(()) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => return error,
            }
        }
    };
    tokio::time::timeout(TIMEOUT, refused).await.unwrap()
}

#[tokio::test]
async fn front_without_its_redis_is_a_lost_answer() {
    let store = Store::start().await;
    let redis = store.client();
    redis.run::<()>(set()).await.unwrap();
    let front = store.lose_server().await;
    let outcome = redis.run::<()>(set()).await;
    assert!(
        matches!(outcome, Err(Error::Transport { sent: true, .. })),
        "{outcome:?}"
    );
    front.stop().await;
}
