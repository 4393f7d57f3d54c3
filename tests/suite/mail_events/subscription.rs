//! Subscription confirmations: the topic's own is confirmed, others are not.

use local_mail::events::sns::TOPIC_ARN;

use super::foreign_host::ForeignHost;
use super::{ROUTE, Stage, assert_refused, assert_taken};
use crate::support::waiting::eventually;

#[tokio::test]
async fn subscription_of_our_topic_is_confirmed_and_events_arrive() {
    let stage = Stage::set().await;
    let events = stage.cloud.mail().events();
    events.subscribe(&stage.cloud.url(ROUTE)).unwrap();
    eventually("the subscription is confirmed", async || {
        events.is_confirmed()
    })
    .await;
    let mail = super::mail(local_mail::Provider::Ses);
    let delivered = local_mail::events::MailEvent::Delivered;
    events
        .record_event(&mail, delivered, &[&mail.to[0]])
        .unwrap();
    eventually("the row has the delivery", async || {
        stage.row().await["delivered_at"].is_string()
    })
    .await;
}

#[tokio::test]
async fn subscription_of_another_topic_is_not_confirmed() {
    let stage = Stage::set().await;
    let events = stage.cloud.mail().events();
    let mut question = stage.signer().subscription_confirmation("t").unwrap();
    let other = TOPIC_ARN.replace("mail-events", "other");
    let link = question.get("SubscribeURL").unwrap();
    let link = link.replace("mail-events", "other");
    question.set("TopicArn", other);
    question.set("SubscribeURL", link);
    stage.signer().sign(&mut question).unwrap();
    assert_refused(&stage.notify(&question).await, "another topic");
    assert_eq!(events.confirmations(), 0);
}

#[tokio::test]
async fn confirmation_link_to_another_host_is_not_followed() {
    let stage = Stage::set().await;
    let elsewhere = ForeignHost::start("200 OK", "", "").await;
    let origin = stage.cloud.mail().sns_url();
    let genuine = stage.signer().subscription_confirmation("t").unwrap();
    let link = genuine.get("SubscribeURL").unwrap().to_owned();
    let foreign = format!("http://{}", elsewhere.address);
    for other in [
        link.replace(&origin, &foreign),
        link.replace(&origin, &origin.replace("http://", &format!("{foreign}@"))),
        link.replace("http://", "https://"),
        link.replace("ConfirmSubscription", "DeleteTopic"),
        link.replace("mail-events", "other"),
        link.replace("Token=t", "Token=u"),
        format!("{link}&Action=DeleteTopic"),
        link.replace("/?", "/x?"),
        format!("{origin}/"),
        String::new(),
    ] {
        let mut question = genuine.clone();
        question.set("SubscribeURL", other.clone());
        stage.signer().sign(&mut question).unwrap();
        assert_refused(&stage.notify(&question).await, &other);
    }
    assert_eq!(elsewhere.visits(), 0);
    assert_eq!(stage.cloud.mail().events().confirmations(), 0);
}

#[tokio::test]
async fn changed_or_spent_confirmation_is_refused() {
    let stage = Stage::set().await;
    let events = stage.cloud.mail().events();
    let genuine = stage.signer().subscription_confirmation("t").unwrap();
    for name in ["Message", "MessageId", "Token", "SubscribeURL", "Timestamp"] {
        let mut question = genuine.clone();
        question.set(name, format!("{}x", genuine.get(name).unwrap()));
        assert_refused(&stage.notify(&question).await, name);
    }
    assert_eq!(events.confirmations(), 0);
    // A genuine message, but the topic no longer accepts its token.
    assert_refused(&stage.notify(&genuine).await, "a spent token");
    assert!(!events.is_confirmed());
}

#[tokio::test]
async fn end_of_a_subscription_is_logged_and_not_undone() {
    let stage = Stage::set().await;
    let word = stage.signer().unsubscribe_confirmation("t").unwrap();
    assert_taken(&stage.notify(&word).await, "ignored", "unsubscribed");
    assert_eq!(stage.cloud.mail().events().confirmations(), 0);
    eventually("it is logged", async || {
        stage.cloud.logs().contains("SNS subscription ended")
    })
    .await;
}
