//! Accepts a message: from the publisher's draft to the stored message.

use bytes::Bytes;
use serde::Serialize;

use crate::clock::{self, Clock};
use crate::deduplication::Deduplication;
use crate::destination::{Destination, Target};
use crate::event::{Event, State};
use crate::flow_control::FlowKey;
use crate::header_map::Headers;
use crate::message::{Message, MessageId, Place};
use crate::name::Name;
use crate::options::{Options, Start};
use crate::plan;
use crate::queue::Queue;
use crate::scheduler::{Change, Pending};
use crate::store::{self, Transaction};
use crate::url_group::UrlGroup;
use crate::usage::{self, Spent};

/// Why a draft was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The destination is a group that does not exist.
    #[error("url group {0} not found")]
    UnknownGroup(Name),
    /// The plan does not allow it.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The day's quota is exhausted.
    #[error(transparent)]
    Spent(#[from] Spent),
}

/// Both times, read once per request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// Wall-clock milliseconds.
    pub(crate) wall_ms: u64,
    /// Broker milliseconds.
    pub(crate) broker_ms: u64,
}

impl Now {
    /// Reads the clock.
    pub(crate) fn read(clock: &Clock) -> Self {
        Self {
            wall_ms: clock::wall_ms(),
            broker_ms: clock.now_ms(),
        }
    }
}

/// A publisher's draft.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The destination.
    pub(crate) destination: Destination,
    /// The options.
    pub(crate) options: Options,
    /// The deduplication.
    pub(crate) deduplication: Deduplication,
    /// The body.
    pub(crate) body: Bytes,
    /// The queue, if any.
    pub(crate) queue: Option<Name>,
    /// The schedule, if any.
    pub(crate) schedule_id: Option<Name>,
    /// The publisher's address.
    pub(crate) caller_ip: String,
}

/// The response to a publisher for each receiver.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Published {
    /// The id of the new message, or of the one it repeats.
    pub(crate) message_id: MessageId,
    /// The receiver; only for groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Whether the message repeats an earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deduplicated: Option<bool>,
}

/// One receiver of a draft.
struct Receiver {
    target: Target,
    endpoint: Option<Name>,
    group: Option<(Name, Headers)>,
}

/// Accepts a draft: one message per receiver.
pub(crate) fn publish(
    tx: &Transaction<'_>,
    draft: &Draft,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<Result<Vec<Published>, Error>, store::Error> {
    let receivers = match receivers(tx, &draft.destination)? {
        Ok(receivers) => receivers,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(spent) = usage::check(tx, now, receivers.len())? {
        return Ok(Err(spent.into()));
    }
    if let Some(queue) = &draft.queue
        && let Err(error) = ensure_queue(tx, queue, now, changes)?
    {
        return Ok(Err(error.into()));
    }
    receivers
        .into_iter()
        .map(|receiver| accept(tx, draft, receiver, now, changes))
        .collect::<Result<_, _>>()
        .map(Ok)
}

fn receivers(
    tx: &Transaction<'_>,
    destination: &Destination,
) -> Result<Result<Vec<Receiver>, Error>, store::Error> {
    let name = match destination {
        Destination::Url(target) => {
            return Ok(Ok(vec![Receiver {
                target: target.clone(),
                endpoint: None,
                group: None,
            }]));
        }
        Destination::Group(name) => name,
    };
    let Some(group) = tx.get::<UrlGroup>(name.as_str())? else {
        return Ok(Err(Error::UnknownGroup(name.clone())));
    };
    let receiver = |endpoint: crate::url_group::Endpoint| Receiver {
        target: endpoint.url,
        endpoint: endpoint.name,
        group: Some((name.clone(), group.headers.clone())),
    };
    Ok(Ok(group.endpoints.into_iter().map(receiver).collect()))
}

fn accept(
    tx: &Transaction<'_>,
    draft: &Draft,
    receiver: Receiver,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<Published, store::Error> {
    let grouped = receiver.group.is_some();
    let url = grouped.then(|| receiver.target.as_str().to_owned());
    let key = draft.deduplication.key(
        receiver.target.as_str(),
        grouped,
        &draft.options,
        &draft.body,
    );
    if let Some(key) = &key
        && let Some(message_id) = tx.remembered(key, now.broker_ms)?
    {
        return Ok(Published {
            message_id,
            url,
            deduplicated: Some(true),
        });
    }
    let message = message(draft, receiver, now);
    insert(tx, &message, &draft.body, now, changes)?;
    if let Some(key) = key {
        tx.remember(&key, &message.id, now.broker_ms)?;
    }
    Ok(Published {
        message_id: message.id,
        url,
        deduplicated: None,
    })
}

fn message(draft: &Draft, receiver: Receiver, now: Now) -> Message {
    let id = MessageId::new();
    let mut options = draft.options.clone();
    let (url_group, defaults) = receiver.group.unzip();
    if let Some(mut headers) = defaults {
        headers.extend(&options.headers);
        options.headers = headers;
    }
    let delay_ms = delay_ms(options.start, now);
    Message {
        place: draft.queue.clone().map(|queue| Place {
            queue,
            root: id.clone(),
        }),
        id,
        target: receiver.target,
        options,
        url_group,
        endpoint: receiver.endpoint,
        schedule_id: draft.schedule_id.clone(),
        caller_ip: draft.caller_ip.clone(),
        created_ms: now.wall_ms,
        not_before_ms: now.wall_ms.saturating_add(delay_ms),
        due_ms: now.broker_ms.saturating_add(delay_ms),
        retried: 0,
    }
}

/// Returns the delay of a message in milliseconds of broker time. A wall-clock time is relative to the wall clock.
pub(crate) fn delay_ms(start: Start, now: Now) -> u64 {
    match start {
        Start::Now => 0,
        Start::After(delay_ms) => delay_ms,
        Start::At(wall_ms) => wall_ms.saturating_sub(now.wall_ms),
    }
}

/// Stores a message and adds it to the scheduler.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    message: &Message,
    body: &[u8],
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<(), store::Error> {
    usage::count(tx, now)?;
    tx.put(message.id.as_str(), message)?;
    tx.put_body(message.id.as_str(), body)?;
    tx.log(&Event::new(State::Created, message, now.wall_ms))?;
    if let Some(flow) = &message.options.flow_control {
        let mut key = tx.get::<FlowKey>(flow.key.as_str())?.unwrap_or_default();
        if key.latest != flow.limits {
            key.latest = flow.limits;
            tx.put(flow.key.as_str(), &key)?;
            changes.push(Change::FlowKey {
                key: flow.key.clone(),
                state: key,
            });
        }
    }
    changes.push(Change::Add(Pending::from(message)));
    Ok(())
}

/// Creates a queue that a message names for the first time.
fn ensure_queue(
    tx: &Transaction<'_>,
    name: &Name,
    now: Now,
    changes: &mut Vec<Change>,
) -> Result<Result<(), plan::Error>, store::Error> {
    if tx.get::<Queue>(name.as_str())?.is_none() {
        if let Err(error) = tx.limits().check_queues(tx.count::<Queue>()?) {
            return Ok(Err(error));
        }
        let queue = Queue::new(now.wall_ms);
        tx.put(name.as_str(), &queue)?;
        changes.push(Change::queue(name, &queue));
    }
    Ok(Ok(()))
}
