//! A foreign host that the function must never call: it counts connections, and serves a forger's certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A listening host. It ends with the test's runtime.
pub(super) struct ForeignHost {
    pub(super) address: SocketAddr,
    visits: Arc<AtomicU32>,
}

impl ForeignHost {
    /// Starts a host that answers every request with `body`.
    pub(super) async fn start(status: &str, headers: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let visits = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&visits);
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
            body.len()
        );
        tokio::spawn(async move {
            while let Ok((mut visitor, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = visitor.read(&mut request).await;
                    let _ = visitor.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { address, visits }
    }

    /// Returns the number of connections.
    pub(super) fn visits(&self) -> u32 {
        self.visits.load(Ordering::SeqCst)
    }
}
