//! The members of a message that track its job, besides the payload.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::base::id;

/// The members that this project adds to a payload. A message of the official client has neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracking {
    /// The job's id; absent if the message was published without a record, or has an invalid id.
    #[serde(default, deserialize_with = "plain")]
    pub job_id: Option<String>,
    /// The generation, from 1.
    #[serde(default)]
    pub generation: Option<u32>,
}

/// The state that an attempt passes to the next one, in the message that continues the job. It is in the message and
/// not in the record, because the message may arrive before the commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Continuation {
    /// The start of the next attempt; null for the beginning.
    pub checkpoint: Value,
    /// The number of consecutive deferrals.
    pub deferrals: u32,
}

/// The member of a message that contains it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Continued {
    /// The state of the previous attempt.
    #[serde(default)]
    pub continued: Continuation,
}

fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let id = Option::<String>::deserialize(deserializer)?;
    Ok(id.filter(|id| id::is_plain(id)))
}

impl Tracking {
    /// Returns whether this message continues a job. A first message starts at the beginning, whatever its sender
    /// wrote.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.job_id.is_some() && self.generation > Some(1)
    }

    /// Returns the body of a message: the payload (a JSON object) with these members added. The other members are
    /// copied as text: an unreadable one fails its own job and not the batch, and long numbers keep their digits.
    pub(super) fn envelop(&self, payload: &str) -> Result<Vec<u8>, serde_json::Error> {
        let mut body = members(payload)?;
        body.insert("jobId".into(), to_raw_value(&self.job_id)?);
        body.insert("generation".into(), to_raw_value(&self.generation)?);
        serde_json::to_vec(&body)
    }
}

impl Continuation {
    /// Returns the payload of a message that continues the job with this state.
    pub fn within(&self, payload: &str) -> Result<String, serde_json::Error> {
        let mut body = members(payload)?;
        body.insert("continued".into(), to_raw_value(self)?);
        serde_json::to_string(&body)
    }
}

fn members(payload: &str) -> Result<BTreeMap<String, Box<RawValue>>, serde_json::Error> {
    serde_json::from_str(payload)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Continuation, Continued, Tracking};

    #[test]
    fn unreadable_member_is_forwarded_unchanged() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let payload = format!(r#"{{"a":{deep},"b":1e400,"c":12345678901234567890,"d":[]}}"#);
        let body = Tracking::default().envelop(&payload).unwrap();
        let body = String::from_utf8(body).unwrap();
        for written in [deep.as_str(), "1e400", "12345678901234567890", r#""d":[]"#] {
            assert!(body.contains(written), "{body}");
        }
    }

    #[test]
    fn invalid_job_id_is_ignored() {
        let long = format!(r#""{}""#, "x".repeat(257));
        for id in [
            "null",
            r#""""#,
            r#""a b""#,
            r#""a\u0000b""#,
            r#""\u00fc""#,
            &long,
        ] {
            let body = format!(r#"{{"jobId":{id},"generation":2}}"#);
            let tracking: Tracking = serde_json::from_str(&body).unwrap();
            assert_eq!(
                (tracking.job_id, tracking.generation),
                (None, Some(2)),
                "{id}"
            );
        }
    }

    fn ours(generation: u32) -> Tracking {
        Tracking {
            job_id: Some("ours".into()),
            generation: Some(generation),
        }
    }

    #[test]
    fn continuation_counts_only_in_the_message_of_a_continued_job() {
        let left = Continuation {
            checkpoint: json!({ "cursor": 7 }),
            deferrals: 2,
        };
        let read = |tracking: &Tracking| {
            let payload = left.within(r#"{"to":"a"}"#).unwrap();
            let body = tracking.envelop(&payload).unwrap();
            let message: Continued = serde_json::from_slice(&body).unwrap();
            tracking.goes_on().then_some(message.continued)
        };
        assert_eq!(read(&ours(2)), Some(left.clone()));
        assert_eq!(read(&ours(1)), None);
        assert_eq!(read(&Tracking::default()), None);
    }

    #[test]
    fn payload_cannot_replace_the_job_id() {
        let tracking = ours(2);
        let body = tracking.envelop(r#"{"jobId":"theirs","to":"a"}"#).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"jobId":"ours","generation":2,"to":"a"})
        );
    }
}
