//! A Secrets Manager with one secret. It verifies every call's signature.
//!
//! The verification follows AWS's description of Signature Version 4 and shares no code with the client's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shared::base::clock::Clock;
use shared::base::hex::hex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The one secret's name.
pub(super) const ARN: &str =
    "arn:aws:secretsmanager:eu-central-1:000000000000:secret:signtusk/test-AbCdEf";

/// Its only access key id: the one that the local gateway gives functions.
pub(super) const KEY: &str = "local";

/// Its response to a valid call.
#[derive(Clone, Debug)]
pub(super) enum Conduct {
    /// Answers with this text as the secret.
    Holds(String),
    /// Answers with this status and body.
    Answers(u16, String),
    /// Never answers.
    IsSilent,
}

/// The running server. It ends with the test's runtime.
pub(super) struct Manager {
    pub(super) url: String,
    calls: Arc<Mutex<usize>>,
}

impl Manager {
    pub(super) async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(0));
        let counted = calls.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *counted.lock().unwrap() += 1;
                tokio::spawn(serve(stream, conduct.clone()));
            }
        });
        Self { url, calls }
    }

    /// Returns how often it was called.
    pub(super) fn calls(&self) -> usize {
        *self.calls.lock().unwrap()
    }
}

/// A received call.
struct Call {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

async fn serve(mut stream: TcpStream, conduct: Conduct) {
    let call = receive(&mut stream).await;
    let (status, body) = match (judge(&call), conduct) {
        (Err(code), _) => (
            400,
            json!({ "__type": code, "message": "hush" }).to_string(),
        ),
        (Ok(()), Conduct::Holds(secret)) => (
            200,
            json!({ "ARN": ARN, "Name": "signtusk/test", "SecretString": secret }).to_string(),
        ),
        (Ok(()), Conduct::Answers(status, body)) => (status, body),
        (Ok(()), Conduct::IsSilent) => {
            // Until the caller disconnects.
            let _ = stream.read_u8().await;
            return;
        }
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\n\r\n"
    );
    let _ = stream.write_all((head + &body).as_bytes()).await;
}

async fn receive(stream: &mut TcpStream) -> Call {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.unwrap()));
    }
    let mut lines = text.lines();
    let line = lines.next().unwrap().to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers["content-length"].parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    Call {
        line,
        headers,
        body: String::from_utf8(body).unwrap(),
    }
}

/// Returns the name of the exception for an invalid call.
fn judge(call: &Call) -> Result<(), &'static str> {
    let is_call = call.line == "POST / HTTP/1.1"
        && call.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
        && call.headers["content-type"] == "application/x-amz-json-1.1";
    if !is_call {
        return Err("UnknownOperationException");
    }
    if !is_signed(call) {
        return Err("InvalidSignatureException");
    }
    let asked: Value = serde_json::from_str(&call.body).map_err(|_| "SerializationException")?;
    if asked == json!({ "SecretId": ARN }) {
        Ok(())
    } else {
        Err("ResourceNotFoundException")
    }
}

fn is_signed(call: &Call) -> bool {
    let parameters: BTreeMap<&str, &str> = call.headers["authorization"]
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .unwrap()
        .split(", ")
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let (key_id, scope) = parameters["Credential"].split_once('/').unwrap();
    let date = &call.headers["x-amz-date"];
    let today = Clock::system().now().to_string().replace(['-', ':'], "");
    let names: Vec<&str> = parameters["SignedHeaders"].split(';').collect();
    let must = ["host", "x-amz-date", "x-amz-target", "content-type"];
    let token_is_signed = !call.headers.contains_key("x-amz-security-token")
        || names.contains(&"x-amz-security-token");
    let mut canonical = "POST\n/\n\n".to_owned();
    for name in &names {
        canonical.extend([name, ":", call.headers[*name].as_str(), "\n"]);
    }
    let hash = |text: &str| hex(&Sha256::digest(text.as_bytes()));
    canonical.extend(["\n", &names.join(";"), "\n", &hash(&call.body)]);
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(&canonical));
    let mut key = format!("AWS4{KEY}").into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part);
    }
    key_id == KEY
        && scope
            == format!(
                "{}/eu-central-1/secretsmanager/aws4_request",
                &date[..8]
            )
        // The day and the hour: a larger clock difference would also be the test's fault.
        && date[..11] == today[..11]
        && names.is_sorted()
        && must.iter().all(|name| names.contains(name))
        && token_is_signed
        && hex(&mac(&key, &text)) == parameters["Signature"]
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
