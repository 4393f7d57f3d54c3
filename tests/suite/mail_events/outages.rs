//! Postgres or SNS's host is unavailable: the provider is asked to repeat, and then nothing is lost.

use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use local::cloud::Database;
use local_mail::events::MailEvent;
use local_mail::events::sns::{Signer, TOPIC_ARN};
use shared::base::clock::Clock;
use shared::protocol::sns::{Error, Origin, Receiver, Refusal, Verified};
use url::Url;

use super::foreign_host::ForeignHost;
use super::{ROUTE, Stage, assert_taken};
use crate::support::TestCloud;
use crate::support::cloud::{Answer, fresh_database};
use crate::support::ledger::{LedgerDatabase, REMINDER};
use crate::support::proxy::{Proxy, carries};

/// Asserts that a provider was asked to repeat, with a wait.
#[track_caller]
fn assert_again(answer: &Answer, why: &str) {
    answer.assert_problem(503, "unavailable", why);
    let wait = answer.headers["retry-after"].to_str().unwrap();
    assert!(wait.parse::<u32>().unwrap() > 0, "{why}: {answer:?}");
}

/// Starts a stage whose function reaches Postgres through a proxy.
async fn with_proxy() -> (Stage, Proxy) {
    let database = fresh_database().await;
    let url = Url::parse(&database.functions_url).unwrap();
    let host: IpAddr = url.host_str().unwrap().parse().unwrap();
    let proxy = Proxy::start((host, url.port().unwrap()).into()).await;
    let cloud = TestCloud::start_with(|settings| {
        settings.database = Database::Made(database.clone());
        let led = proxy.lead(&database.functions_url);
        settings.overrides.insert("DATABASE_URL".to_owned(), led);
    })
    .await;
    let database = LedgerDatabase::at(database);
    REMINDER.sending(&database).await;
    (Stage { cloud, database }, proxy)
}

#[tokio::test]
async fn event_without_postgres_is_requested_again() {
    let (stage, proxy) = with_proxy().await;
    let event = stage.event(MailEvent::Delivered);
    proxy.guard(|_| false);
    assert_again(&stage.notify(&event).await, "postgres is away");
    assert_again(&stage.cloud.get(ROUTE).await, "reading, too");
    proxy.open();
    assert_taken(&stage.notify(&event).await, "applied", "postgres is back");
    assert!(stage.row().await["delivered_at"].is_string());
}

#[tokio::test]
async fn lost_postgres_answer_loses_and_repeats_no_event() {
    let (stage, proxy) = with_proxy().await;
    let first = stage.notify(&stage.event(MailEvent::Sent)).await;
    assert_taken(&first, "applied", "warm");
    let asked = Arc::new(AtomicBool::new(false));
    let (seen, lost) = (Arc::clone(&asked), Arc::new(AtomicBool::new(false)));
    proxy.guard(move |bytes| {
        if carries(bytes, "insert into signtusk.email_events") {
            seen.store(true, Ordering::SeqCst);
        }
        true
    });
    let was_lost = Arc::clone(&lost);
    proxy
        .guard_answers(move |_| !asked.load(Ordering::SeqCst) || lost.swap(true, Ordering::SeqCst));
    let event = stage.event(MailEvent::Opened);
    let taken = stage.notify(&event).await;
    assert!(was_lost.load(Ordering::SeqCst), "no answer was lost");
    assert_eq!(taken.status, 200, "{taken:?}");
    assert!(stage.row().await["opened_at"].is_string());
    let events = stage.everything().await[1]["events"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(events, 2);
}

#[tokio::test]
async fn event_without_the_certificate_is_requested_again() {
    let closed = "http://127.0.0.1:1";
    let cloud = TestCloud::start_with(|settings| {
        let name = "AWS_ENDPOINT_URL_SNS".to_owned();
        settings.overrides.insert(name, closed.to_owned());
    })
    .await;
    let stage = Stage::on(cloud).await;
    let message = Signer::new(closed).unwrap().notification("{}").unwrap();
    assert_again(
        &stage.notify(&message).await,
        "no server has the certificate",
    );
}

/// Returns a receiver of the local topic with certificates at `origin`.
fn receiver(origin: &str, clock: Clock) -> Receiver {
    let origin: Origin = origin.parse().unwrap();
    Receiver::new(TOPIC_ARN.parse().unwrap(), origin, clock).unwrap()
}

/// Returns a receiver's verdict on a genuine message with a certificate at `origin`.
async fn verify_genuine(receiver: &Receiver, origin: &str) -> Result<Verified, Error> {
    let message = Signer::new(origin).unwrap().notification("{}").unwrap();
    receiver
        .verify(b"Notification", message.body().as_bytes())
        .await
}

#[tokio::test]
async fn certificate_is_fetched_once_and_outage_is_distinguished_from_refusal() {
    let pem = Signer::new("http://x").unwrap().certificate();
    let large = format!("{}{pem}", " ".repeat(20_000));
    let moved = "location: http://127.0.0.1:1/x.pem\r\n";
    for (status, headers, body, passes) in [
        ("503 Service Unavailable", "", "", true),
        ("500 Internal Server Error", "", pem, true),
        ("429 Too Many Requests", "", "", true),
        ("404 Not Found", "", pem, false),
        ("403 Forbidden", "", "", false),
        ("302 Found", moved, pem, false),
        ("204 No Content", "", "", false),
        ("200 OK", "", "<html>", false),
        ("200 OK", "", large.as_str(), false),
    ] {
        let host = ForeignHost::start(status, headers, body).await;
        let origin = format!("http://{}", host.address);
        let refused = verify_genuine(&receiver(&origin, Clock::system()), &origin)
            .await
            .unwrap_err();
        match refused {
            Error::Unavailable(_) => assert!(passes, "{status} {refused}"),
            Error::Refused(Refusal::Certificate) => assert!(!passes, "{status} {refused}"),
            other => panic!("{status}: {other}"),
        }
    }
    let host = ForeignHost::start("200 OK", "", pem).await;
    let origin = format!("http://{}", host.address);
    let receiver = receiver(&origin, Clock::system());
    for _ in 0..3 {
        verify_genuine(&receiver, &origin).await.unwrap();
    }
    assert_eq!(host.visits(), 1);
}

#[tokio::test]
async fn expired_certificate_is_refused() {
    let host =
        ForeignHost::start("200 OK", "", Signer::new("http://x").unwrap().certificate()).await;
    let origin = format!("http://{}", host.address);
    for (date, valid) in [
        ("1990-01-01T00:00:00Z", false),
        ("2999-01-01T00:00:00Z", false),
        (super::now().to_string().as_str(), true),
    ] {
        let clock = Clock::fixed(date.parse().unwrap());
        match verify_genuine(&receiver(&origin, clock), &origin).await {
            Ok(_) => assert!(valid, "{date}"),
            Err(Error::Refused(Refusal::CertificateDates)) => assert!(!valid, "{date}"),
            Err(other) => panic!("{date}: {other}"),
        }
    }
}

#[test]
fn function_without_a_provider_does_not_start_and_names_the_cause() {
    let binary = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/debug/mail-events");
    let variables = [
        ("API_TOKEN", "0123456789abcdef0123456789abcdef"),
        ("DATABASE_URL", "postgres://u:p@127.0.0.1:1/d"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
    ];
    for (more, words) in [
        (
            &[][..],
            "neither MAIL_EVENTS_TOPIC_ARN nor RESEND_WEBHOOK_SECRET is set",
        ),
        (
            &[("MAIL_EVENTS_TOPIC_ARN", "mail-events")][..],
            "MAIL_EVENTS_TOPIC_ARN is not valid: must be the ARN of a standard topic",
        ),
        (
            &[("RESEND_WEBHOOK_SECRET", "hush")][..],
            "RESEND_WEBHOOK_SECRET is not valid: must be whsec_",
        ),
        (
            &[
                ("MAIL_EVENTS_TOPIC_ARN", TOPIC_ARN),
                ("AWS_ENDPOINT_URL_SNS", "here"),
            ][..],
            "AWS_ENDPOINT_URL_SNS is not valid: must be an http(s) URL",
        ),
    ] {
        let mut command = Command::new(binary);
        command
            .env_clear()
            .envs(variables)
            .envs(more.iter().copied());
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{words}");
        assert!(text.contains(words), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
}
