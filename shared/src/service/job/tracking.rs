//! What a message says about its job besides the payload.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::base::id;

/// The members that this project adds to a payload. A message of the official client has neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracking {
    /// The job's id; absent when the message was published without a record, or says what cannot be an id.
    #[serde(default, deserialize_with = "plain")]
    pub job_id: Option<String>,
    /// Which publication of the job this is, from 1.
    #[serde(default)]
    pub generation: Option<u32>,
}

fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let id = Option::<String>::deserialize(deserializer)?;
    Ok(id.filter(|id| id::is_plain(id)))
}

impl Tracking {
    /// The body of a message: the payload (a JSON object) with these members added. The other members are passed on
    /// as they are written, so that one which cannot be read fails its own job and no batch.
    pub(super) fn envelop(&self, payload: &str) -> Result<Vec<u8>, serde_json::Error> {
        let mut body: BTreeMap<String, Box<RawValue>> = serde_json::from_str(payload)?;
        body.insert("jobId".into(), to_raw_value(&self.job_id)?);
        body.insert("generation".into(), to_raw_value(&self.generation)?);
        serde_json::to_vec(&body)
    }
}

#[cfg(test)]
mod tests {
    use super::Tracking;

    #[test]
    fn unreadable_member_is_passed_on_as_written() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let payload = format!(r#"{{"a":{deep},"b":1e400,"c":12345678901234567890}}"#);
        let body = Tracking::default().envelop(&payload).unwrap();
        let body = String::from_utf8(body).unwrap();
        for written in [deep.as_str(), "1e400", "12345678901234567890"] {
            assert!(body.contains(written), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_an_id_is_none() {
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

    #[test]
    fn a_payload_cannot_claim_another_job() {
        let tracking = Tracking {
            job_id: Some("ours".into()),
            generation: Some(2),
        };
        let body = tracking.envelop(r#"{"jobId":"theirs","to":"a"}"#).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"jobId":"ours","generation":2,"to":"a"})
        );
    }
}
