//! The API's view of a session, and its viewers.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::device::Device;
use super::record::Record;
use super::{Error, IDLE};

/// A session. Its tokens are never returned.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The id of the session.
    pub session_id: String,
    /// The id of the user.
    pub user_id: String,
    /// The e-mail address that the session was created with.
    pub email: String,
    /// When the session was created.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the session was last used; in a list, to the minute.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
    /// When the session expires if unused: seven days after its last use, at most 30 days after its creation.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The device that created the session.
    pub device: Device,
    /// The IP address that created the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The second factor.
    pub totp: Totp,
    /// In a list: whether this is the caller's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
}

/// The second factor of a session.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totp {
    /// Whether the second factor was verified.
    pub verified: bool,
    /// When the second factor was verified.
    #[serde(
        serialize_with = "optional_instant",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub verified_at: Option<Timestamp>,
    /// The context of the verification: `login`, `signing` or `both`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Whether the verification is at most `totpMaxAge` seconds old; absent without `totpMaxAge`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh: Option<bool>,
}

/// The viewer of a session. Without a user it is the service itself, which may see all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Viewer<'a> {
    /// The acting user, who may see the user's own sessions.
    pub user: Option<&'a str>,
    /// The domain that the acting user administers, whose sessions are visible too.
    pub domain: Option<&'a str>,
}

impl Viewer<'_> {
    /// The viewer that may see all.
    pub const ALL: Viewer<'static> = Viewer {
        user: None,
        domain: None,
    };

    /// Returns the arguments for the scripts.
    pub(super) fn arguments(&self) -> [&str; 2] {
        [
            self.user.unwrap_or_default(),
            self.domain.unwrap_or_default(),
        ]
    }

    /// Returns the scripts' decision, for a record of Postgres.
    pub(super) fn may_see(&self, record: &Record) -> bool {
        let Some(user) = self.user else {
            return true;
        };
        let domain = record.email.rsplit_once('@').map(|(_, domain)| domain);
        user == record.user_id
            || self
                .domain
                .zip(domain)
                .is_some_and(|(own, of)| own.eq_ignore_ascii_case(of))
    }
}

impl Session {
    /// Returns the view of a record, used at `used`; the age of its second factor is relative to `now`.
    pub(super) fn of(
        record: &Record,
        used: i64,
        now: i64,
        totp_max_age: Option<u32>,
    ) -> Result<Self, Error> {
        let verified = record.totp_verified_at;
        let fresh = totp_max_age.map(|oldest| {
            verified.is_some_and(|verified| now - verified <= i64::from(oldest) * 1000)
        });
        Ok(Self {
            session_id: record.session_id.clone(),
            user_id: record.user_id.clone(),
            email: record.email.clone(),
            created_at: at(record.created_at)?,
            last_used_at: at(used)?,
            expires_at: at(record.ends_at.min(used + IDLE))?,
            device: record.device(),
            ip_address: record.ip_address.clone(),
            totp: Totp {
                verified: verified.is_some(),
                verified_at: verified.map(at).transpose()?,
                context: record.totp_context.clone(),
                fresh,
            },
            current: None,
        })
    }

    /// Returns the same JSON as the scripts.
    pub(super) fn json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|_| Error::Unreadable("session"))
    }
}

/// Returns the instant of a number of milliseconds.
pub(super) fn at(millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(millis).map_err(|_| Error::Unreadable("an instant"))
}

/// Serializes an instant with three decimal places, as the scripts do.
pub(super) fn instant<S: Serializer>(
    instant: &Timestamp,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{instant:.3}"))
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn optional_instant<S: Serializer>(
    value: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => instant(value, serializer),
        None => serializer.serialize_none(),
    }
}
