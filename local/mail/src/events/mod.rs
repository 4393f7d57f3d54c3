//! The events that providers send about accepted mails: SES through an SNS topic, Resend by webhook.
//!
//! The recipient's address determines the events of a mail: it is sent and delivered, or bounces, or gets a complaint
//! (see `simulator`). Each event is sent to the subscribed address until that accepts it. Tests can hold events,
//! reorder or repeat them, and create their own. Events in transit are lost at a restart; the history is kept in memory
//! only, for the newest mails.

mod event;
mod mail_event;
mod post;
mod resend;
mod sender;
mod ses;
mod simulator;
pub mod sns;
mod state;
pub mod svix;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uuid::Uuid;

pub use self::event::{Error, Event, Request};
pub use self::mail_event::{HistoryEntry, MailEvent};
pub use self::post::Undelivered;
pub use self::state::Attempt;

use self::event::Carried;
pub(crate) use self::sender::EventSender;
use self::sender::Task;
use self::state::{Gate, State, Subscription};
use crate::clock;
use crate::mail::{Mail, Provider};

/// The events of a server. Clones share them.
#[derive(Clone, Debug)]
pub struct Events(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    signer: sns::Signer,
    webhook_key: svix::Key,
    outbox: UnboundedSender<Task>,
    state: Mutex<State>,
}

impl Events {
    /// Creates the events. Returns them with the receiver of the tasks to do.
    pub(crate) fn new(
        signer: sns::Signer,
        webhook_key: svix::Key,
    ) -> (Self, UnboundedReceiver<Task>) {
        let (outbox, tasks) = unbounded_channel();
        let shared = Shared {
            signer,
            webhook_key,
            outbox,
            state: Mutex::default(),
        };
        (Self(Arc::new(shared)), tasks)
    }

    /// Sends all further events to `url`. Resend's webhooks start at once. SES's events start after the address has
    /// confirmed the topic, which is requested now.
    pub fn subscribe(&self, url: &str) -> Result<(), Error> {
        let token = Uuid::new_v4().simple().to_string();
        let question = self.0.signer.subscription_confirmation(&token)?;
        self.state().subscription = Some(Subscription::new(url, &token));
        self.queue(Task::Ask(question));
        Ok(())
    }

    /// Stops sending events; events in transit are not retried.
    pub fn unsubscribe(&self) {
        self.state().subscription = None;
    }

    /// Returns whether the subscribed address has confirmed the topic.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        let state = self.state();
        state.subscription.as_ref().is_some_and(|it| it.confirmed)
    }

    /// Returns the number of confirmation attempts, with any token.
    #[must_use]
    pub fn confirmations(&self) -> u64 {
        self.state().confirmations
    }

    /// Holds every event from now on, including retries.
    pub fn hold(&self) {
        self.state().held = true;
    }

    /// Sends the held events in their order and stops holding.
    pub fn release(&self) {
        self.state().held = false;
        self.flush();
    }

    /// Returns the number of held events: by [`Events::hold`], or because the topic is not confirmed.
    #[must_use]
    pub fn kept_back(&self) -> usize {
        self.state().waiting.len()
    }

    /// Takes out the held events, for a test that sends them itself: see [`Events::deliver`].
    #[must_use]
    pub fn take_held(&self) -> Vec<Event> {
        self.state().waiting.drain(..).collect()
    }

    /// Returns the sent events with their responses, oldest first: the newest thousand.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.iter().cloned().collect()
    }

    /// Returns the history of a mail, oldest first.
    #[must_use]
    pub fn history(&self, mail_id: &str) -> Vec<HistoryEntry> {
        self.state().history(mail_id)
    }

    /// Returns the topic's signer, for a test's own messages.
    #[must_use]
    pub fn signer(&self) -> &sns::Signer {
        &self.0.signer
    }

    /// Returns the webhooks' key, for a test's own webhooks.
    #[must_use]
    pub fn webhook_key(&self) -> &svix::Key {
        &self.0.webhook_key
    }

    /// Returns an event about a mail's recipients at the current time; none if the mail named no configuration set at
    /// SES.
    pub fn make(
        &self,
        mail: &Mail,
        mail_event: MailEvent,
        recipients: &[&str],
    ) -> Result<Option<Event>, Error> {
        let now = clock::now();
        let carried = match mail.provider {
            Provider::Ses if mail.configuration_set.is_none() => return Ok(None),
            Provider::Ses => {
                let text = ses::event(mail, mail_event, recipients, now);
                let subject = "Amazon SES Email Event Notification";
                Carried::Sns(self.0.signer.notification_about(subject, &text)?)
            }
            Provider::Resend => Carried::Svix {
                id: format!("msg_{}", Uuid::new_v4().simple()),
                body: resend::event(mail, mail_event, recipients, now),
            },
        };
        Ok(Some(Event {
            mail_id: mail.id.clone(),
            mail_event,
            carried,
        }))
    }

    /// Records an event of a mail's recipients and sends it if an address is subscribed.
    pub fn record_event(
        &self,
        mail: &Mail,
        mail_event: MailEvent,
        recipients: &[&str],
    ) -> Result<(), Error> {
        self.state().remember(&mail.id, mail_event, recipients);
        if let Some(event) = self.make(mail, mail_event, recipients)? {
            self.publish(event);
        }
        Ok(())
    }

    /// Sends an event until it is accepted, like a simulated event.
    pub fn publish(&self, event: Event) {
        self.queue(Task::Send(event));
    }

    /// Returns the request that would be sent now: the body, and headers valid at this moment.
    pub fn request(&self, event: &Event) -> Result<Request, Error> {
        event.request(&self.0.webhook_key)
    }

    /// Sends an event once, now, even while events are held. Returns the status of the response.
    pub async fn deliver(&self, event: &Event) -> Result<u16, Undelivered> {
        let url = self.state().url().ok_or(Undelivered::NoAddress)?;
        let request = self.request(event)?;
        let answer = post::post(&url, &request).await;
        let status = answer.as_ref().ok().copied();
        self.state().attempted(event, status);
        answer
    }

    /// Starts the events of a mail that was just accepted.
    pub(crate) fn begin(&self, mail: &Mail) {
        let slim = Mail {
            html: String::new(),
            text: String::new(),
            ..mail.clone()
        };
        self.queue(Task::Follow(Box::new(slim)));
    }

    /// Confirms a subscription. Returns whether the topic is ours and the token is the requested one.
    fn confirm(&self, topic_arn: &str, token: &str) -> bool {
        let confirmed = self.state().confirm(topic_arn == sns::TOPIC_ARN, token);
        if confirmed {
            self.flush();
        }
        confirmed
    }

    /// Ends the topic's subscription; Resend's webhooks continue.
    fn deactivate(&self) {
        if let Some(subscription) = &mut self.state().subscription {
            subscription.confirmed = false;
        }
    }

    fn flush(&self) {
        let waiting: Vec<Event> = self.state().waiting.drain(..).collect();
        for event in waiting {
            self.publish(event);
        }
    }

    /// Returns the destination of an event now. An event that has to wait is held.
    fn gate(&self, event: &Event) -> Gate {
        self.state().gate(event)
    }

    fn queue(&self, task: Task) {
        // A stopped server has no receiver of tasks.
        let _stopped = self.0.outbox.send(task);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
