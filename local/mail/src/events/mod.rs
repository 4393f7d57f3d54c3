//! What the providers say about a mail after they took it: SES through an SNS topic, Resend by webhook.
//!
//! Every accepted mail has a course: it is sent and delivered, or bounces, or is complained about, as its address says
//! (see `simulator`). Each step of it goes to the subscribed address until that takes it. Tests can hold the
//! events, send them in another order or twice, and make their own. What is under way is lost at a restart; what
//! happened is kept in memory only, for the newest mails.

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
    /// The events, and where what shall go out comes from.
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

    /// From now on everything goes to `url`, instead of where it went before: Resend's webhooks at once, SES's events
    /// when the address has confirmed the topic's question, which is asked now.
    pub fn subscribe(&self, url: &str) -> Result<(), Error> {
        let token = Uuid::new_v4().simple().to_string();
        let question = self.0.signer.subscription_confirmation(&token)?;
        self.state().subscription = Some(Subscription::new(url, &token));
        self.queue(Task::Ask(question));
        Ok(())
    }

    /// From now on nothing goes anywhere; what is under way is not tried again.
    pub fn unsubscribe(&self) {
        self.state().subscription = None;
    }

    /// Whether the subscribed address has confirmed the topic.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        let state = self.state();
        state.subscription.as_ref().is_some_and(|it| it.confirmed)
    }

    /// How often a subscription was confirmed or tried to be, with whatever token.
    #[must_use]
    pub fn confirmations(&self) -> u64 {
        self.state().confirmations
    }

    /// Keeps back every event from now on, those that would be tried again included.
    pub fn hold(&self) {
        self.state().held = true;
    }

    /// Sends what was kept back, in its order, and holds nothing back any more.
    pub fn release(&self) {
        self.state().held = false;
        self.flush();
    }

    /// How many events are kept back: by [`Events::hold`], or because the topic is not confirmed.
    #[must_use]
    pub fn kept_back(&self) -> usize {
        self.state().waiting.len()
    }

    /// Takes out what was kept back, for a test that sends it as it likes: see [`Events::deliver`].
    #[must_use]
    pub fn take_held(&self) -> Vec<Event> {
        self.state().waiting.drain(..).collect()
    }

    /// What went out, oldest first, with the answers: the newest thousand.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.iter().cloned().collect()
    }

    /// What became of a mail so far, oldest first.
    #[must_use]
    pub fn history(&self, mail_id: &str) -> Vec<HistoryEntry> {
        self.state().history(mail_id)
    }

    /// The topic's signer, for messages of a test's own.
    #[must_use]
    pub fn signer(&self) -> &sns::Signer {
        &self.0.signer
    }

    /// The webhooks' key, for webhooks of a test's own.
    #[must_use]
    pub fn webhook_key(&self) -> &svix::Key {
        &self.0.webhook_key
    }

    /// The event that tells that something happened to a mail's recipients now. Nothing where SES has nobody to tell:
    /// the mail named no configuration set.
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

    /// Lets something happen to a mail's recipients: remembers it, and tells it if there is somebody to tell.
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

    /// Sends an event until it is taken, as those that happen are.
    pub fn publish(&self, event: Event) {
        self.queue(Task::Send(event));
    }

    /// What would be sent now: the body, and headers that are right at this moment.
    pub fn request(&self, event: &Event) -> Result<Request, Error> {
        event.request(&self.0.webhook_key)
    }

    /// Sends an event once, now, whether or not events are held; the status of the answer.
    pub async fn deliver(&self, event: &Event) -> Result<u16, Undelivered> {
        let url = self.state().url().ok_or(Undelivered::NoAddress)?;
        let request = self.request(event)?;
        let answer = post::post(&url, &request).await;
        let status = answer.as_ref().ok().copied();
        self.state().attempted(event, status);
        answer
    }

    /// Begins the course of a mail that was just accepted.
    pub(crate) fn begin(&self, mail: &Mail) {
        let slim = Mail {
            html: String::new(),
            text: String::new(),
            ..mail.clone()
        };
        self.queue(Task::Follow(Box::new(slim)));
    }

    /// Takes a confirmation: whether the topic is ours and the token the one that was asked with.
    fn confirm(&self, topic_arn: &str, token: &str) -> bool {
        let confirmed = self.state().confirm(topic_arn == sns::TOPIC_ARN, token);
        if confirmed {
            self.flush();
        }
        confirmed
    }

    /// Ends the topic's subscription; Resend's webhooks go on.
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

    /// Where an event may go now. One that has to wait is kept.
    fn gate(&self, event: &Event) -> Gate {
        self.state().gate(event)
    }

    fn queue(&self, task: Task) {
        // Nobody takes tasks any more once the server is stopped.
        let _stopped = self.0.outbox.send(task);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
