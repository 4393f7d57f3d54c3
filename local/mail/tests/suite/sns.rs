//! Signatures of the topic, verified by an independent program: Node.js over OpenSSL, which fetches the certificate
//! from the URL in the message.

use std::io::Write;
use std::process::{Command, Stdio};

use local_mail::events::sns::{Message, Signer};
use local_mail::{Server, Settings, start};

/// A script that reads messages, one per line, and verifies each signature as Amazon documents it.
const CHECK: &str = r#"
const { X509Certificate, createVerify } = require("node:crypto");
const text = require("node:fs").readFileSync(0, "utf8");
const check = async (message) => {
  const pem = await (await fetch(message.SigningCertURL)).text();
  const names = message.Type === "Notification"
    ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
  const signed = names.filter((name) => name in message).map((name) => `${name}\n${message[name]}\n`).join("");
  const verify = createVerify("RSA-SHA256").update(signed, "utf8");
  return message.SignatureVersion === "2"
    && verify.verify(new X509Certificate(pem).publicKey, message.Signature, "base64");
};
Promise.all(JSON.parse(text).map((body) => check(JSON.parse(body)))).then((all) => console.log(JSON.stringify(all)));
"#;

async fn server(data: &tempfile::TempDir) -> Server {
    start(Settings::throwaway(data.path())).await.unwrap()
}

/// Returns the other program's result for each message.
async fn checked(messages: &[Message]) -> Vec<bool> {
    let bodies: Vec<String> = messages.iter().map(Message::body).collect();
    let bodies = serde_json::to_string(&bodies).unwrap();
    let output = tokio::task::spawn_blocking(move || {
        let mut node = Command::new("node")
            .args(["-e", CHECK])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = node.stdin.take().unwrap();
        stdin.write_all(bodies.as_bytes()).unwrap();
        drop(stdin);
        node.wait_with_output().unwrap().stdout
    });
    serde_json::from_slice(&output.await.unwrap()).unwrap()
}

#[tokio::test]
async fn topic_signatures_are_verified_by_another_program_and_forgeries_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let signer = Signer::new(&server.sns_url()).unwrap();
    let notification = signer.notification("{\"a\": \"ü\\n\"}").unwrap();
    let mut with_subject = notification.clone();
    with_subject.set("Subject", "Amazon SES Email Event Notification");
    let subject_added = with_subject.clone();
    signer.sign(&mut with_subject).unwrap();
    let mut changed = notification.clone();
    changed.set("Message", "{}");
    let genuine = [
        notification,
        with_subject,
        signer.subscription_confirmation("token").unwrap(),
        signer.unsubscribe_confirmation("token").unwrap(),
    ];
    assert_eq!(checked(&genuine).await, [true; 4]);
    let stranger = Signer::stranger(&server.sns_url()).unwrap();
    let forged = [changed, subject_added, stranger.notification("{}").unwrap()];
    assert_eq!(checked(&forged).await, [false; 3]);
    server.stop().await;
}
