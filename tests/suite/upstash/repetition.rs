//! Requests that are repeated after a lost reply, and requests that must never be.

use std::time::Duration;

use local_redis_rest::Fault;
use shared::protocol::upstash::{Command, Error, Pipeline, Redis, Script};
use tokio::net::TcpListener;

use crate::outages::gate::{Gate, Verdict, http_answer};
use crate::support::proxy::carries;
use crate::support::store::{Store, client};

/// A script that claims to be repeatable, and counts its runs.
static CARELESS: Script = Script::repeatable("return redis.call('INCR', KEYS[1])");
static CAREFUL: Script = Script::new("return redis.call('INCR', KEYS[1])");

fn incr() -> Command {
    Command::new("INCR").arg("n")
}

fn get() -> Command {
    Command::new("GET").arg("n")
}

fn spent(redis: &Redis) -> u64 {
    redis.usage().take().requests
}

/// Asserts that the reply was lost after the command may have run.
fn assert_lost<T: std::fmt::Debug>(outcome: &Result<T, Error>, why: &str) {
    assert!(
        matches!(outcome, Err(Error::Transport { sent: true, .. })),
        "{why}: {outcome:?}"
    );
}

#[tokio::test]
async fn read_is_repeated_after_a_lost_answer() {
    let store = Store::start().await;
    let redis = store.client();
    redis.run::<i64>(incr()).await.unwrap();
    for fault in [Fault::CutAnswer, Fault::Refused] {
        spent(&redis);
        store.front.faults().set_for_next(2, fault);
        assert_eq!(redis.run::<i64>(get()).await.unwrap(), 1, "{fault:?}");
        assert_eq!(spent(&redis), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn repeatable_call_is_repeated_after_a_lost_answer() {
    let store = Store::start().await;
    let redis = store.client();
    redis.eval::<i64>(CARELESS.invoke().key("n")).await.unwrap();
    store.front.faults().set_for_next(1, Fault::CutAnswer);
    assert_eq!(
        redis.eval::<i64>(CARELESS.invoke().key("n")).await.unwrap(),
        3
    );
    store.front.faults().set_for_next(1, Fault::CutAnswer);
    assert_eq!(redis.run::<i64>(incr().repeatable()).await.unwrap(), 5);
    store.front.faults().set_for_next(1, Fault::CutAnswer);
    let pipeline = Pipeline::new()
        .script(CARELESS.invoke().key("n"))
        .command(get());
    let mut replies = redis.pipeline(pipeline).await.unwrap();
    assert_eq!(replies.take::<i64>().unwrap(), 7);
}

#[tokio::test]
async fn non_repeatable_call_runs_once_when_its_answer_is_lost() {
    let store = Store::start().await;
    let redis = store.client();
    redis
        .eval::<i64>(CAREFUL.invoke().key("warm"))
        .await
        .unwrap();
    let faults = store.front.faults();

    faults.set_for_next(1, Fault::CutAnswer);
    assert_lost(&redis.run::<i64>(incr()).await, "a command");
    assert_eq!(store.count("n").await, 1, "INCR ran twice");

    faults.set_for_next(1, Fault::CutAnswer);
    assert_lost(
        &redis.eval::<i64>(CAREFUL.invoke().key("n")).await,
        "a script",
    );
    assert_eq!(store.count("n").await, 2, "a script ran twice");

    faults.set_for_next(1, Fault::CutAnswer);
    let mixed = Pipeline::new().command(get()).command(incr());
    assert_lost(
        &redis.pipeline(mixed).await,
        "a pipeline with one write among reads",
    );
    assert_eq!(store.count("n").await, 3, "a pipeline ran twice");

    faults.set_for_next(1, Fault::CutAnswer);
    assert_lost(&redis.transaction(&[get(), incr()]).await, "a transaction");
    assert_eq!(store.count("n").await, 4, "a transaction ran twice");

    faults.set_for_next(1, Fault::Refused);
    assert_lost(&redis.run::<i64>(incr()).await, "closed without an answer");
    assert_eq!(
        store.count("n").await,
        4,
        "whether it had run could not be known"
    );
}

#[tokio::test]
async fn lost_answer_is_an_error_after_three_attempts() {
    let store = Store::start().await;
    let redis = store.client();
    store.front.faults().set(Some(Fault::CutAnswer));
    assert_lost(&redis.run::<Option<i64>>(get()).await, "never an answer");
    assert_eq!(spent(&redis), 3);
}

#[tokio::test]
async fn unsent_request_is_repeated_even_if_not_repeatable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let redis = client(&url, "token");
    let outcome = redis.run::<i64>(incr()).await;
    assert!(
        matches!(outcome, Err(Error::Transport { sent: false, .. })),
        "{outcome:?}"
    );
    assert_eq!(spent(&redis), 3);
}

#[tokio::test]
async fn refused_request_is_not_repeated() {
    let store = Store::start().await;
    let redis = store.client();
    for fault in [Fault::Loading, Fault::Unauthorized, Fault::RateLimited] {
        spent(&redis);
        store.front.faults().set(Some(fault));
        redis.run::<Option<i64>>(get()).await.unwrap_err();
        assert_eq!(spent(&redis), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn silent_store_ends_in_a_lost_answer() {
    let store = Store::start().await;
    let redis = store.client();
    store
        .front
        .faults()
        .set(Some(Fault::Slow(Duration::from_hours(1))));
    let (write, read) = tokio::join!(redis.run::<i64>(incr()), redis.run::<Option<i64>>(get()));
    assert_lost(&write, "a write, sent once");
    assert_lost(&read, "a read, sent three times");
    assert_eq!(spent(&redis), 4);
    store.front.faults().set(None);
    assert_eq!(
        redis.run::<i64>(incr()).await.unwrap(),
        1,
        "the client keeps working"
    );
}

#[tokio::test]
async fn dead_pooled_connection_is_replaced() {
    let mut store = Store::start().await;
    let redis = store.client();
    redis.run::<i64>(incr()).await.unwrap();
    for round in 2..10 {
        store = store.restart_front().await;
        assert_eq!(redis.run::<i64>(get()).await.unwrap(), round - 1);
        assert_eq!(redis.run::<i64>(incr()).await.unwrap(), round);
    }
}

#[tokio::test]
async fn refused_repetition_does_not_hide_that_the_first_attempt_ran() {
    let store = Store::start().await;
    let gate = Gate::start().await;
    gate.aim(&store.front.url());
    let redis = Store::client_at(&gate.url());
    redis.eval::<i64>(CARELESS.invoke().key("n")).await.unwrap();
    let loading = r#"{"error":"LOADING Redis is loading the dataset in memory"}"#;
    let refusals = [
        (
            http_answer("429 Too Many Requests", "retry-after: 7\r\n", "{}"),
            "over its limit",
        ),
        (
            http_answer("401 Unauthorized", "", "{}"),
            "the token is refused",
        ),
        (http_answer("400 Bad Request", "", loading), "loading"),
        (http_answer("200 OK", "", loading), "loading, said with 200"),
    ];
    let mut count = 1;
    for (refusal, why) in refusals {
        for piped in [false, true] {
            let (mut requests, then) = (0, refusal.clone());
            gate.judge(move |bytes| {
                requests += u32::from(carries(bytes, "POST /"));
                if requests == 1 {
                    Verdict::CutAnswer
                } else {
                    then.clone()
                }
            });
            let call = CARELESS.invoke().key("n");
            if piped {
                let pipeline = Pipeline::new().script(call);
                assert_lost(&redis.pipeline(pipeline).await, why);
            } else {
                assert_lost(&redis.eval::<i64>(call).await, why);
            }
            count += 1;
            assert_eq!(
                store.count("n").await,
                count,
                "{why}: the first attempt ran"
            );
        }
    }
    gate.fail(http_answer("429 Too Many Requests", "", "{}"));
    let refused = redis.eval::<i64>(CARELESS.invoke().key("n")).await;
    assert!(
        matches!(refused, Err(Error::RateLimited { .. })),
        "nothing was in doubt: {refused:?}"
    );
}
