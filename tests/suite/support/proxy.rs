//! A TCP proxy in front of Postgres that does something when a statement goes by.
//!
//! Functions send their statements as text with every call, so a statement is known by its first words. What happens
//! at a statement is the test's affair: typically an instance is killed before the statement reaches the server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What is asked before bytes from a client go on: true lets them go on, false drops them and cuts the connection.
type Gatekeeper = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// A running proxy. It ends with the runtime it was started on.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    gatekeeper: Arc<Mutex<Option<Gatekeeper>>>,
}

impl Proxy {
    /// A proxy in front of `target`, through which everything passes.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            gatekeeper: Arc::default(),
        };
        let gatekeeper = Arc::clone(&proxy.gatekeeper);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target, Arc::clone(&gatekeeper)));
            }
        });
        proxy
    }

    /// Asks `gatekeeper` from now on.
    pub(crate) fn guard(&self, gatekeeper: impl Fn(&[u8]) -> bool + Send + Sync + 'static) {
        *self.gatekeeper.lock().unwrap() = Some(Arc::new(gatekeeper));
    }

    /// Lets everything pass again.
    pub(crate) fn open(&self) {
        *self.gatekeeper.lock().unwrap() = None;
    }

    /// The URL of a database, led through this proxy.
    pub(crate) fn lead(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }
}

async fn pass(client: TcpStream, target: SocketAddr, gatekeeper: Arc<Mutex<Option<Gatekeeper>>>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        let ask = gatekeeper.lock().unwrap().clone();
        let goes_on = ask.is_none_or(|ask| ask(&buffer[..count]));
        if !goes_on || to_server.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    back.abort();
}

/// Whether these bytes carry a statement that begins so.
pub(crate) fn carries(bytes: &[u8], statement: &str) -> bool {
    bytes
        .windows(statement.len())
        .any(|window| window.eq_ignore_ascii_case(statement.as_bytes()))
}
