//! A gate in a connection: it forwards bytes, or fails like a network or the server behind it.
//!
//! It knows no protocol. The content of each chunk of bytes decides its fate, so a test can fail the reply to one
//! script or one statement and no other.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

use crate::support::proxy::carries;

/// The bytes of a response that pass before it is cut.
const CUT_AFTER: usize = 9;

/// The action on bytes from the client.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// They are forwarded.
    Pass,
    /// They are forwarded, and the response is cut after its first few bytes: the request has been executed.
    CutAnswer,
    /// They are dropped, and the connection is closed.
    Cut,
    /// They are dropped, and no response arrives.
    Silence,
    /// They are dropped; this is the response, after which the connection is closed.
    Answer(String),
}

type Judge = Box<dyn FnMut(&[u8]) -> Verdict + Send>;

/// A running gate. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Gate {
    address: SocketAddr,
    target: Arc<Mutex<Option<SocketAddr>>>,
    judge: Arc<Mutex<Judge>>,
    failures: Arc<AtomicU32>,
    /// The number of connections so far.
    connections: Arc<AtomicU32>,
    /// Connections before this one get no response any more.
    silenced: Arc<AtomicU32>,
    /// Counts up when open connections are to be closed.
    severed: watch::Sender<u32>,
}

impl Gate {
    /// Starts a gate without a target.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gate = Self {
            address: listener.local_addr().unwrap(),
            target: Arc::default(),
            judge: Arc::new(Mutex::new(Box::new(|_| Verdict::Pass))),
            failures: Arc::default(),
            connections: Arc::default(),
            silenced: Arc::default(),
            severed: watch::Sender::new(0),
        };
        let standing = gate.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(standing.clone().lead_through(client));
            }
        });
        gate
    }

    /// Returns the URL of an HTTP server behind this gate.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the server at `url` as the target.
    pub(crate) fn aim(&self, url: &str) {
        let url = Url::parse(url).unwrap();
        let host = url.host_str().unwrap().parse().unwrap();
        *self.target.lock().unwrap() = Some(SocketAddr::new(host, url.port().unwrap()));
    }

    /// Sets the server at `url` as the target, and returns the URL through this gate.
    pub(crate) fn lead(&self, url: &str) -> String {
        self.aim(url);
        let mut url = Url::parse(url).unwrap();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    /// Forwards everything again. Open connections stay open.
    pub(crate) fn open(&self) {
        self.judge(|_| Verdict::Pass);
    }

    /// Applies this verdict to every further chunk.
    pub(crate) fn fail(&self, verdict: Verdict) {
        self.judge(move |_| verdict.clone());
    }

    /// Fails the next `times` chunks that contain `text`; all others pass.
    pub(crate) fn fail_at(&self, text: &str, times: u32, verdict: Verdict) {
        let (text, mut left) = (text.to_owned(), times);
        self.judge(move |bytes| {
            if left == 0 || !carries(bytes, &text) {
                return Verdict::Pass;
            }
            left -= 1;
            verdict.clone()
        });
    }

    /// Returns whether a chunk has failed since the verdict was last set.
    pub(crate) fn has_failed(&self) -> bool {
        self.failures.load(Ordering::SeqCst) > 0
    }

    /// Closes every open connection; new ones are forwarded.
    pub(crate) fn sever(&self) {
        self.severed.send_modify(|count| *count += 1);
    }

    /// Silences every open connection without closing it; new ones are forwarded.
    pub(crate) fn silence_open_connections(&self) {
        let open = self.connections.load(Ordering::SeqCst);
        self.silenced.store(open, Ordering::SeqCst);
    }

    /// Lets `judge` decide about every further chunk.
    pub(crate) fn judge(&self, judge: impl FnMut(&[u8]) -> Verdict + Send + 'static) {
        let mut standing = self.judge.lock().unwrap();
        self.failures.store(0, Ordering::SeqCst);
        *standing = Box::new(judge);
    }

    fn verdict(&self, connection: u32, bytes: &[u8]) -> Verdict {
        if connection < self.silenced.load(Ordering::SeqCst) {
            return Verdict::Silence;
        }
        let verdict = (self.judge.lock().unwrap())(bytes);
        if !matches!(verdict, Verdict::Pass) {
            self.failures.fetch_add(1, Ordering::SeqCst);
        }
        verdict
    }

    async fn lead_through(self, client: TcpStream) {
        let mut severed = self.severed.subscribe();
        let target = *self.target.lock().unwrap();
        // If the target does not listen, the client's connection is closed, which is equal to a refusal.
        let Ok(server) = TcpStream::connect(target.unwrap()).await else {
            return;
        };
        tokio::select! {
            _ = severed.changed() => {}
            () = self.relay(client, server) => {}
        }
    }

    async fn relay(&self, client: TcpStream, server: TcpStream) {
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let cut = watch::Sender::new(false);
        tokio::select! {
            () = self.forward(number, from_client, to_server, &to_client, &cut) => {}
            () = back(from_server, &to_client, cut.subscribe()) => {}
        }
    }

    async fn forward(
        &self,
        connection: u32,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        client: &OwnedWriteHalf,
        cut: &watch::Sender<bool>,
    ) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let bytes = &buffer[..count];
            match self.verdict(connection, bytes) {
                Verdict::Pass => {}
                Verdict::CutAnswer => drop(cut.send_replace(true)),
                Verdict::Cut => return,
                Verdict::Silence => return drain(from).await,
                Verdict::Answer(text) => {
                    write(client, text.as_bytes()).await;
                    // The rest of the request is read: closing with unread bytes would destroy the response.
                    let _ = tokio::time::timeout(Duration::from_millis(200), drain(from)).await;
                    return;
                }
            }
            if to.write_all(bytes).await.is_err() {
                return;
            }
        }
    }
}

/// Reads and discards until the other side closes.
async fn drain(mut from: OwnedReadHalf) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(1..) = from.read(&mut buffer).await {}
}

/// Forwards responses, or the first part of one.
async fn back(mut from: OwnedReadHalf, client: &OwnedWriteHalf, cut: watch::Receiver<bool>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if *cut.borrow() {
            write(client, &buffer[..count.min(CUT_AFTER)]).await;
            return;
        }
        if !write(client, &buffer[..count]).await {
            return;
        }
    }
}

/// Writes all bytes. Both directions write to the client, which `write_all` on an owned half does not allow.
async fn write(to: &OwnedWriteHalf, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        if to.writable().await.is_err() {
            return false;
        }
        match to.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
    }
    true
}

/// Returns an HTTP response that closes its connection.
pub(crate) fn http_answer(status: &str, headers: &str, body: &str) -> Verdict {
    let length = body.len();
    Verdict::Answer(format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))
}
