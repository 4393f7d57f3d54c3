//! A redis-server with its REST front, for tests that need no other part of a cloud.

use std::net::SocketAddr;

use local::redis_server::{self, RedisServer};
use local_redis_rest::Front;
use redis::aio::MultiplexedConnection;
use shared::base::secret::Secret;
use shared::protocol::upstash::Redis;
use tempfile::TempDir;
use url::Url;

const TOKEN: &str = "standard-token";

/// A store for one test. It ends with the test.
pub(crate) struct Store {
    pub(crate) front: Front,
    server: RedisServer,
    _folder: TempDir,
}

impl Store {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = RedisServer::start(redis_server::Settings {
            port: 0,
            folder: folder.path().to_owned(),
            durable: false,
            log: folder.path().join("log"),
        })
        .await
        .unwrap();
        Self {
            front: front("127.0.0.1:0".parse().unwrap(), server.address()).await,
            server,
            _folder: folder,
        }
    }

    /// Returns a client with the front's token.
    pub(crate) fn client(&self) -> Redis {
        client(&self.front.url(), TOKEN)
    }

    /// Returns a client with the front's token at this URL.
    pub(crate) fn client_at(url: &str) -> Redis {
        client(url, TOKEN)
    }

    /// Starts another front of the same store, which this front's faults do not affect, and returns it with a client.
    pub(crate) async fn other_front(&self) -> (Front, Redis) {
        let front = front("127.0.0.1:0".parse().unwrap(), self.server.address()).await;
        let redis = client(&front.url(), TOKEN);
        (front, redis)
    }

    /// Returns a direct connection to the redis-server, without the front and its faults.
    pub(crate) async fn direct(&self) -> MultiplexedConnection {
        let url = format!("redis://{}", self.server.address());
        let client = redis::Client::open(url).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Returns the value of a counter, read directly; 0 if it does not exist.
    pub(crate) async fn count(&self, key: &str) -> i64 {
        let count: Option<i64> = redis::cmd("GET")
            .arg(key)
            .query_async(&mut self.direct().await)
            .await
            .unwrap();
        count.unwrap_or(0)
    }

    /// Starts another front on the same port: every old connection is dead.
    pub(crate) async fn restart_front(self) -> Self {
        let address = self
            .front
            .url()
            .trim_start_matches("http://")
            .parse()
            .unwrap();
        self.front.stop().await;
        Self {
            front: front(address, self.server.address()).await,
            ..self
        }
    }

    /// Stops redis-server; its front stays.
    pub(crate) async fn lose_server(self) -> Front {
        self.server.stop().await;
        self.front
    }
}

/// Returns a client of the server at `url`.
pub(crate) fn client(url: &str, token: &str) -> Redis {
    Redis::new(&Url::parse(url).unwrap(), &Secret::new(token.to_owned())).unwrap()
}

async fn front(listen: SocketAddr, redis: SocketAddr) -> Front {
    let settings = local_redis_rest::Settings::new(listen, redis, TOKEN.to_owned());
    local_redis_rest::start(settings).await.unwrap()
}
