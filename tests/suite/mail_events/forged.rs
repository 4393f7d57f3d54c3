//! Forged SNS messages: each is rejected, changes nothing, and causes no request to a foreign host.

use http::Method;
use local_mail::events::MailEvent;
use local_mail::events::sns::{Kind, Message, Signer};

use super::foreign_host::ForeignHost;
use super::{ROUTE, Stage, assert_refused, assert_taken};
use crate::support::cloud::answer;

/// Returns a genuine bounce that was changed after signing.
fn changed(stage: &Stage, change: impl FnOnce(&mut Message)) -> Message {
    let mut message = stage.event(MailEvent::Bounced { permanent: true });
    change(&mut message);
    message
}

/// Returns a changed bounce, signed again with the topic's own key.
fn signed_again(stage: &Stage, change: impl FnOnce(&mut Message)) -> Message {
    let mut message = changed(stage, change);
    stage.signer().sign(&mut message).unwrap();
    message
}

#[tokio::test]
async fn message_signed_with_another_key_is_refused() {
    let stage = Stage::set().await;
    let before = stage.everything().await;
    let mut message = stage.event(MailEvent::Complained);
    let stranger = Signer::stranger(&stage.cloud.mail().sns_url()).unwrap();
    stranger.sign(&mut message).unwrap();
    assert_refused(&stage.notify(&message).await, "the stranger's key");
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn message_with_any_signed_member_changed_is_refused() {
    let stage = Stage::set().await;
    let before = stage.everything().await;
    let genuine = stage.event(MailEvent::Bounced { permanent: true });
    for name in ["Message", "MessageId", "Subject", "Timestamp"] {
        let value = genuine.get(name).unwrap().to_owned();
        for other in [format!("{value} "), value[1..].to_owned(), String::new()] {
            let message = changed(&stage, |message| message.set(name, other.clone()));
            assert_refused(&stage.notify(&message).await, &format!("{name}: {other}"));
        }
    }
    let without = changed(&stage, |message| message.remove("Subject"));
    assert_refused(&stage.notify(&without).await, "no subject");
    let plain = stage.signer().notification("{}").unwrap();
    let mut with = plain.clone();
    with.set("Subject", "added");
    assert_refused(&stage.notify(&with).await, "a subject that was added");
    assert_eq!(stage.everything().await, before);
    assert_taken(
        &stage.notify(&genuine).await,
        "applied",
        "the material of a forgery",
    );
}

#[tokio::test]
async fn malformed_signature_is_refused() {
    let stage = Stage::set().await;
    let genuine = stage.event(MailEvent::Delivered);
    let signature = genuine.get("Signature").unwrap().to_owned();
    for other in [
        String::new(),
        "?".to_owned(),
        "AAAA".to_owned(),
        signature[..40].to_owned(),
        format!("{signature}AAAA"),
        format!(" {signature}"),
        signature.replace('=', ""),
        signature.chars().rev().collect(),
    ] {
        let message = changed(&stage, |message| message.set("Signature", other.clone()));
        assert_refused(&stage.notify(&message).await, &other);
    }
}

#[tokio::test]
async fn message_of_another_topic_is_refused_despite_a_valid_signature() {
    let stage = Stage::set().await;
    let before = stage.everything().await;
    for topic in [
        "arn:aws:sns:us-east-1:000000000000:other",
        "arn:aws:sns:us-east-1:111111111111:mail-events",
        "arn:aws:sns:us-west-2:000000000000:mail-events",
        "arn:aws:sns:us-east-1:000000000000:mail-events ",
        "",
    ] {
        let message = signed_again(&stage, |message| message.set("TopicArn", topic));
        assert_refused(&stage.notify(&message).await, topic);
    }
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn older_signature_version_is_refused_with_the_setting_to_change() {
    let stage = Stage::set().await;
    for version in ["1", "3", "02", "2 ", ""] {
        let message = signed_again(&stage, |message| message.set("SignatureVersion", version));
        let refused = stage.notify(&message).await;
        refused.assert_problem(401, "signature_version", version);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("SignatureVersion to 2"), "{detail}");
    }
    assert_eq!(stage.row().await["state"], "sending");
}

#[tokio::test]
async fn certificate_from_another_host_is_not_fetched() {
    let stage = Stage::set().await;
    let before = stage.everything().await;
    let origin = stage.cloud.mail().sns_url();
    let stranger = Signer::stranger(&origin).unwrap();
    let elsewhere = ForeignHost::start("200 OK", "", stranger.certificate()).await;
    let foreign = elsewhere.address;
    let host = origin.strip_prefix("http://").unwrap();
    let name = stranger.certificate_url();
    let path = name.strip_prefix(&origin).unwrap();
    for url in [
        format!("http://{foreign}{path}"),
        format!("http://{host}@{foreign}{path}"),
        format!("http://{foreign}/{host}{path}"),
        format!("http://{foreign}\\@{host}{path}"),
        format!("http://{foreign}/?{origin}{path}"),
        format!("http://{foreign}/#{origin}{path}"),
        format!("//{foreign}{path}"),
        format!("http://localhost:{}{path}", foreign.port()),
        format!("https://{host}{path}"),
        format!("{origin}{path}?x=.pem"),
        format!("{origin}{path}#.pem"),
        format!("{origin}/..{path}"),
        format!("{origin}/%2e%2e{path}"),
        format!(" {origin}{path}"),
        format!("https://sns.us-east-1.amazonaws.com{path}"),
        format!("https://sns.us-east-1.amazonaws.com.{foreign}{path}"),
        "file:///etc/ssl/cert.pem".to_owned(),
        String::new(),
    ] {
        let mut message = changed(&stage, |message| message.set("SigningCertURL", url.clone()));
        stranger.sign(&mut message).unwrap();
        assert_refused(&stage.notify(&message).await, &url);
    }
    assert_eq!(elsewhere.visits(), 0);
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn certificate_unknown_to_sns_is_refused() {
    let stage = Stage::set().await;
    let origin = stage.cloud.mail().sns_url();
    for path in [
        "/none.pem",
        "/SimpleNotificationService-00000000.pem",
        "/.pem",
    ] {
        let url = format!("{origin}{path}");
        let message = changed(&stage, |message| message.set("SigningCertURL", url.clone()));
        assert_refused(&stage.notify(&message).await, path);
    }
    assert_eq!(stage.row().await["state"], "sending");
}

#[tokio::test]
async fn message_whose_type_differs_from_its_header_is_refused() {
    let stage = Stage::set().await;
    let kinds = [
        Kind::Notification,
        Kind::SubscriptionConfirmation,
        Kind::UnsubscribeConfirmation,
    ];
    let signer = stage.signer();
    let genuine = [
        stage.event(MailEvent::Delivered),
        signer.subscription_confirmation("token").unwrap(),
        signer.unsubscribe_confirmation("token").unwrap(),
    ];
    for (message, own) in genuine.iter().zip(kinds) {
        for other in kinds.into_iter().filter(|kind| *kind != own) {
            let why = format!("{} as {}", own.name(), other.name());
            // The header alone, and then both.
            let mut headers = message.headers();
            headers.retain(|(name, _)| *name != "x-amz-sns-message-type");
            headers.push(("x-amz-sns-message-type", other.name().to_owned()));
            assert_refused(&stage.send(&headers, &message.body()).await, &why);
            let mut body = message.clone();
            body.set("Type", other.name());
            let refused = stage.send(&headers, &body.body()).await;
            assert!(
                matches!(refused.status.as_u16(), 400 | 401),
                "{why}: {refused:?}"
            );
        }
        headers_of_another_kind(&stage, message).await;
    }
    assert_eq!(stage.row().await["state"], "sending");
    assert_eq!(stage.cloud.mail().events().confirmations(), 0);
}

/// Sends headers with an invalid type, in several spellings.
async fn headers_of_another_kind(stage: &Stage, message: &Message) {
    for kind in ["", "notification", "Other", "Notification, Notification"] {
        let headers = [("x-amz-sns-message-type", kind.to_owned())];
        assert_refused(&stage.send(&headers, &message.body()).await, kind);
    }
}

#[tokio::test]
async fn malformed_or_unsigned_message_is_refused() {
    let stage = Stage::set().await;
    let headers = [("x-amz-sns-message-type", "Notification".to_owned())];
    let genuine = stage.event(MailEvent::Delivered).body();
    for body in ["", "{}", "[]", "null", "Type=Notification", &genuine[1..]] {
        let refused = stage.send(&headers, body).await;
        refused.assert_problem(400, "message_malformed", body);
    }
    let twice = genuine.replacen('{', "{\"Message\":\"{}\",", 1);
    let refused = stage.send(&headers, &twice).await;
    refused.assert_problem(400, "message_malformed", "a member twice");
    // Without the header, nothing identifies it as an SNS message.
    assert_refused(&stage.send(&[], &genuine).await, "no header");
    assert_refused(&stage.send(&[], "").await, "nothing");
    let token = stage.cloud.request(Method::POST, ROUTE).body(genuine);
    assert_refused(&answer(token).await, "the service token is no signature");
    let large = "x".repeat((512 << 10) + 1);
    let refused = stage.send(&headers, &large).await;
    refused.assert_problem(413, "body_too_large", "more than 512 KB");
    assert_eq!(stage.row().await["state"], "sending");
}
