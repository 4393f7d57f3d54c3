//! A small HTTP server for the tests of the HTTP clients. It records each request byte for byte, and sends prepared
//! answers.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// The server's reaction to one request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Reads the request and closes the connection.
    Cut,
    /// Reads the request and never answers.
    Silence,
    /// Answers with a status, further header lines and a body.
    Reply(u16, Vec<String>, String),
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Reply(status, Vec::new(), body.to_owned())
    }

    pub(crate) fn with(self, header: &str) -> Self {
        match self {
            Self::Reply(status, mut headers, body) => {
                headers.push(header.to_owned());
                Self::Reply(status, headers, body)
            }
            other => other,
        }
    }
}

/// One received request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The server. It accepts one connection per answer, so that a repetition is recorded as a separate request.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    requests: Receiver<Request>,
}

impl Server {
    pub(crate) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let answers = answers.into_iter().collect();
        let (sender, requests) = channel();
        thread::spawn(move || {
            serve(&listener, answers, &sender);
            // The port closes before the channel, so that a closed channel implies a closed port.
            drop(listener);
            drop(sender);
        });
        Self { address, requests }
    }

    /// Returns the server's address, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the next received request.
    pub(crate) fn request(&self) -> Request {
        self.requests
            .recv_timeout(Duration::from_secs(20))
            .expect("a request")
    }

    /// Returns the number of received requests that were not read yet.
    pub(crate) fn requests(&self) -> usize {
        self.requests.try_iter().count()
    }

    /// Returns the address of a stopped server: it has no answers, so its port is closed.
    pub(crate) fn into_closed_url(self) -> String {
        assert!(self.requests.recv().is_err(), "the server is still there");
        format!("http://{}", self.address)
    }
}

fn serve(listener: &TcpListener, mut answers: VecDeque<Answer>, requests: &Sender<Request>) {
    let mut held = Vec::new();
    while let Some(answer) = answers.pop_front() {
        let (mut stream, _) = listener.accept().expect("a connection");
        let request = receive(&stream);
        let gone = requests.send(request).is_err();
        match answer {
            Answer::Cut => {}
            Answer::Silence => held.push(stream),
            Answer::Reply(status, headers, body) => reply(&mut stream, status, &headers, &body),
        }
        if gone {
            return;
        }
    }
    if !held.is_empty() {
        thread::sleep(Duration::from_secs(20));
    }
}

fn receive(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut lines = lines.into_iter();
    let line = lines.next().unwrap_or_default();
    let headers: Vec<(String, String)> = lines
        .filter_map(|it| {
            it.split_once(": ")
                .map(|(k, v)| (k.to_lowercase(), v.to_owned()))
        })
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    Request {
        line,
        headers,
        body,
    }
}

fn reply(stream: &mut TcpStream, status: u16, headers: &[String], body: &str) {
    let mut head = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    // The client may close the connection early, when the body is larger than its limit.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()));
}
