//! The copy of the block list: uncommitted entries never reach it, and entries that only the copy has are deleted.

use http::Method;
use redis::AsyncCommands as _;
use serde_json::json;

use super::blocklist::{LIST, block, status_from};
use crate::outbox::{ping, result};
use crate::support::TestCloud;
use crate::support::cloud::answer;
use crate::support::ledger::LedgerDatabase;

/// Makes every commit of a change of the list fail.
const REFUSE: &str = "
    create function signtusk.refuse_commit() returns trigger language plpgsql as
      $$ begin raise exception 'not committed'; end $$;
    create constraint trigger refuse_commit after insert or delete on signtusk.blocked_networks
      deferrable initially deferred for each row execute function signtusk.refuse_commit();";

const ALLOW: &str = "drop trigger refuse_commit on signtusk.blocked_networks";

#[tokio::test]
async fn uncommitted_block_has_no_effect() {
    let cloud = TestCloud::start().await;
    let database = LedgerDatabase::of(&cloud);
    let body = json!({ "cidr": "192.0.2.1", "reason": "kept" });
    assert_eq!(block(&cloud, &body).await.status, 200);
    ping(&cloud, "msg_first").await;
    database.execute(REFUSE).await;
    let body = json!({ "cidr": "192.0.2.2", "reason": "scanning" });
    let refused = block(&cloud, &body).await;
    assert!(refused.status.is_server_error(), "{refused:?}");
    let path = format!("{LIST}?cidr=192.0.2.1");
    let refused = answer(cloud.request(Method::DELETE, &path)).await;
    assert!(refused.status.is_server_error(), "{refused:?}");
    assert_eq!(status_from(&cloud, "192.0.2.2").await, 200, "a phantom");
    assert_eq!(
        status_from(&cloud, "192.0.2.1").await,
        403,
        "still on the list"
    );
    database.execute(ALLOW).await;
    // An unfinished change makes the next sweep rebuild the copy from the list.
    assert_eq!(result(&ping(&cloud, "msg_second").await)["blocked"], 1);
    assert_eq!(result(&ping(&cloud, "msg_third").await)["blocked"], 0);
    assert_eq!(status_from(&cloud, "192.0.2.1").await, 403);
    assert_eq!(status_from(&cloud, "192.0.2.2").await, 200);
}

#[tokio::test]
async fn block_found_only_in_the_copy_is_removed_when_the_copy_is_rebuilt() {
    let cloud = TestCloud::start().await;
    let body = json!({ "cidr": "192.0.2.1", "reason": "kept" });
    assert_eq!(block(&cloud, &body).await.status, 200);
    ping(&cloud, "msg_first").await;
    let mut redis = cloud.redis_connection().await;
    let _: () = redis
        .hset("blocklist:prefixes", "4/32:c0000202", 0)
        .await
        .unwrap();
    assert_eq!(status_from(&cloud, "192.0.2.2").await, 403);
    // The last writer of the list was killed before the copy was updated.
    let _: () = redis
        .hset("blocklist:prefixes", "filling", 1)
        .await
        .unwrap();
    assert_eq!(result(&ping(&cloud, "msg_second").await)["blocked"], 1);
    assert_eq!(status_from(&cloud, "192.0.2.2").await, 200);
    assert_eq!(status_from(&cloud, "192.0.2.1").await, 403);
    let left: Vec<String> = redis.keys("blocklist:next:*").await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    let whole: i64 = redis.hget("blocklist:prefixes", "filling").await.unwrap();
    assert_eq!(whole, 0);
}
