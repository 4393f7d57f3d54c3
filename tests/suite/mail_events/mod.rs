//! Providers' events: genuine ones are applied once, others are rejected.

mod foreign_host;
mod forged;
mod listing;
mod mutations;
mod outages;
mod resend;
mod subscription;
mod verified;

use http::Method;
use jiff::Timestamp;
use local_mail::events::MailEvent;
use local_mail::events::sns::{Message, Signer};
use local_mail::{Mail, Provider, Tag};
use serde_json::{Value, json};
use shared::base::clock::Clock;
use shared::protocol::mail::LEDGER_TAG;

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer};
use crate::support::ledger::{LedgerDatabase, REMINDER};

/// The subject of SES's notifications.
const SUBJECT: &str = "Amazon SES Email Event Notification";

/// The route.
const ROUTE: &str = "/api/mail-events";

/// A cloud with a mail at its provider, without events yet.
struct Stage {
    cloud: TestCloud,
    database: LedgerDatabase,
}

impl Stage {
    async fn set() -> Self {
        Self::on(TestCloud::start().await).await
    }

    async fn on(cloud: TestCloud) -> Self {
        let database = LedgerDatabase::of(&cloud);
        REMINDER.sending(&database).await;
        Self { cloud, database }
    }

    /// Returns the topic's signer.
    fn signer(&self) -> Signer {
        Signer::new(&self.cloud.mail().sns_url()).unwrap()
    }

    /// Returns SES's event of the mail, as the topic publishes it.
    fn event(&self, mail_event: MailEvent) -> Message {
        let text = self.event_text(&mail(Provider::Ses), mail_event);
        self.signer().notification_about(SUBJECT, &text).unwrap()
    }

    /// Returns a provider's event of a mail, without its envelope.
    fn event_text(&self, mail: &Mail, mail_event: MailEvent) -> String {
        let events = self.cloud.mail().events();
        let event = events.make(mail, mail_event, &[REMINDER.to]).unwrap();
        event.unwrap().text().to_owned()
    }

    /// Sends a message as SNS does.
    async fn notify(&self, message: &Message) -> Answer {
        self.send(&message.headers(), &message.body()).await
    }

    /// Sends a body to the route without a token.
    async fn send(&self, headers: &[(&str, String)], body: &str) -> Answer {
        let mut request = self.cloud.bare(Method::POST, ROUTE).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        answer(request).await
    }

    /// Returns the mail's row in the ledger.
    async fn row(&self) -> Value {
        self.database.row(&REMINDER.key()).await
    }

    /// Returns everything that events may change.
    async fn everything(&self) -> Value {
        let rest = "select jsonb_build_object( \
             'events', (select coalesce(jsonb_agg(e order by event_id), '[]') from signtusk.email_events as e), \
             'suppressed', (select coalesce(jsonb_agg(s order by address, reason), '[]') from signtusk.email_suppressions as s) \
             ) as value";
        json!([self.row().await, self.database.read(rest).await])
    }
}

/// Returns the mail as the provider accepted it.
fn mail(provider: Provider) -> Mail {
    Mail {
        id: "message-1".to_owned(),
        provider,
        to: vec![REMINDER.to.to_owned()],
        cc: Vec::new(),
        bcc: Vec::new(),
        from: "SignTusk <noreply@signtusk.localhost>".to_owned(),
        reply_to: Vec::new(),
        subject: "Please sign".to_owned(),
        html: String::new(),
        text: String::new(),
        headers: Vec::new(),
        attachments: Vec::new(),
        tags: vec![Tag {
            name: LEDGER_TAG.to_owned(),
            value: REMINDER.key(),
        }],
        configuration_set: Some("signtusk".to_owned()),
        idempotency_key: None,
        at: now(),
    }
}

fn now() -> Timestamp {
    Clock::system().now()
}

/// Asserts that an event was accepted, and its outcome.
#[track_caller]
fn assert_taken(answer: &Answer, status: &str, why: &str) {
    assert_eq!(
        (answer.status.as_u16(), &answer.body),
        (200, &json!({ "status": status })),
        "{why}"
    );
}

/// Asserts that an event was rejected because no known provider signed it.
#[track_caller]
fn assert_refused(answer: &Answer, why: &str) {
    answer.assert_problem(401, "signature_invalid", why);
}
