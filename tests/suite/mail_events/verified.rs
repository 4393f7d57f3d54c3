//! Genuine SES notifications: each is applied once, at any time.

use local_mail::Provider;
use local_mail::events::MailEvent;
use shared::protocol::mail::MessageId;
use shared::service::mail::ledger::Begun;

use super::{Stage, assert_taken, mail};
use crate::support::ledger::REMINDER;
use crate::support::waiting::eventually;

#[tokio::test]
async fn delivery_reported_by_ses_is_recorded_in_the_mails_row() {
    let stage = Stage::set().await;
    let taken = stage.notify(&stage.event(MailEvent::Delivered)).await;
    assert_taken(&taken, "applied", "a delivery");
    let row = stage.row().await;
    assert_eq!(row["state"], "accepted", "{row:#}");
    assert_eq!(row["message_id"], "message-1");
    assert_eq!(row["provider"], "ses");
    assert!(row["delivered_at"].is_string(), "{row:#}");
    assert!(row["opened_at"].is_null(), "{row:#}");
}

#[tokio::test]
async fn event_before_the_providers_answer_settles_the_mail() {
    let stage = Stage::set().await;
    assert_eq!(stage.row().await["state"], "sending");
    let taken = stage.notify(&stage.event(MailEvent::Sent)).await;
    assert_taken(&taken, "applied", "sent");
    let again = REMINDER.begin(&stage.database).await;
    assert!(
        matches!(again, Begun::AlreadyAccepted { in_doubt: false }),
        "the next delivery of the job sends nothing: {again:?}"
    );
}

#[tokio::test]
async fn providers_answer_after_its_event_marks_no_duplicate() {
    let stage = Stage::on(crate::support::TestCloud::start().await).await;
    let other = crate::support::ledger::Reminder {
        occurrence: "2",
        ..REMINDER
    };
    let sending = other.sending(&stage.database).await;
    let mut sent = mail(Provider::Ses);
    sent.tags[0].value = other.key();
    let text = stage.event_text(&sent, MailEvent::Delivered);
    let message = stage.signer().notification(&text).unwrap();
    assert_taken(&stage.notify(&message).await, "applied", "delivered");
    let id = MessageId::new(sent.id);
    let accepted = stage.database.ledger().accepted(&sending, "ses", &id).await;
    accepted.unwrap();
    let row = stage.database.row(&other.key()).await;
    assert_eq!(row["state"], "accepted", "{row:#}");
    assert_eq!(
        (&row["doubled"], &row["in_doubt"]),
        (&false.into(), &false.into())
    );
    assert!(row["delivered_at"].is_string(), "{row:#}");
}

#[tokio::test]
async fn repeated_notification_changes_nothing() {
    let stage = Stage::set().await;
    let event = stage.event(MailEvent::Bounced { permanent: true });
    assert_taken(&stage.notify(&event).await, "applied", "the first time");
    let before = stage.everything().await;
    for _ in 0..3 {
        assert_taken(&stage.notify(&event).await, "replayed", "again");
    }
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn every_ses_event_is_applied() {
    let stage = Stage::set().await;
    for (mail_event, column) in [
        (MailEvent::Sent, "accepted_at"),
        (MailEvent::Delayed, "delayed_at"),
        (MailEvent::Delivered, "delivered_at"),
        (MailEvent::Opened, "opened_at"),
        (MailEvent::Clicked, "opened_at"),
        (MailEvent::Bounced { permanent: false }, "soft_bounced_at"),
        (MailEvent::Rejected, "failed_at"),
        (MailEvent::Suppressed, "bounced_at"),
        (MailEvent::Complained, "complained_at"),
    ] {
        let taken = stage.notify(&stage.event(mail_event)).await;
        assert_taken(&taken, "applied", column);
        assert!(stage.row().await[column].is_string(), "{column}");
    }
    let all = stage.everything().await;
    let listed = all[1]["suppressed"].as_array().unwrap();
    let mut reasons: Vec<&str> = listed
        .iter()
        .map(|it| it["reason"].as_str().unwrap())
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["bounced", "complained"], "{all:#}");
    assert!(listed.iter().all(|it| it["address"] == REMINDER.to));
}

#[tokio::test]
async fn older_notification_finds_its_mail_by_message_id() {
    let stage = Stage::set().await;
    let sent = stage.notify(&stage.event(MailEvent::Sent)).await;
    assert_taken(&sent, "applied", "its id becomes known");
    let text = stage.event_text(&mail(Provider::Ses), MailEvent::Delivered);
    let older = text
        .replace("\"eventType\"", "\"notificationType\"")
        .replace("\"ledger\"", "\"other\"");
    let message = stage.signer().notification(&older).unwrap();
    assert_taken(&stage.notify(&message).await, "applied", "without a tag");
    assert!(stage.row().await["delivered_at"].is_string());
}

#[tokio::test]
async fn event_of_an_unknown_mail_is_kept_and_its_bounce_suppresses() {
    let stage = Stage::set().await;
    let mut unknown = mail(Provider::Ses);
    unknown.id = "elsewhere".to_owned();
    unknown.tags.clear();
    let text = stage.event_text(&unknown, MailEvent::Bounced { permanent: true });
    let message = stage.signer().notification(&text).unwrap();
    let before = stage.row().await;
    assert_taken(&stage.notify(&message).await, "unmatched", "not ours");
    assert_eq!(stage.row().await, before);
    let all = stage.everything().await;
    assert_eq!(all[1]["suppressed"][0]["address"], REMINDER.to, "{all:#}");
}

#[tokio::test]
async fn verified_ses_message_without_an_event_is_acknowledged() {
    let stage = Stage::set().await;
    let before = stage.everything().await;
    for text in [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        r#"{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"ok"}"#,
        r#"{"eventType":"Subscription","mail":{}}"#,
        r#"{"eventType":"Bounce","mail":{"timestamp":"not-a-time-ann@example.com"}}"#,
        "{\"eventType\":",
        "",
    ] {
        let message = stage.signer().notification(text).unwrap();
        assert_taken(&stage.notify(&message).await, "ignored", text);
    }
    assert_eq!(stage.everything().await, before);
    eventually("the unreadable event is logged as an error", async || {
        stage
            .cloud
            .logs()
            .contains("mail event ignored: genuine but unreadable")
    })
    .await;
    let logs = stage.cloud.logs();
    assert!(!logs.contains("not-a-time"), "a value was logged");
}

#[tokio::test]
async fn bounce_of_a_forwarded_mail_suppresses_the_address_that_was_mailed() {
    let stage = Stage::set().await;
    let text = stage.event_text(&mail(Provider::Ses), MailEvent::Bounced { permanent: true });
    let mut event: serde_json::Value = serde_json::from_str(&text).unwrap();
    event["bounce"]["bouncedRecipients"] =
        serde_json::json!([{ "emailAddress": "private@elsewhere.example", "diagnosticCode": 550 }]);
    event["bounce"]["bounceType"] = "PERMANENT".into();
    event["mail"]["destination"] = serde_json::json!("unreadable");
    let message = stage.signer().notification(&event.to_string()).unwrap();
    assert_taken(&stage.notify(&message).await, "applied", "a bounce");
    let everything = stage.everything().await;
    let suppressed = everything[1]["suppressed"].as_array().unwrap();
    let addresses: Vec<&str> = suppressed
        .iter()
        .map(|entry| entry["address"].as_str().unwrap())
        .collect();
    assert_eq!(
        addresses,
        [crate::support::ledger::REMINDER.to.to_lowercase()]
    );
}
