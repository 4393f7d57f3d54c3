//! The events of the providers: their kinds, structure, signatures and repetitions.

use std::time::Duration;

use local_mail::events::sns::{Signer, TOPIC_ARN};
use local_mail::events::svix;
use local_mail::events::{Events, MailEvent};
use local_mail::{Provider, Server, Settings, start};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http_client::call;
use crate::receiver::{Receiver, visit};

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("in vain waited for: {what}");
}

/// Returns a server whose events go to a receiver.
async fn subscribed(data: &TempDir) -> (Server, Receiver) {
    let server = start(Settings::throwaway(data.path())).await.unwrap();
    let receiver = Receiver::listen().await;
    server.events().subscribe(&receiver.url).unwrap();
    // The planned responses of a test do not apply to the confirmation.
    until("the question", || !receiver.all().is_empty()).await;
    assert!(server.events().is_confirmed());
    (server, receiver)
}

const TAG: &str = "0123abcd";

async fn send_by_ses(server: &Server, to: &str, configuration_set: Option<&str>) -> String {
    let head = "POST /v2/email/outbound-emails HTTP/1.1\r\nX-Amz-Date: 20261123T000000Z\r\n\
        Authorization: AWS4-HMAC-SHA256 Credential=A/20261123/eu-west-1/ses/aws4_request, SignedHeaders=host, \
        Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n";
    let body = json!({
        "FromEmailAddress": "SignTusk <noreply@signtusk.localhost>",
        "Destination": { "ToAddresses": [to] },
        "Content": { "Simple": { "Subject": { "Data": "Hi" }, "Body": { "Text": { "Data": "x" } } } },
        "EmailTags": [{ "Name": "ledger", "Value": TAG }],
        "ConfigurationSetName": configuration_set,
    });
    let answer = call(&server.ses_url(), head, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["MessageId"].as_str().unwrap().to_owned()
}

async fn send_by_resend(server: &Server, to: &str) -> String {
    let head =
        "POST /emails HTTP/1.1\r\nAuthorization: Bearer re_throwaway\r\nUser-Agent: test\r\n";
    let body = json!({
        "from": "SignTusk <noreply@signtusk.localhost>", "to": to, "subject": "Hi", "text": "x",
        "tags": [{ "name": "ledger", "value": TAG }],
    });
    let answer = call(&server.resend_url(), head, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn names(events: &Events, mail: &str) -> Vec<&'static str> {
    let history = events.history(mail);
    history.iter().map(|happened| happened.what).collect()
}

#[tokio::test]
async fn topic_asks_for_confirmation_and_sends_in_sns_format() {
    let data = tempfile::tempdir().unwrap();
    let (server, receiver) = subscribed(&data).await;
    let id = send_by_ses(&server, "ann@example.com", Some("signtusk")).await;
    until("two events", || receiver.events().len() == 2).await;
    let all = receiver.all();
    let question = &all[0];
    assert_eq!(
        question.header("x-amz-sns-message-type"),
        "subscriptionconfirmation"
    );
    assert_eq!(question.json()["TopicArn"], TOPIC_ARN);
    let sent = &all[1];
    assert_eq!(sent.header("x-amz-sns-message-type"), "notification");
    assert_eq!(sent.header("content-type"), "text/plain; charset=utf-8");
    let body = sent.json();
    assert_eq!(
        sent.header("x-amz-sns-message-id"),
        body["MessageId"].as_str().unwrap()
    );
    assert_eq!(sent.header("x-amz-sns-topic-arn"), TOPIC_ARN);
    assert_eq!(body["SignatureVersion"], "2");
    let time = body["Timestamp"].as_str().unwrap();
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    assert_eq!(receiver.kinds(), ["Delivery", "Send"]);
    for event in receiver.events() {
        assert_eq!(event["mail"]["messageId"], *id);
        assert_eq!(event["mail"]["tags"]["ledger"], json!([TAG]));
        assert_eq!(
            event["mail"]["tags"]["ses:configuration-set"],
            json!(["signtusk"])
        );
        assert_eq!(event["mail"]["destination"], json!(["ann@example.com"]));
    }
    assert_eq!(names(server.events(), &id), ["sent", "delivered"]);
    server.stop().await;
}

#[tokio::test]
async fn ses_mail_without_a_configuration_set_sends_no_events() {
    let data = tempfile::tempdir().unwrap();
    let (server, receiver) = subscribed(&data).await;
    let silent = send_by_ses(&server, "ann@example.com", None).await;
    until("its delivery", || {
        names(server.events(), &silent).len() == 2
    })
    .await;
    send_by_ses(&server, "bob@example.com", Some("signtusk")).await;
    until("the other's events", || receiver.events().len() == 2).await;
    for event in receiver.events() {
        assert_eq!(event["mail"]["destination"], json!(["bob@example.com"]));
    }
}

#[tokio::test]
async fn simulator_addresses_send_their_events() {
    let data = tempfile::tempdir().unwrap();
    for (to, kinds) in [
        ("success@simulator.amazonses.com", vec!["Delivery", "Send"]),
        ("bounce+x@simulator.amazonses.com", vec!["Bounce", "Send"]),
        (
            "complaint@simulator.amazonses.com",
            vec!["Complaint", "Delivery", "Send"],
        ),
        (
            "suppressionlist@simulator.amazonses.com",
            vec!["Bounce", "Send"],
        ),
    ] {
        let (server, receiver) = subscribed(&data).await;
        send_by_ses(&server, to, Some("signtusk")).await;
        until(to, || receiver.kinds() == kinds).await;
        for event in receiver.events() {
            let address = match event["eventType"].as_str().unwrap() {
                "Bounce" => &event["bounce"]["bouncedRecipients"][0]["emailAddress"],
                "Complaint" => &event["complaint"]["complainedRecipients"][0]["emailAddress"],
                "Delivery" => &event["delivery"]["recipients"][0],
                _ => &event["mail"]["destination"][0],
            };
            assert_eq!(*address, json!(to), "{event}");
            if event["eventType"] == "Bounce" {
                assert_eq!(event["bounce"]["bounceType"], "Permanent");
            }
        }
    }
    for (to, kinds) in [
        (
            "delivered@resend.dev",
            vec!["email.delivered", "email.sent"],
        ),
        ("bounced+x@resend.dev", vec!["email.bounced", "email.sent"]),
        (
            "complained@resend.dev",
            vec!["email.complained", "email.delivered", "email.sent"],
        ),
        ("suppressed@resend.dev", vec!["email.suppressed"]),
    ] {
        let (server, receiver) = subscribed(&data).await;
        let id = send_by_resend(&server, to).await;
        until(to, || receiver.kinds() == kinds).await;
        for event in receiver.events() {
            assert_eq!(event["data"]["email_id"], *id);
            assert_eq!(event["data"]["to"], json!([to]));
            assert_eq!(event["data"]["tags"]["ledger"], TAG);
        }
    }
}

#[tokio::test]
async fn webhook_is_signed_and_keeps_its_id_when_repeated() {
    let data = tempfile::tempdir().unwrap();
    let (server, receiver) = subscribed(&data).await;
    receiver.answers.lock().unwrap().extend([500, 404]);
    send_by_resend(&server, "bounced@resend.dev").await;
    until("two events, of which two sendings are refused", || {
        receiver.events().len() == 4
    })
    .await;
    let key = svix::Key::parse(&svix::secret_of("throwaway")).unwrap();
    let mut ids = Vec::new();
    for webhook in receiver.all().iter().skip(1) {
        let id = webhook.header("svix-id");
        let seconds = webhook.header("svix-timestamp").parse().unwrap();
        let signature = key.sign(&id, seconds, webhook.body.as_bytes()).unwrap();
        // The head was read as lower case.
        assert_eq!(webhook.header("svix-signature"), signature.to_lowercase());
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2, "{ids:?}");
}

#[tokio::test]
async fn event_is_repeated_under_the_same_message_id_until_accepted() {
    let data = tempfile::tempdir().unwrap();
    let (server, receiver) = subscribed(&data).await;
    server.events().hold();
    send_by_ses(&server, "ann@example.com", Some("signtusk")).await;
    until("its course", || server.events().kept_back() == 2).await;
    drop(server.events().take_held());
    let mail = &server.messages(None)[0];
    let made = server
        .events()
        .make(mail, MailEvent::Delayed, &["ann@example.com"]);
    let event = made.unwrap().unwrap();
    receiver.answers.lock().unwrap().extend([503, 503, 503]);
    server.events().release();
    server.events().publish(event.clone());
    until("the fourth attempt", || receiver.events().len() == 4).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let attempts = server.events().attempts();
    let statuses: Vec<Option<u16>> = attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(503), Some(503), Some(503), Some(200)]);
    for received in receiver.all().iter().skip(1) {
        assert_eq!(received.json()["MessageId"], event.id());
    }
}

#[tokio::test]
async fn held_events_can_be_sent_in_any_order_and_twice() {
    let data = tempfile::tempdir().unwrap();
    let (server, receiver) = subscribed(&data).await;
    let events = server.events();
    events.hold();
    let id = send_by_ses(
        &server,
        "complaint@simulator.amazonses.com",
        Some("signtusk"),
    )
    .await;
    until("its course", || events.kept_back() == 3).await;
    assert_eq!(names(events, &id).len(), 3);
    assert!(receiver.events().is_empty());
    let held = events.take_held();
    assert_eq!(held.len(), 3);
    for event in held.iter().rev().chain([&held[0]]) {
        assert_eq!(events.deliver(event).await.unwrap(), 200);
    }
    let order: Vec<Value> = receiver
        .events()
        .iter()
        .map(|event| event["eventType"].clone())
        .collect();
    assert_eq!(order, ["Complaint", "Delivery", "Send", "Send"]);
    events.release();
    send_by_resend(&server, "ann@example.com").await;
    until("the held events arrive", || receiver.events().len() == 6).await;
}

#[tokio::test]
async fn events_before_the_confirmation_wait_for_it() {
    let data = tempfile::tempdir().unwrap();
    let server = start(Settings::throwaway(data.path())).await.unwrap();
    let receiver = Receiver::listen().await;
    // Subscribed to a closed port: no confirmation follows.
    server
        .events()
        .subscribe("http://127.0.0.1:9/hook")
        .unwrap();
    let id = send_by_ses(&server, "ann@example.com", Some("signtusk")).await;
    until("its course", || names(server.events(), &id).len() == 2).await;
    until("both events", || server.events().kept_back() == 2).await;
    assert!(server.events().attempts().is_empty());
    server.events().subscribe(&receiver.url).unwrap();
    until("its events", || {
        let to_ann = |event: &Value| event["mail"]["destination"][0] == "ann@example.com";
        receiver
            .events()
            .iter()
            .filter(|event| to_ann(event))
            .count()
            == 2
    })
    .await;
}

#[tokio::test]
async fn subscription_is_confirmed_only_by_the_right_token_and_topic() {
    let data = tempfile::tempdir().unwrap();
    let server = start(Settings::throwaway(data.path())).await.unwrap();
    server
        .events()
        .subscribe("http://127.0.0.1:9/hook")
        .unwrap();
    let sns = server.sns_url();
    let token = "wrong";
    for (url, expected) in [
        (
            format!("{sns}/?Action=ConfirmSubscription&TopicArn={TOPIC_ARN}&Token={token}"),
            400,
        ),
        (
            format!("{sns}/?Action=ConfirmSubscription&TopicArn=other&Token={token}"),
            404,
        ),
        (format!("{sns}/?Action=Publish"), 400),
        (format!("{sns}/other.pem"), 404),
    ] {
        assert_eq!(visit(&url).await.0, expected, "{url}");
    }
    assert!(!server.events().is_confirmed());
    assert_eq!(server.events().confirmations(), 2);
    let signer = Signer::new(&sns).unwrap();
    let (status, pem) = visit(&signer.certificate_url()).await;
    assert_eq!((status, pem.as_str()), (200, signer.certificate()));
}

#[tokio::test]
async fn mailbox_actions_send_events() {
    let data = tempfile::tempdir().unwrap();
    let (server, receiver) = subscribed(&data).await;
    let id = send_by_resend(&server, "ann@example.com").await;
    until("its events", || receiver.events().len() == 2).await;
    for what in ["opened", "complained"] {
        let head = format!("POST /messages/{id}/{what} HTTP/1.1\r\n");
        assert_eq!(call(&server.mailbox_url(), &head, b"").await.status, 204);
    }
    until("both", || receiver.events().len() == 4).await;
    assert_eq!(
        receiver.kinds(),
        [
            "email.complained",
            "email.delivered",
            "email.opened",
            "email.sent"
        ]
    );
    let (_, history) = visit(&format!("{}/messages/{id}/events", server.mailbox_url())).await;
    let history: Vec<Value> = serde_json::from_str(&history).unwrap();
    assert_eq!(history.len(), 4);
    assert_eq!(history[3]["what"], "complained");
    let head = "POST /messages/none/opened HTTP/1.1\r\n";
    assert_eq!(call(&server.mailbox_url(), head, b"").await.status, 404);
    let read = format!(
        "GET /emails/{id} HTTP/1.1\r\nAuthorization: Bearer re_throwaway\r\nUser-Agent: test\r\n"
    );
    let shown = call(&server.resend_url(), &read, b"").await.json();
    assert_eq!(shown["last_event"], "complained");
    assert_eq!(server.messages(None)[0].provider, Provider::Resend);
}

#[tokio::test]
async fn events_without_a_subscription_are_not_sent() {
    let data = tempfile::tempdir().unwrap();
    let (server, receiver) = subscribed(&data).await;
    server.events().unsubscribe();
    let id = send_by_resend(&server, "ann@example.com").await;
    until("its course", || names(server.events(), &id).len() == 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(receiver.events().is_empty());
}
