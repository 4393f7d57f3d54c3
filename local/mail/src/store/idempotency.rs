//! The responses to requests with an idempotency key. They are stored in the lines of the mails.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// The lifetime of a key: <https://resend.com/docs/dashboard/emails/idempotency-keys>.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The first request under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The hash of its payload.
    pub(crate) payload: String,
    /// The ids in its response.
    pub(crate) ids: Vec<String>,
    at: Timestamp,
}

/// The keys of the stored mails.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<String, Taken>);

impl Keys {
    /// Records that the mail `id`, accepted `at`, was sent with `key`.
    pub(super) fn add(&mut self, key: &str, payload: &str, id: &str, at: Timestamp) {
        match self.0.get_mut(key) {
            // One request of a batch creates several mails.
            Some(taken) if taken.payload == payload && is_fresh(taken.at, at) => {
                taken.ids.push(id.to_owned());
            }
            _ => {
                let taken = Taken {
                    payload: payload.to_owned(),
                    ids: vec![id.to_owned()],
                    at,
                };
                self.0.insert(key.to_owned(), taken);
            }
        }
    }

    /// Returns the request of `key` at `now`.
    pub(super) fn get(&self, key: &str, now: Timestamp) -> Option<Taken> {
        let taken = self.0.get(key)?;
        is_fresh(taken.at, now).then(|| taken.clone())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < LIFETIME
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::Keys;
    use crate::clock;

    #[test]
    fn idempotency_key_is_kept_for_a_day() {
        let mut keys = Keys::default();
        let at = clock::now();
        keys.add("k", "p", "1", at);
        keys.add("k", "p", "2", at);
        let last = at + SignedDuration::from_millis(24 * 3600 * 1000 - 1);
        assert_eq!(keys.get("k", last).unwrap().ids, ["1", "2"]);
        let next_day = at + SignedDuration::from_hours(24);
        assert_eq!(keys.get("k", next_day), None);
        keys.add("k", "p", "3", next_day);
        assert_eq!(keys.get("k", next_day).unwrap().ids, ["3"]);
        assert_eq!(keys.get("other", at), None);
    }
}
