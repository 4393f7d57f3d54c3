//! Resend's webhooks: genuine ones are applied once, forged and old ones are rejected.

use local_mail::Provider;
use local_mail::events::MailEvent;
use local_mail::events::svix::{Key, secret_of};
use serde_json::{Value, json};

use super::{Stage, assert_refused, assert_taken, mail, now};
use crate::support::cloud::Answer;

/// A webhook about the mail, in Resend's current form.
struct Webhook {
    id: String,
    seconds: i64,
    body: String,
}

impl Webhook {
    fn of(stage: &Stage, mail_event: MailEvent) -> Self {
        Self {
            id: "msg_1".to_owned(),
            seconds: now().as_second(),
            body: stage.event_text(&mail(Provider::Resend), mail_event),
        }
    }

    fn signature(&self, key: &Key) -> String {
        key.sign(&self.id, self.seconds, self.body.as_bytes())
            .unwrap()
    }

    async fn send(&self, stage: &Stage, signature: &str) -> Answer {
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("svix-id", self.id.clone()),
            ("svix-timestamp", self.seconds.to_string()),
            ("svix-signature", signature.to_owned()),
        ];
        stage.send(&headers, &self.body).await
    }
}

fn key(stage: &Stage) -> Key {
    Key::parse(stage.cloud.variable("RESEND_WEBHOOK_SECRET")).unwrap()
}

#[tokio::test]
async fn resend_webhook_is_applied_once() {
    let stage = Stage::set().await;
    let key = key(&stage);
    let webhook = Webhook::of(&stage, MailEvent::Delivered);
    let signature = webhook.signature(&key);
    assert_taken(&webhook.send(&stage, &signature).await, "applied", "new");
    let row = stage.row().await;
    assert_eq!(
        (&row["state"], &row["message_id"]),
        (&json!("accepted"), &json!("message-1"))
    );
    assert!(row["delivered_at"].is_string(), "{row:#}");
    let before = stage.everything().await;
    // A repeated webhook is signed again with the same id.
    let later = Webhook {
        seconds: webhook.seconds + 1,
        ..webhook
    };
    let signature = later.signature(&key);
    assert_taken(&later.send(&stage, &signature).await, "replayed", "again");
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn every_resend_event_is_applied() {
    let stage = Stage::set().await;
    let key = key(&stage);
    for (mail_event, column) in [
        (MailEvent::Sent, "accepted_at"),
        (MailEvent::Delayed, "delayed_at"),
        (MailEvent::Delivered, "delivered_at"),
        (MailEvent::Opened, "opened_at"),
        (MailEvent::Clicked, "opened_at"),
        (MailEvent::Bounced { permanent: false }, "soft_bounced_at"),
        (MailEvent::Rejected, "failed_at"),
        (MailEvent::Bounced { permanent: true }, "bounced_at"),
        (MailEvent::Suppressed, "bounced_at"),
        (MailEvent::Complained, "complained_at"),
    ] {
        let mut webhook = Webhook::of(&stage, mail_event);
        webhook.id = format!("msg_{mail_event:?}").replace([' ', '{', '}', ':'], "");
        let signature = webhook.signature(&key);
        assert_taken(&webhook.send(&stage, &signature).await, "applied", column);
        assert!(stage.row().await[column].is_string(), "{column}");
        let suppressed = stage.everything().await[1]["suppressed"]
            .as_array()
            .unwrap()
            .len();
        let expected = match column {
            "bounced_at" => 1,
            "complained_at" => 2,
            _ => 0,
        };
        assert_eq!(suppressed, expected, "{mail_event:?}");
    }
}

#[tokio::test]
async fn forged_old_or_changed_webhook_is_refused() {
    let stage = Stage::set().await;
    let before = stage.everything().await;
    let key = key(&stage);
    let stranger = Key::parse(&secret_of("somebody else's secret")).unwrap();
    let genuine = || Webhook::of(&stage, MailEvent::Complained);
    let forged = genuine();
    assert_refused(
        &forged.send(&stage, &forged.signature(&stranger)).await,
        "another key",
    );
    for seconds in [-3600, -302, 302, 3600] {
        let mut old = genuine();
        old.seconds += seconds;
        assert_refused(
            &old.send(&stage, &old.signature(&key)).await,
            &seconds.to_string(),
        );
    }
    let signature = forged.signature(&key);
    for change in [
        |webhook: &mut Webhook| webhook.id.push('x'),
        |webhook: &mut Webhook| webhook.seconds += 1,
        |webhook: &mut Webhook| webhook.body.push(' '),
        |webhook: &mut Webhook| webhook.body = webhook.body.replace("complained", "delivered"),
        |webhook: &mut Webhook| webhook.body.clear(),
    ] {
        let mut changed = Webhook {
            id: forged.id.clone(),
            body: forged.body.clone(),
            ..forged
        };
        change(&mut changed);
        assert_refused(&changed.send(&stage, &signature).await, &changed.body);
    }
    for signature in [
        "",
        "v1,",
        "v1,AAAA",
        &signature[3..],
        &format!("v2,{}", &signature[3..]),
    ] {
        assert_refused(&forged.send(&stage, signature).await, signature);
    }
    assert_eq!(stage.everything().await, before);
    assert_taken(
        &forged.send(&stage, &signature).await,
        "applied",
        "the material of the forgeries",
    );
}

#[tokio::test]
async fn webhook_with_a_missing_header_is_refused() {
    let stage = Stage::set().await;
    let webhook = Webhook::of(&stage, MailEvent::Delivered);
    let headers = [
        ("svix-id", webhook.id.clone()),
        ("svix-timestamp", webhook.seconds.to_string()),
        ("svix-signature", webhook.signature(&key(&stage))),
    ];
    for missing in 0..3 {
        let mut some = headers.to_vec();
        let (name, _) = some.remove(missing);
        assert_refused(&stage.send(&some, &webhook.body).await, name);
    }
    assert_taken(
        &stage.send(&headers, &webhook.body).await,
        "applied",
        "all three",
    );
}

#[tokio::test]
async fn one_valid_signature_among_several_is_enough() {
    let stage = Stage::set().await;
    let webhook = Webhook::of(&stage, MailEvent::Delivered);
    let stranger = Key::parse(&secret_of("the secret before it")).unwrap();
    let (wrong, right) = (
        webhook.signature(&stranger),
        webhook.signature(&key(&stage)),
    );
    assert_refused(
        &webhook.send(&stage, &format!("{wrong} v1a,x")).await,
        "none is right",
    );
    let signatures = format!("v1a,x {wrong} {right}");
    assert_taken(
        &webhook.send(&stage, &signatures).await,
        "applied",
        "the last is right",
    );
}

#[tokio::test]
async fn verified_webhook_without_an_event_is_acknowledged() {
    let stage = Stage::set().await;
    let before = stage.everything().await;
    let ours = Webhook::of(&stage, MailEvent::Delivered).body;
    let mut unreadable: Value = serde_json::from_str(&ours).unwrap();
    unreadable["data"] = json!(7);
    for body in [
        json!({ "type": "domain.created", "created_at": "2026-11-24T10:00:00Z", "data": {} })
            .to_string(),
        unreadable.to_string(),
        "not json".to_owned(),
    ] {
        let webhook = Webhook {
            id: "msg_2".to_owned(),
            seconds: now().as_second(),
            body,
        };
        let signature = webhook.signature(&key(&stage));
        assert_taken(
            &webhook.send(&stage, &signature).await,
            "ignored",
            &webhook.body,
        );
    }
    assert_eq!(stage.everything().await, before);
}
