//! Sends events to the subscribed address until it accepts them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, JoinSet};

use super::event::{Event, sns_request};
use super::state::Gate;
use super::{Events, post, simulator, sns};
use crate::mail::Mail;

/// The maximum number of concurrent requests.
const AT_ONCE: usize = 8;

/// The number of attempts; the pauses between them double. The providers' own retries take over an hour (SNS) and a day
/// (Svix), which is too long here. SNS stops at once after most 4xx. Here it does not, so that a function under
/// development can be called again.
const ATTEMPTS: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A task of the sender.
#[derive(Debug)]
pub(crate) enum Task {
    /// Start the events that a mail's addresses determine.
    Follow(Box<Mail>),
    /// Send an event.
    Send(Event),
    /// Ask the subscribed address to confirm.
    Ask(sns::Message),
}

/// Runs the tasks. Dropping it drops the running tasks.
#[derive(Debug)]
pub(crate) struct EventSender(JoinHandle<()>);

impl EventSender {
    pub(crate) fn start(events: Events, tasks: UnboundedReceiver<Task>) -> Self {
        Self(tokio::spawn(work(events, tasks)))
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn work(events: Events, mut tasks: UnboundedReceiver<Task>) {
    let lanes = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            task = tasks.recv() => match task {
                Some(task) => {
                    under_way.spawn(run(events.clone(), Arc::clone(&lanes), task));
                }
                None => return,
            },
            Some(_) = under_way.join_next() => {}
        }
    }
}

async fn run(events: Events, lanes: Arc<Semaphore>, task: Task) {
    match task {
        Task::Follow(mail) => follow(&events, &mail).await,
        Task::Send(event) => send(&events, &lanes, &event).await,
        Task::Ask(question) => ask(&events, &question).await,
    }
}

async fn follow(events: &Events, mail: &Mail) {
    for step in simulator::course(mail) {
        tokio::time::sleep(step.after).await;
        if let Err(error) = events.record_event(mail, step.what, &step.to) {
            tracing::error!(%error, "mail event not created; skipped");
        }
    }
}

async fn send(events: &Events, lanes: &Semaphore, event: &Event) {
    for pause in pauses() {
        let lane = lanes.acquire().await;
        if events.gate(event) != Gate::Open {
            return;
        }
        let answer = events.deliver(event).await;
        drop(lane);
        if is_taken(&answer) {
            return;
        }
        tokio::time::sleep(pause).await;
    }
    tracing::warn!(
        id = event.id(),
        "mail event not accepted by its endpoint; given up"
    );
}

async fn ask(events: &Events, question: &sns::Message) {
    for pause in pauses() {
        let Some(url) = events.state().url() else {
            return;
        };
        if is_taken(&post::post(&url, &sns_request(question)).await) {
            return;
        }
        tokio::time::sleep(pause).await;
    }
    tracing::warn!("SNS subscription not confirmed; mail events of SES go nowhere");
}

fn is_taken(answer: &Result<u16, post::Undelivered>) -> bool {
    matches!(answer, Ok(200..=299))
}

/// Returns the pause after each attempt.
fn pauses() -> impl Iterator<Item = Duration> {
    (0..ATTEMPTS).map(|attempt| {
        FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(attempt))
            .min(MAX_PAUSE)
    })
}
