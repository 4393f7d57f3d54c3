//! The redis-server itself is stopped, with and without its data.

use std::net::SocketAddr;

use local::redis_server::{RedisServer, Settings};

use super::{
    ANN, assert_come_again, assert_one_mail_each, eventually, message, refused_deliveries, warm,
};
use crate::support::TestCloud;
use crate::support::payloads::signature_request;

/// Stops the redis-server of a cloud after it has written its data, if it keeps any.
pub(crate) async fn shut_down(address: SocketAddr) {
    let client = redis::Client::open(format!("redis://{address}")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    // It has no time to reply.
    let _ = redis::cmd("SHUTDOWN").exec_async(&mut connection).await;
    eventually("redis-server has ended", async || {
        tokio::net::TcpStream::connect(address).await.is_err()
    })
    .await;
}

/// Starts another redis-server in place of the stopped one.
pub(crate) async fn start_again(cloud: &TestCloud, folder: &str, durable: bool) -> RedisServer {
    RedisServer::start(Settings {
        port: cloud.redis_server_addr().port(),
        folder: cloud.data().join(folder),
        durable,
        log: cloud.data().join(format!("{folder}-again.log")),
    })
    .await
    .unwrap()
}

/// Enqueues, stops redis-server, and starts another on `folder` once a delivery has failed.
async fn survive_a_stop(
    folder: &str,
    durable: bool,
    why: &str,
) -> (TestCloud, RedisServer, String) {
    let cloud = TestCloud::start_with(|settings| {
        settings.durable = durable;
        settings.qstash_speed = 10.0;
    })
    .await;
    warm(&cloud).await;
    cloud.qstash().hold(true);
    let id = cloud.enqueue(&signature_request(ANN)).await;
    shut_down(cloud.redis_server_addr()).await;

    let answer = cloud
        .post("/api/queue/emails", &signature_request(ANN))
        .await;
    assert_come_again(&answer, "unavailable", why);
    let answer = cloud.deliver("send-email", &message(&id, ANN)).await;
    assert_come_again(&answer, "retry", why);
    cloud.qstash().hold(false);
    eventually("the queue was refused", async || {
        !refused_deliveries(&cloud).await.is_empty()
    })
    .await;
    let server = start_again(&cloud, folder, durable).await;
    (cloud, server, id)
}

#[tokio::test]
async fn stopped_redis_loses_and_repeats_no_job_after_its_return() {
    let (cloud, _server, id) = survive_a_stop("redis", true, "stopped with its data").await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(job["attempts"], 1, "{job:#}");
    assert_eq!(super::statuses(&job), ["queued", "processing", "completed"]);
    assert_one_mail_each(&cloud, &[ANN], "a stopped redis");
}

#[tokio::test]
async fn emptied_redis_still_completes_every_queued_job() {
    let (cloud, _server, id) = survive_a_stop("redis-empty", false, "stopped and emptied").await;
    let job = cloud.wait_for(&id, "completed").await;
    assert_eq!(
        super::statuses(&job),
        ["processing", "completed"],
        "{job:#}"
    );
    assert_one_mail_each(&cloud, &[ANN], "an emptied redis");
}
