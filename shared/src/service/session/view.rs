//! A session as it is shown, and who may see it.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::device::Device;
use super::record::Record;
use super::{Error, IDLE};

/// A session. Of its tokens nothing is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub session_id: String,
    /// Whose it is.
    pub user_id: String,
    /// The address with which it began.
    pub email: String,
    /// When it began.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was used last; in a list, to the minute.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
    /// When it ends if it is not used again: seven days after its last use, and 30 after it began at the latest.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Where it began.
    pub device: Device,
    /// From which address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The second factor.
    pub totp: Totp,
    /// In a list: whether it is the one that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
}

/// What was proven with a second factor.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totp {
    /// Whether it was.
    pub verified: bool,
    /// When.
    #[serde(
        serialize_with = "optional_instant",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub verified_at: Option<Timestamp>,
    /// What for: `login`, `signing` or `both`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Whether that is at most `totpMaxAge` seconds ago; only where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh: Option<bool>,
}

/// For whom a session is read or changed. Nobody named: the service itself, which may see all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Viewer<'a> {
    /// The acting user, who sees his own sessions.
    pub user: Option<&'a str>,
    /// The domain that he administers: he sees the sessions of its addresses, too.
    pub domain: Option<&'a str>,
}

impl Viewer<'_> {
    /// Who may see all.
    pub const ALL: Viewer<'static> = Viewer {
        user: None,
        domain: None,
    };

    /// What the scripts are told.
    pub(super) fn words(&self) -> [&str; 2] {
        [
            self.user.unwrap_or_default(),
            self.domain.unwrap_or_default(),
        ]
    }

    /// The same that the scripts decide, for what was read from Postgres.
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
    /// The session of a record, used at `used`; `now` is what the age of its second factor is measured by.
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

    /// As JSON, which is what the scripts give as well.
    pub(super) fn json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|_| Error::Unreadable("session"))
    }
}

/// The instant of so many milliseconds.
pub(super) fn at(millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(millis).map_err(|_| Error::Unreadable("an instant"))
}

/// Three digits of a second, as the scripts write them.
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
