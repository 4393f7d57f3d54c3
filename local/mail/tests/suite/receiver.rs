//! A receiver of events on loopback that records its requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::http_client::call;

/// One request to a receiver.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The request line and the headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let value = |line: &str| line.strip_prefix(&format!("{name}: ")).map(str::to_owned);
        self.head.lines().find_map(value).unwrap_or_default()
    }
}

/// A receiver of events. It answers with the planned statuses, then 200, and confirms the topic's subscription.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    pub(crate) answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    pub(crate) async fn listen() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let (kept, planned) = (Arc::clone(&received), Arc::clone(&answers));
        tokio::spawn(async move {
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&kept), Arc::clone(&planned)));
            }
        });
        Self {
            url,
            received,
            answers,
        }
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Returns the provider's events so far, without the topic's envelope.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = |received: &Received| {
            let body = received.json();
            match body["Type"].as_str() {
                Some("Notification") => body["Message"].as_str().map(str::to_owned),
                Some(_) => None,
                None => Some(received.body.clone()),
            }
        };
        let texts = self.all().iter().filter_map(text).collect::<Vec<_>>();
        texts
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect()
    }

    /// Returns the kinds of the events, in any order.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = self
            .events()
            .iter()
            .map(|event| {
                event["eventType"]
                    .as_str()
                    .or(event["type"].as_str())
                    .unwrap()
                    .to_owned()
            })
            .collect();
        kinds.sort();
        kinds
    }
}

async fn serve(
    mut stream: TcpStream,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
) {
    let mut bytes = Vec::new();
    let request = loop {
        let read = stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let request = Received {
                head,
                body: body.to_owned(),
            };
            if body.len() == request.header("content-length").parse::<usize>().unwrap() {
                break request;
            }
        }
        assert!(read > 0, "an unfinished request");
    };
    let body = request.json();
    if body["Type"] == "SubscriptionConfirmation" {
        visit(body["SubscribeURL"].as_str().unwrap()).await;
    }
    let status = answers.lock().unwrap().pop_front().unwrap_or(200);
    received.lock().unwrap().push(request);
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// Sends a GET; returns the status and the body.
pub(crate) async fn visit(url: &str) -> (u16, String) {
    let (origin, path) = url.split_at(url.match_indices('/').nth(2).unwrap().0);
    let answer = call(origin, &format!("GET {path} HTTP/1.1\r\n"), b"").await;
    (answer.status, answer.body)
}
