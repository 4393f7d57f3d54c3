//! A signed message with any byte changed: only signed content is ever accepted.

use std::ops::Range;
use std::path::Path;

use local_mail::events::sns::{Message, Signer, TOPIC_ARN};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use shared::base::clock::Clock;
use shared::protocol::sns::{Error, Receiver, Verified};
use tokio::runtime::Runtime;

/// The topic's host, and a receiver that trusts it.
struct Verifier {
    runtime: Runtime,
    receiver: Receiver,
    signer: Signer,
    server: local_mail::Server,
}

impl Verifier {
    fn start(data: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let starting = local_mail::start(local_mail::Settings::throwaway(data));
        let server = runtime.block_on(starting).unwrap();
        let origin = server.sns_url().parse().unwrap();
        let topic = TOPIC_ARN.parse().unwrap();
        Self {
            receiver: Receiver::new(topic, origin, Clock::system()).unwrap(),
            signer: Signer::new(&server.sns_url()).unwrap(),
            server,
            runtime,
        }
    }

    fn stop(self) {
        self.runtime.block_on(self.server.stop());
    }

    fn verdict(&self, kind: &str, body: &[u8]) -> Result<Verified, Error> {
        let verdict = self.receiver.verify(kind.as_bytes(), body);
        self.runtime.block_on(verdict)
    }
}

/// Returns the range of a member's value in the body. Values here contain no JSON escapes.
fn place(body: &str, message: &Message, name: &str) -> Range<usize> {
    let value = message.get(name).unwrap();
    let start = body.find(&format!("\"{name}\" : \"{value}\"")).unwrap();
    let start = start + name.len() + 6;
    start..start + value.len()
}

fn run(cases: u32, check: impl Fn(usize, u8) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let strategy = (any::<prop::sample::Index>(), 1_u8..);
    let checked = runner.run(&strategy, |(at, change)| check(at.index(1 << 20), change));
    checked.unwrap();
}

#[test]
fn message_with_a_signed_byte_changed_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let verifier = Verifier::start(data.path());
    let notification = verifier
        .signer
        .notification_about("events", "what was published");
    let confirmation = verifier.signer.subscription_confirmation("token");
    for (message, names) in [
        (
            notification.unwrap(),
            &[
                "Message",
                "MessageId",
                "Subject",
                "Timestamp",
                "TopicArn",
                "Type",
                "Signature",
            ][..],
        ),
        (
            confirmation.unwrap(),
            &[
                "MessageId",
                "SubscribeURL",
                "Timestamp",
                "Token",
                "TopicArn",
                "Type",
                "Signature",
            ][..],
        ),
    ] {
        let (kind, body) = (message.get("Type").unwrap(), message.body());
        verifier.verdict(kind, body.as_bytes()).unwrap();
        for name in names {
            let place = place(&body, &message, name);
            run(64, |at, change| {
                let mut forged = body.clone().into_bytes();
                forged[place.start + at % place.len()] ^= change;
                let verdict = verifier.verdict(kind, &forged);
                prop_assert!(verdict.is_err(), "{}", String::from_utf8_lossy(&forged));
                Ok(())
            });
        }
    }
    verifier.stop();
}

#[test]
fn message_with_any_byte_changed_is_refused_or_unchanged_in_meaning() {
    let data = tempfile::tempdir().unwrap();
    let verifier = Verifier::start(data.path());
    let message = verifier.signer.notification("what was published").unwrap();
    let id = message.get("MessageId").unwrap();
    let body = message.body();
    run(2000, |at, change| {
        let mut forged = body.clone().into_bytes();
        let at = at % forged.len();
        forged[at] ^= change;
        match verifier.verdict("Notification", &forged) {
            Err(_) => {}
            Ok(Verified::Notification(published)) => {
                prop_assert_eq!(published.message(), "what was published");
                prop_assert_eq!(published.message_id(), id);
            }
            Ok(other) => prop_assert!(false, "{:?}", other),
        }
        Ok(())
    });
    verifier.stop();
}
