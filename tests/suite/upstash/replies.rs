//! Typed replies: a value in Redis arrives as the requested type, or fails with an error that names it.

use shared::protocol::upstash::{Command, Error, Pairs, Redis, Reply, Script};

use crate::support::store::Store;

static NESTED: Script = Script::repeatable("return {1, 'a', {2, {'OK', false}}, ''}");

fn command(words: &[&str]) -> Command {
    let (name, arguments) = words.split_first().unwrap();
    Command::new(name).args(arguments)
}

async fn fill(redis: &Redis) {
    for words in [
        &["SET", "text", "Grüße, 世界"][..],
        &["SET", "number", "42"],
        &["SET", "negative", "-7"],
        &["SET", "empty", ""],
        &["SET", "ok", "OK"],
        &["RPUSH", "list", "a", "", "OK"],
        &["HSET", "hash", "one", "1", "two", "2"],
        &["ZADD", "scores", "3", "c"],
    ] {
        redis.run::<()>(command(words)).await.unwrap();
    }
}

#[tokio::test]
async fn reply_is_read_as_the_requested_type() {
    let store = Store::start().await;
    let redis = store.client();
    fill(&redis).await;
    let text = async |key| redis.run::<String>(command(&["GET", key])).await.unwrap();
    assert_eq!(text("text").await, "Grüße, 世界");
    assert_eq!(text("empty").await, "");
    assert_eq!(text("ok").await, "OK", "a value that looks like a status");
    assert_eq!(text("number").await, "42");
    let missing: Option<String> = redis.run(command(&["GET", "missing"])).await.unwrap();
    assert_eq!(missing, None);
    let number = async |key| redis.run::<i64>(command(&["GET", key])).await.unwrap();
    assert_eq!((number("number").await, number("negative").await), (42, -7));
    assert_eq!(
        redis
            .run::<u64>(command(&["INCR", "number"]))
            .await
            .unwrap(),
        43
    );
    let list: Vec<String> = redis
        .run(command(&["LRANGE", "list", "0", "-1"]))
        .await
        .unwrap();
    assert_eq!(list, ["a", "", "OK"]);
    let many: Vec<Option<i64>> = redis
        .run(command(&["MGET", "number", "missing"]))
        .await
        .unwrap();
    assert_eq!(many, [Some(43), None]);
    let Pairs(mut fields) = redis
        .run::<Pairs<String, u64>>(command(&["HGETALL", "hash"]))
        .await
        .unwrap();
    fields.sort();
    assert_eq!(fields, [("one".to_owned(), 1), ("two".to_owned(), 2)]);
    let scores: Pairs<Vec<u8>, String> = redis
        .run(command(&["ZRANGE", "scores", "0", "-1", "WITHSCORES"]))
        .await
        .unwrap();
    assert_eq!(scores, Pairs(vec![(b"c".to_vec(), "3".to_owned())]));
}

#[tokio::test]
async fn nested_reply_keeps_its_shape() {
    let store = Store::start().await;
    let nested: Reply = store.client().eval(NESTED.invoke()).await.unwrap();
    let text = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
    let inner = Reply::Array(vec![text("OK"), Reply::Nil]);
    assert_eq!(
        nested,
        Reply::Array(vec![
            Reply::Integer(1),
            text("a"),
            Reply::Array(vec![Reply::Integer(2), inner]),
            text(""),
        ])
    );
}

#[tokio::test]
async fn reply_of_another_type_is_refused() {
    let store = Store::start().await;
    let redis = store.client();
    fill(&redis).await;
    let get = |key| command(&["GET", key]);
    let wrong = |outcome: Result<(), Error>, why: &str| {
        assert!(
            matches!(outcome, Err(Error::Decode(_))),
            "{why}: {outcome:?}"
        );
    };
    wrong(
        redis.run::<i64>(get("text")).await.map(drop),
        "text is no number",
    );
    wrong(
        redis.run::<i64>(get("empty")).await.map(drop),
        "nothing is no number",
    );
    wrong(
        redis.run::<u64>(get("negative")).await.map(drop),
        "-7 is no count",
    );
    wrong(
        redis.run::<String>(get("missing")).await.map(drop),
        "nil is no text",
    );
    wrong(
        redis.run::<Vec<String>>(get("text")).await.map(drop),
        "text is no list",
    );
    let list = command(&["LRANGE", "list", "0", "-1"]);
    wrong(
        redis.run::<String>(list.clone()).await.map(drop),
        "a list is no text",
    );
    wrong(
        redis.run::<Pairs<String, String>>(list).await.map(drop),
        "three items are no pairs",
    );
    let largest = command(&["INCRBY", "largest", &i64::MAX.to_string()]);
    assert_eq!(redis.run::<i64>(largest).await.unwrap(), i64::MAX);
}

#[tokio::test]
async fn requests_and_commands_are_counted_and_the_count_restarts() {
    let store = Store::start().await;
    let redis = store.client();
    redis.connect().await;
    assert_eq!(
        redis.usage().take().requests,
        0,
        "opening the connection is not spending"
    );
    let before = store.front.requests();
    redis.run::<()>(command(&["SET", "k", "v"])).await.unwrap();
    let clone = redis.clone();
    clone
        .transaction(&[command(&["INCR", "a"]), command(&["INCR", "b"])])
        .await
        .unwrap();
    let spent = redis.usage().take();
    assert_eq!(
        (spent.requests, spent.commands),
        (2, 3),
        "clones count together"
    );
    assert_eq!(store.front.requests() - before, 2);
    assert_eq!(redis.usage().take().requests, 0);
}
