//! A TCP proxy in front of Postgres or Redis that acts when a statement or its reply passes.
//!
//! Functions send their statements as text with every call, so the first words identify a statement. The test decides
//! on the action. Typically it kills an instance before the statement reaches the server, or before the reply arrives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Decides on bytes before they are forwarded: true forwards them, false drops them and cuts the connection.
type Gatekeeper = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// One direction. Clones share it.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<Option<Gatekeeper>>>);

/// A running proxy. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    requests: Gate,
    answers: Gate,
}

impl Proxy {
    /// Starts a proxy in front of `target` that forwards everything.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            requests: Gate::default(),
            answers: Gate::default(),
        };
        let (requests, answers) = (proxy.requests.clone(), proxy.answers.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target, requests.clone(), answers.clone()));
            }
        });
        proxy
    }

    /// Lets `gatekeeper` decide on all further bytes of clients.
    pub(crate) fn guard(&self, gatekeeper: impl Fn(&[u8]) -> bool + Send + Sync + 'static) {
        self.requests.set(Some(Arc::new(gatekeeper)));
    }

    /// Lets `gatekeeper` decide on all further bytes of the server.
    pub(crate) fn guard_answers(&self, gatekeeper: impl Fn(&[u8]) -> bool + Send + Sync + 'static) {
        self.answers.set(Some(Arc::new(gatekeeper)));
    }

    /// Forwards everything again.
    pub(crate) fn open(&self) {
        self.requests.set(None);
        self.answers.set(None);
    }

    /// Returns the URL of a database through this proxy.
    pub(crate) fn lead(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }
}

impl Gate {
    fn set(&self, gatekeeper: Option<Gatekeeper>) {
        *self.0.lock().unwrap() = gatekeeper;
    }

    fn lets_through(&self, bytes: &[u8]) -> bool {
        let ask = self.0.lock().unwrap().clone();
        ask.is_none_or(|ask| ask(bytes))
    }
}

/// Serves one connection: when either direction ends, it is cut.
async fn pass(client: TcpStream, target: SocketAddr, requests: Gate, answers: Gate) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = relay(from_client, to_server, requests) => {}
        () = relay(from_server, to_client, answers) => {}
    }
}

async fn relay(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gate: Gate) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..count];
        if !gate.lets_through(bytes) || to.write_all(bytes).await.is_err() {
            break;
        }
    }
}

/// Returns whether these bytes contain a text, in upper or lower case. It checks every passing byte, so it uses the
/// standard library's search, which is optimised where the tests are not.
pub(crate) fn carries(bytes: &[u8], text: &str) -> bool {
    let bytes = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    bytes.contains(&text.to_ascii_lowercase())
}
