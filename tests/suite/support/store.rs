//! A redis-server with its REST front, for what needs no more of a cloud than that.

use std::net::SocketAddr;

use local::redis_server::{self, RedisServer};
use local_redis_rest::Front;
use redis::aio::MultiplexedConnection;
use shared::base::secret::Secret;
use shared::protocol::upstash::Redis;
use tempfile::TempDir;
use url::Url;

const TOKEN: &str = "standard-token";

/// A store of the test's own. It ends with the test.
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

    /// A client with the front's token.
    pub(crate) fn client(&self) -> Redis {
        client(&self.front.url(), TOKEN)
    }

    /// A client with the front's token that reaches it at this URL.
    pub(crate) fn client_at(url: &str) -> Redis {
        client(url, TOKEN)
    }

    /// Another front of the same store, which the faults of this one do not reach, and a client of it.
    pub(crate) async fn other_front(&self) -> (Front, Redis) {
        let front = front("127.0.0.1:0".parse().unwrap(), self.server.address()).await;
        let redis = client(&front.url(), TOKEN);
        (front, redis)
    }

    /// A connection to the redis-server itself, past the front and its faults.
    pub(crate) async fn direct(&self) -> MultiplexedConnection {
        let url = format!("redis://{}", self.server.address());
        let client = redis::Client::open(url).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// What a counter stands at, past the front and its faults; 0 if it is not there.
    pub(crate) async fn count(&self, key: &str) -> i64 {
        let count: Option<i64> = redis::cmd("GET")
            .arg(key)
            .query_async(&mut self.direct().await)
            .await
            .unwrap();
        count.unwrap_or(0)
    }

    /// Another front on the same port: every connection of the one before is dead.
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

    /// Ends redis-server; its front stays.
    pub(crate) async fn lose_server(self) -> Front {
        self.server.stop().await;
        self.front
    }
}

/// A client of whatever answers at `url`.
pub(crate) fn client(url: &str, token: &str) -> Redis {
    Redis::new(&Url::parse(url).unwrap(), &Secret::new(token.to_owned())).unwrap()
}

async fn front(listen: SocketAddr, redis: SocketAddr) -> Front {
    let settings = local_redis_rest::Settings::new(listen, redis, TOKEN.to_owned());
    local_redis_rest::start(settings).await.unwrap()
}
