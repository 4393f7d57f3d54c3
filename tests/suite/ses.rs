//! The function's use of SES, tested with two independent implementations: the local cloud's and moto's.
//!
//! moto stores a mail's sender, recipients, subject and HTML. Only the local SES shows the rest (headers, tags, text),
//! which other tests check there.

use local_mail::Provider;
use serde_json::{Value, json};

use crate::support::TestCloud;
use crate::support::cloud::{TIMEOUT, answer, with_json};
use crate::support::ledger::LedgerDatabase;
use crate::support::moto::Moto;
use crate::support::payloads::{address, bulk, signature_request};
use crate::support::waiting::statuses;

/// A display name that needs quotes.
const FROM: &str = r#""Sign, Tusk" <noreply@signtusk.localhost>"#;

/// A sender that no SES here has verified.
const STRANGER: &str = "SignTusk <noreply@elsewhere.example>";

/// A mail as its SES accepted it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    to: String,
    from: String,
    subject: String,
    html: String,
    id: String,
}

/// A cloud whose mails go to one SES.
struct Stage {
    cloud: TestCloud,
    /// moto, if it is used.
    moto: Option<Moto>,
}

impl Stage {
    async fn local(from: &str) -> Self {
        let cloud = cloud(from, None).await;
        Self { cloud, moto: None }
    }

    async fn moto(from: &str) -> Self {
        let moto = Moto::start().await;
        Self {
            cloud: cloud(from, Some(&moto)).await,
            moto: Some(moto),
        }
    }

    /// Returns the accepted mails, by recipient.
    async fn taken(&self) -> Vec<Taken> {
        let mut taken: Vec<Taken> = match &self.moto {
            Some(moto) => moto.kept("ses", "Message").await.iter().map(read).collect(),
            None => self.cloud.mail().messages(None).iter().map(seen).collect(),
        };
        taken.sort();
        taken
    }
}

async fn cloud(from: &str, moto: Option<&Moto>) -> TestCloud {
    TestCloud::start_with(|settings| {
        settings.email_provider = Provider::Ses;
        settings.qstash_speed = 600.0;
        let mut set = |name: &str, value: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            settings.overrides.insert(name, value)
        };
        set("EMAIL_FROM", from);
        if let Some(moto) = moto {
            set("AWS_ENDPOINT_URL_SESV2", moto.url());
        }
    })
    .await
}

fn read(message: &Value) -> Taken {
    let text = |name: &str| message[name].as_str().unwrap().to_owned();
    let to = &message["destinations"]["ToAddresses"];
    assert_eq!(to.as_array().unwrap().len(), 1, "{to}");
    Taken {
        to: to[0].as_str().unwrap().to_owned(),
        from: text("source"),
        subject: text("subject"),
        html: text("body"),
        id: text("id"),
    }
}

fn seen(mail: &local_mail::Mail) -> Taken {
    Taken {
        to: mail.to.join(","),
        from: mail.from.clone(),
        subject: mail.subject.clone(),
        html: mail.html.clone(),
        id: mail.id.clone(),
    }
}

/// Verifies a domain or an address at moto's SES.
async fn verify(moto: &Moto, identity: &str) {
    let http = shared::protocol::http::client(TIMEOUT).unwrap();
    let url = format!("{}/v2/email/identities", moto.url());
    // moto reads account, region and service from it, and does not check the signature.
    let credential = "AWS4-HMAC-SHA256 Credential=ASIALOCALCLOUD/20260101/us-east-1/ses/aws4_request, \
                      SignedHeaders=host, Signature=0";
    let request = http.post(url).header("authorization", credential);
    let made = answer(with_json(request, &json!({ "EmailIdentity": identity }))).await;
    assert_eq!(made.status, 200, "{made:?}");
}

#[tokio::test]
async fn mails_arrive_complete_and_once_at_both_ses_servers() {
    let (local, other) = tokio::join!(Stage::local(FROM), Stage::moto(FROM));
    verify(other.moto.as_ref().unwrap(), "signtusk.localhost").await;
    let mut arrived = Vec::new();
    for stage in [&local, &other] {
        let mut letter = signature_request("ann@example.com");
        letter["documentTitle"] = format!("<b>Größe & 長さ</b> {}", "x".repeat(270)).into();
        let id = stage.cloud.enqueue(&letter).await;
        stage.cloud.wait_for(&id, "completed").await;
        let bulk = stage.cloud.post("/api/queue/emails/bulk", &bulk(3)).await;
        let bulk = bulk.body["jobIds"][0].as_str().unwrap().to_owned();
        stage.cloud.wait_for(&bulk, "completed").await;

        let taken = stage.taken().await;
        let to: Vec<&str> = taken.iter().map(|mail| mail.to.as_str()).collect();
        let expected = ["ann@example.com", &address(0), &address(1), &address(2)];
        assert_eq!(to, expected);
        for mail in &taken {
            assert_eq!(mail.from, FROM);
            assert_eq!(ledger_id(&stage.cloud, &mail.to).await, mail.id.as_str());
        }
        arrived.push(taken);
    }
    for (here, there) in arrived[0].iter().zip(&arrived[1]) {
        assert_eq!(here.subject, there.subject);
        if here.to == "ann@example.com" {
            assert_eq!(here.html, there.html);
        }
    }
}

/// Returns the provider's id of a recipient's mail from the ledger.
async fn ledger_id(cloud: &TestCloud, to: &str) -> Value {
    let sql = format!(
        "select to_jsonb(message_id) as value from signtusk.email_ledger \
         where recipient = '{to}' and state = 'accepted'"
    );
    LedgerDatabase::of(cloud).read(&sql).await
}

#[tokio::test]
async fn sender_unknown_to_ses_is_retried_and_no_mail_is_lost() {
    let (local, other) = tokio::join!(Stage::local(STRANGER), Stage::moto(STRANGER));
    for stage in [&local, &other] {
        stage.cloud.qstash().hold(true);
        let letter = signature_request("ann@example.com");
        let id = stage.cloud.enqueue(&letter).await;
        let mut message = letter.clone();
        message["jobId"] = id.clone().into();
        let refused = stage.cloud.deliver("send-email", &message).await;
        refused.assert_problem(503, "retry", "the sender is not verified");
        let job = stage.cloud.job(&id).await;
        assert_eq!(job["status"], "failed", "{job:#}");
        let error = job["error"].as_str().unwrap();
        assert!(error.contains("MessageRejected"), "{job:#}");
        assert!(!error.contains('@'), "a reason holds no address: {job:#}");
        assert_eq!(stage.taken().await, []);

        let Some(moto) = &stage.moto else { continue };
        verify(moto, "noreply@elsewhere.example").await;
        stage.cloud.qstash().hold(false);
        let job = stage.cloud.wait_for(&id, "completed").await;
        let life = ["queued", "processing", "failed", "processing", "completed"];
        assert_eq!(statuses(&job), life, "{job:#}");
        assert_eq!(job["result"]["inDoubt"], 0, "{job:#}");
        assert_eq!(stage.taken().await.len(), 1);
    }
}
