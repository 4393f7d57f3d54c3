//! Updates Redis after the rows are committed: the event of each notification and the count of each user.

use std::collections::BTreeMap;

use serde_json::json;
use shared::protocol::upstash::{Pipeline, Redis, Reply};
use shared::service::notification::{NotificationResult, UnreadCounts};
use shared::service::realtime::{Channel, Event};

use crate::outcome::Error;

/// The event's type.
const EVENT: &str = "notification";

/// Publishes the unpublished events and sets the counts of their users, in one request.
pub(crate) async fn announce(redis: &Redis, results: &[NotificationResult]) -> Result<(), Error> {
    let mut calls = Pipeline::new();
    let mut counts = BTreeMap::new();
    let mut count = 0;
    for result in results.iter().filter(|result| !result.announced) {
        let Some(item) = &result.item else { continue };
        let user = item.user_id.to_string();
        let data = json!({ "notification": item, "unreadCount": result.unread.count });
        let channel = Channel::UserNotifications(&user);
        calls = Event::new(channel, EVENT, &data)?.join(calls);
        counts.insert(item.user_id, result.unread);
        count += 2;
    }
    if counts.is_empty() {
        return Ok(());
    }
    count += counts.len();
    for (user, unread) in counts {
        calls = calls.script(UnreadCounts::setting(user, unread));
    }
    let mut replies = redis.pipeline(calls).await?;
    for _ in 0..count {
        replies.take::<Reply>()?;
    }
    Ok(())
}
