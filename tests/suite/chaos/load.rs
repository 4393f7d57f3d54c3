//! Callers that use every way to enqueue, each recipient once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::TestCloud;
use crate::support::ledger::LedgerDatabase;
use crate::support::payloads::signature_request;

/// Concurrent callers.
const CALLERS: u32 = 4;

/// The pause of a caller between two requests.
const PAUSE: Duration = Duration::from_millis(120);

/// Recipients of a bulk; one in eight has more than fit into one job.
const BULK: u32 = 5;
const LARGE_BULK: u32 = 105;

/// The recipients of the acknowledged mails and notifications, and the resources of the acknowledged audit events.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    pub(super) requests: u64,
    pub(super) acknowledged: u64,
    pub(super) mails: BTreeSet<String>,
    pub(super) notifications: BTreeSet<String>,
    pub(super) events: BTreeSet<String>,
}

/// One request and its expected effects.
struct Request {
    path: &'static str,
    body: Value,
    effects: Effects,
}

enum Effects {
    Mails(Vec<String>),
    Notifications(Vec<String>),
    Event(String),
}

/// Enqueues until the given instant.
pub(super) async fn run(cloud: &TestCloud, until: Instant) -> Ordered {
    let callers = join_all((0..CALLERS).map(|caller| call(cloud, caller, until)));
    let (orders, written) = tokio::join!(callers, write(cloud, until));
    let mut all = written;
    for ordered in orders {
        all.requests += ordered.requests;
        all.acknowledged += ordered.acknowledged;
        all.mails.extend(ordered.mails);
        all.notifications.extend(ordered.notifications);
        all.events.extend(ordered.events);
    }
    all
}

async fn call(cloud: &TestCloud, caller: u32, until: Instant) -> Ordered {
    let mut ordered = Ordered::default();
    let mut number = 0;
    while Instant::now() < until {
        let request = request(caller, number);
        number += 1;
        let answer = cloud.post(request.path, &request.body).await;
        ordered.requests += 1;
        if answer.status == StatusCode::ACCEPTED {
            ordered.acknowledged += 1;
            ordered.expect(request.effects);
        } else {
            // An instance was killed or a store was unavailable: nothing was acknowledged.
            assert!(answer.status.is_server_error(), "{answer:?}");
        }
        tokio::time::sleep(PAUSE).await;
    }
    ordered
}

/// Writes jobs to the outbox, as the web app does, and pings the relay.
async fn write(cloud: &TestCloud, until: Instant) -> Ordered {
    let database = LedgerDatabase::of(cloud);
    let mut ordered = Ordered::default();
    while Instant::now() < until {
        let to = format!("outbox-{}@example.com", ordered.requests);
        let payload = signature_request(&to);
        let call =
            format!("select to_jsonb(public.signtusk_enqueue_job('email', '{payload}')) as value");
        database.read(&call).await;
        ordered.requests += 1;
        ordered.acknowledged += 1;
        ordered.mails.insert(to);
        if ordered.requests.is_multiple_of(4) {
            let message = format!("msg_ping_{}", ordered.requests);
            cloud.deliver_as(&message, "relay-outbox", &json!({})).await;
        }
        tokio::time::sleep(PAUSE * 4).await;
    }
    ordered
}

impl Ordered {
    fn expect(&mut self, effects: Effects) {
        match effects {
            Effects::Mails(recipients) => self.mails.extend(recipients),
            Effects::Notifications(users) => self.notifications.extend(users),
            Effects::Event(resource) => drop(self.events.insert(resource)),
        }
    }
}

fn request(caller: u32, number: u32) -> Request {
    let address = |place: u32| format!("c{caller}-{number}-{place}@example.com");
    let user = |place: u32| {
        let [caller, number, place] = [caller + 1, number, place].map(u128::from);
        Uuid::from_u128((caller << 96) | (number << 48) | place).to_string()
    };
    let recipients = if number / 12 % 8 == 1 {
        LARGE_BULK
    } else {
        BULK
    };
    let notification = |user: &str| json!({ "userId": user, "title": "News", "message": "M" });
    match number % 12 {
        0..4 => Request {
            path: "/api/queue/emails",
            body: signature_request(&address(0)),
            effects: Effects::Mails(vec![address(0)]),
        },
        4 => {
            let recipients: Vec<String> = (0..recipients).map(address).collect();
            let emails: Vec<Value> = recipients
                .iter()
                .map(|email| json!({ "name": "Signer", "email": email }))
                .collect();
            Request {
                path: "/api/queue/emails/bulk",
                body: json!({ "emails": emails }),
                effects: Effects::Mails(recipients),
            }
        }
        5..8 => {
            let mut body = notification(&user(0));
            body["type"] = json!("general");
            Request {
                path: "/api/queue/notifications",
                body,
                effects: Effects::Notifications(vec![user(0)]),
            }
        }
        8 => {
            let users: Vec<String> = (0..recipients).map(user).collect();
            let items: Vec<Value> = users.iter().map(|user| notification(user)).collect();
            Request {
                path: "/api/queue/notifications/bulk",
                body: json!({ "notifications": items }),
                effects: Effects::Notifications(users),
            }
        }
        _ => {
            let resource = format!("document-{caller}-{number}");
            Request {
                path: "/api/queue/audit-events",
                body: json!({ "action": "sign", "resourceType": "document", "resourceId": resource }),
                effects: Effects::Event(resource),
            }
        }
    }
}
