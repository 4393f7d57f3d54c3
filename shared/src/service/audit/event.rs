//! The content of an audit event: the payload that producers write and `audit-log` reads, parsed once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use super::text::{InvalidText, Name, Word};
use crate::base::clock::Clock;
use crate::service::mail::payload::optional;

/// The actions of the web app. Others are accepted as well.
pub const ACTIONS: [&str; 10] = [
    "create",
    "update",
    "delete",
    "view",
    "sign",
    "download",
    "share",
    "login",
    "logout",
    "admin_action",
];

/// The resource types of the web app. Others are accepted as well.
pub const RESOURCE_TYPES: [&str; 7] = [
    "document",
    "signing_request",
    "user",
    "notification",
    "template",
    "organization",
    "domain_settings",
];

/// The longest event, in bytes of JSON. The database accepts 64 KB of canonical text.
const MAX_BYTES: usize = 60_000;

/// The characters of a user agent that are kept: the caller chooses its length, and a long one must not prevent an
/// event.
const USER_AGENT: usize = 2048;

/// An action of a user on a resource. Unknown members are ignored; an optional text that is empty or blank is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEventPayload)]
pub struct Event {
    /// The id of the event: repeating it changes nothing. Default: the id of the job.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, max_length = 320, pattern = r"^[^\u0000]*$")]
    pub event_id: Option<Name>,
    /// The user who acted.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, max_length = 320, pattern = r"^[^\u0000]*$")]
    pub user_id: Option<Name>,
    /// The domain of the user who acted; its administrators see the event. Default: `X-User-Domain`.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, max_length = 320, pattern = r"^[^\u0000]*$")]
    pub domain: Option<Name>,
    /// The action, such as `sign`.
    pub action: Word,
    /// The type of the resource, such as `signing_request`.
    pub resource_type: Word,
    /// The id of the resource.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, max_length = 320, pattern = r"^[^\u0000]*$")]
    pub resource_id: Option<Name>,
    /// The signing request whose chain the event joins. Default: the `resourceId` of a `signing_request`.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, max_length = 320, pattern = r"^[^\u0000]*$")]
    pub request_id: Option<Name>,
    /// Details of the event: any JSON. Numbers are doubles; pass numbers with more digits as strings.
    #[serde(
        default,
        deserialize_with = "storable",
        skip_serializing_if = "Value::is_null"
    )]
    pub details: Value,
    /// Metadata of the event: any JSON.
    #[serde(
        default,
        deserialize_with = "storable",
        skip_serializing_if = "Value::is_null"
    )]
    pub metadata: Value,
    /// The IP address of the action.
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, max_length = 100, pattern = r"^[^\u0000]*$")]
    pub ip_address: Option<Word>,
    /// The user agent of the action. The first 2,048 characters are stored.
    #[serde(
        default,
        deserialize_with = "user_agent",
        skip_serializing_if = "Option::is_none"
    )]
    pub user_agent: Option<String>,
    /// When the event happened: milliseconds since 1970, or RFC 3339. Default: the time of enqueuing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<EventTime>,
}

/// The event is too large for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must not be larger than {MAX_BYTES} bytes")]
pub struct TooLarge;

impl Event {
    /// Errors if the event is too large for the log.
    pub fn must_fit(&self) -> Result<(), TooLarge> {
        let size = serde_json::to_string(self).map_or(usize::MAX, |text| text.len());
        if size > MAX_BYTES {
            return Err(TooLarge);
        }
        Ok(())
    }
}

/// How far a writer's clock may be ahead; the database has the same limit.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The time of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTime(pub Timestamp);

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EventTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let at = match &value {
            Value::Number(millis) => of_millis(millis),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let at = at.filter(|at| *at >= Timestamp::UNIX_EPOCH);
        let at = at.ok_or_else(|| {
            de::Error::custom("must be milliseconds since 1970 or an RFC 3339 timestamp")
        })?;
        if at > Clock::system().now() + MAX_AHEAD {
            return Err(de::Error::custom(
                "must not be more than five minutes in the future",
            ));
        }
        Ok(Self(at))
    }
}

impl utoipa::PartialSchema for EventTime {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{
            KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type,
        };
        let of = |kind| ObjectBuilder::new().schema_type(kind);
        OneOfBuilder::new()
            .item(
                of(Type::Number)
                    .minimum(Some(0))
                    .maximum(Some(253_402_207_200_000_i64)),
            )
            .item(of(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))))
            .into()
    }
}

impl ToSchema for EventTime {}

/// Returns the instant of milliseconds with or without a fraction, as JavaScript's clocks return them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is cut off is below a microsecond, and a cast saturates"
)]
fn of_millis(millis: &Number) -> Option<Timestamp> {
    let micros = match millis.as_i64() {
        Some(whole) => whole.checked_mul(1000)?,
        None => (millis.as_f64()? * 1000.0).round() as i64,
    };
    Timestamp::from_microsecond(micros).ok()
}

/// Reads JSON that Postgres can store.
fn storable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if has_nul(&value) {
        return Err(de::Error::custom(InvalidText::Nul));
    }
    Ok(value)
}

fn has_nul(value: &Value) -> bool {
    let in_members = |members: &Map<String, Value>| {
        members
            .iter()
            .any(|(name, member)| name.contains('\0') || has_nul(member))
    };
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => in_members(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn user_agent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text
        .map(|text| text.replace('\0', " ").chars().take(USER_AGENT).collect())
        .filter(|text: &String| !text.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Event;

    fn parse(change: &Value) -> Result<Event, serde_json::Error> {
        let mut event = json!({ "action": "sign", "resourceType": "signing_request" });
        for (name, value) in change.as_object().unwrap() {
            event[name] = value.clone();
        }
        serde_json::from_value(event)
    }

    #[test]
    fn event_time_is_read_as_milliseconds_or_rfc_3339() {
        for timestamp in [
            json!(1_700_000_000_000_i64),
            json!(1_700_000_000_000.0),
            json!("2023-11-14T22:13:20Z"),
            json!("2023-11-14T23:13:20+01:00"),
        ] {
            let event = parse(&json!({ "timestamp": timestamp })).unwrap();
            assert_eq!(event.timestamp.unwrap().0.as_second(), 1_700_000_000);
        }
        for timestamp in [json!(-1), json!(1e300), json!("yesterday"), json!(true)] {
            assert!(
                parse(&json!({ "timestamp": timestamp })).is_err(),
                "{timestamp}"
            );
        }
    }

    #[test]
    fn event_that_postgres_cannot_store_is_refused() {
        for bad in [
            json!({ "action": "a\0" }),
            json!({ "userId": "\0" }),
            json!({ "details": { "a": [{ "b\0": 1 }] } }),
            json!({ "metadata": ["\0"] }),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn overlong_user_agent_is_cut_and_the_event_accepted() {
        let event = parse(&json!({ "userAgent": "ü\0".repeat(4000) })).unwrap();
        assert_eq!(event.user_agent.unwrap().chars().count(), 2048);
    }

    #[test]
    fn absent_null_and_blank_members_are_omitted() {
        let event = parse(&json!({ "userId": " ", "requestId": null, "details": null })).unwrap();
        assert_eq!(
            serde_json::to_value(event).unwrap(),
            json!({ "action": "sign", "resourceType": "signing_request" })
        );
    }

    #[test]
    fn event_larger_than_the_log_accepts_is_refused() {
        assert!(
            parse(&json!({ "details": "x".repeat(59_000) }))
                .unwrap()
                .must_fit()
                .is_ok()
        );
        assert!(
            parse(&json!({ "details": "x".repeat(60_000) }))
                .unwrap()
                .must_fit()
                .is_err()
        );
    }
}
