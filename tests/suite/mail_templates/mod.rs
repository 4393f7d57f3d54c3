//! Every type of mail through the real binaries, from the API to the mailbox: as approved, and as a recipient sees it.

mod golden;
mod screenshots;

use http::Method;
use local_mail::Mail;
use serde_json::Value;
use shared::service::mail::payload::TYPES;

use crate::support::TestCloud;
use crate::support::cloud::{answer, with_json};

/// The approved files: for each type its payload (`.json`), and the head, HTML and text of its mail.
const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../functions/jobs/send-email/golden"
);

/// A verified sender of the local providers.
const SENDER: &str = "noreply@signtusk.localhost";

/// Starts a cloud with the settings of the approved mails.
async fn cloud() -> TestCloud {
    TestCloud::start_with(|settings| {
        for (name, value) in [
            ("EMAIL_FROM", format!("SignTusk <{SENDER}>")),
            ("APP_URL", "https://app.example.com".to_owned()),
        ] {
            settings.overrides.insert(name.to_owned(), value);
        }
    })
    .await
}

/// Returns the mails of the sample payloads, one of each type, by the name of the type.
async fn mails(cloud: &TestCloud) -> Vec<(&'static str, Mail)> {
    let mut mails = Vec::new();
    for kind in TYPES {
        let payload: Value = serde_json::from_str(&approved(kind, "json")).unwrap();
        let id = enqueued(cloud, kind, &payload).await;
        let job = cloud.wait_for(&id, "completed").await;
        assert_eq!(job["result"]["sent"], 1, "{kind}: {job:#}");
        let newest = cloud.mail().messages(None).into_iter().next();
        mails.push((kind, newest.unwrap()));
    }
    mails
}

async fn enqueued(cloud: &TestCloud, kind: &str, payload: &Value) -> String {
    if kind != "bulk" {
        return cloud.enqueue(payload).await;
    }
    let request = cloud.request(Method::POST, "/api/queue/emails/bulk");
    let taken = answer(with_json(request, payload)).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    taken.body["jobIds"][0].as_str().unwrap().to_owned()
}

fn approved(kind: &str, end: &str) -> String {
    std::fs::read_to_string(format!("{GOLDEN}/{kind}.{end}")).unwrap()
}
