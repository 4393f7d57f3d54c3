//! Pipelines, transactions and scripts: separate results for each item, or all items or none.

use local_redis_rest::Fault;
use shared::protocol::upstash::{Command, Error, Pipeline, Redis, Script};

use crate::support::store::Store;

static DOUBLE: Script = Script::new("return tonumber(ARGV[1]) * 2");
static COUNT: Script = Script::new("return redis.call('INCR', KEYS[1])");
static RAISE: Script = Script::new("return redis.error_reply('MINE said no')");

fn incr(key: &str) -> Command {
    Command::new("INCR").arg(key)
}

async fn forget_scripts(redis: &Redis) {
    redis
        .run::<()>(Command::new("SCRIPT").arg("FLUSH"))
        .await
        .unwrap();
}

#[tokio::test]
async fn error_in_a_pipeline_does_not_affect_other_items() {
    let store = Store::start().await;
    let redis = store.client();
    redis
        .run::<()>(Command::new("SET").arg("text").arg("no number"))
        .await
        .unwrap();
    redis.eval::<i64>(COUNT.invoke().key("warm")).await.unwrap();
    let pipeline = Pipeline::new()
        .command(incr("n"))
        .command(incr("text"))
        .command(Command::new("NOSUCHCOMMAND"))
        .script(RAISE.invoke())
        .script(COUNT.invoke().key("n"))
        .command(Command::new("GET").arg("n"));
    let mut replies = redis.pipeline(pipeline).await.unwrap();
    assert_eq!(replies.take::<i64>().unwrap(), 1);
    for why in ["no integer", "no such command", "the script's own error"] {
        let error = replies.take::<()>().unwrap_err();
        assert!(matches!(error, Error::Command(_)), "{why}: {error:?}");
    }
    assert_eq!(replies.take::<i64>().unwrap(), 2);
    assert_eq!(replies.take::<String>().unwrap(), "2");
    let beyond = replies.take::<()>();
    assert!(
        matches!(beyond, Err(Error::Decode(_))),
        "more answers than commands: {beyond:?}"
    );
}

#[tokio::test]
async fn pipeline_resends_only_the_scripts_missing_from_the_cache() {
    let store = Store::start().await;
    let redis = store.client();
    redis.eval::<i64>(DOUBLE.invoke().arg(1)).await.unwrap();
    let calls = || {
        Pipeline::new()
            .command(incr("n"))
            .script(DOUBLE.invoke().arg(21))
            .script(COUNT.invoke().key("c"))
            .command(incr("n"))
            .script(COUNT.invoke().key("c"))
    };
    forget_scripts(&redis).await;
    for (round, requests) in [(1, 2), (2, 1)] {
        let _ = redis.usage().take();
        let mut replies = redis.pipeline(calls()).await.unwrap();
        assert_eq!(
            replies.take::<i64>().unwrap(),
            2 * round - 1,
            "round {round}"
        );
        assert_eq!(replies.take::<i64>().unwrap(), 42);
        assert_eq!(replies.take::<i64>().unwrap(), 2 * round - 1);
        assert_eq!(
            replies.take::<i64>().unwrap(),
            2 * round,
            "a command was sent again"
        );
        assert_eq!(replies.take::<i64>().unwrap(), 2 * round);
        assert_eq!(redis.usage().take().requests, requests, "round {round}");
    }
}

#[tokio::test]
async fn script_is_sent_in_full_only_if_the_store_lacks_it() {
    let store = Store::start().await;
    let redis = store.client();
    for (round, requests) in [(1, 2), (2, 1)] {
        let _ = redis.usage().take();
        let count: i64 = redis.eval(COUNT.invoke().key("c")).await.unwrap();
        assert_eq!((count, redis.usage().take().requests), (round, requests));
    }
    forget_scripts(&redis).await;
    assert_eq!(redis.eval::<i64>(COUNT.invoke().key("c")).await.unwrap(), 3);
    store.front.faults().set_for_next(1, Fault::NoScript);
    assert_eq!(redis.eval::<i64>(COUNT.invoke().key("c")).await.unwrap(), 4);
    let raised = redis.eval::<()>(RAISE.invoke()).await.unwrap_err();
    assert!(
        matches!(raised, Error::Command(ref line) if line.starts_with("MINE said no")),
        "{raised:?}"
    );
}

#[tokio::test]
async fn transaction_with_a_command_that_cannot_be_queued_runs_nothing() {
    let store = Store::start().await;
    let redis = store.client();
    for wrong in [
        Command::new("NOSUCHCOMMAND"),
        Command::new("GET"),
        Command::new("SUBSCRIBE").arg("c"),
    ] {
        let commands = [incr("n"), wrong, incr("n")];
        let outcome = redis.transaction(&commands).await;
        assert!(
            matches!(outcome, Err(Error::Command(_))),
            "{:?}: {outcome:?}",
            commands[1]
        );
        assert_eq!(store.count("n").await, 0, "{:?}", commands[1]);
    }
}

#[tokio::test]
async fn error_during_a_transaction_fails_only_its_item() {
    let store = Store::start().await;
    let redis = store.client();
    redis
        .run::<()>(Command::new("SET").arg("text").arg("no number"))
        .await
        .unwrap();
    let mut replies = redis
        .transaction(&[incr("n"), incr("text"), incr("n")])
        .await
        .unwrap();
    assert_eq!(replies.take::<i64>().unwrap(), 1);
    assert!(matches!(replies.take::<i64>(), Err(Error::Command(_))));
    assert_eq!(replies.take::<i64>().unwrap(), 2);
}

#[tokio::test]
async fn transaction_is_not_interleaved_with_other_commands() {
    let store = Store::start().await;
    let writer = store.client();
    let both = [incr("a"), incr("b")];
    let writing = tokio::spawn(async move {
        for _ in 0..200 {
            writer.transaction(&both).await.unwrap();
        }
    });
    let reader = store.client();
    while !writing.is_finished() {
        let pair = Command::new("MGET").arg("a").arg("b");
        let pair: Vec<Option<i64>> = reader.run(pair).await.unwrap();
        assert_eq!(pair[0], pair[1], "half of a transaction was seen");
    }
    writing.await.unwrap();
    assert_eq!((store.count("a").await, store.count("b").await), (200, 200));
}
