//! The record of a session, the same in both stores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Error;
use super::device::Device;

/// The kept length of a former token's hash: half the hexadecimal SHA-256.
pub(super) const HALF_HASH: usize = 32;

/// A session. Instants are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub(super) session_id: String,
    pub(super) user_id: String,
    pub(super) email: String,
    /// SHA-256 of the refresh token, in hexadecimal.
    pub(super) refresh_hash: String,
    pub(super) created_at: i64,
    pub(super) last_used_at: i64,
    /// The end that a use does not extend.
    pub(super) ends_at: i64,
    /// A version that grows with every change except the time of the last use.
    pub(super) version: i64,
    pub(super) ip_address: Option<String>,
    pub(super) user_agent: Option<String>,
    /// Absent in rows of the web app.
    pub(super) device: Option<Device>,
    pub(super) totp_verified_at: Option<i64>,
    pub(super) totp_context: Option<String>,
    /// Halves of the SHA-256 of former refresh tokens, newest first, without separators.
    pub(super) rotated: String,
    pub(super) rotated_at: Option<i64>,
}

impl Record {
    /// Reads the fields and values of a hash.
    pub(super) fn from_fields(session_id: &str, fields: &[String]) -> Result<Self, Error> {
        let fields: BTreeMap<&str, &str> = fields
            .chunks_exact(2)
            .map(|pair| (pair[0].as_str(), pair[1].as_str()))
            .collect();
        let text = |name: &'static str| fields.get(name).map(|text| (*text).to_owned());
        let must = |name| text(name).ok_or(Error::Unreadable(name));
        let optional = |name: &'static str| {
            let number = fields.get(name).map(|text| text.parse::<i64>());
            number.transpose().map_err(|_| Error::Unreadable(name))
        };
        let number = |name| optional(name)?.ok_or(Error::Unreadable(name));
        let device: Option<Device> = fields
            .get("device")
            .map(|json| serde_json::from_str(json))
            .transpose()
            .map_err(|_| Error::Unreadable("device"))?;
        Ok(Self {
            session_id: session_id.to_owned(),
            user_id: must("userId")?,
            email: must("email")?,
            refresh_hash: must("refreshHash")?,
            created_at: number("createdAt")?,
            last_used_at: number("lastUsedAt")?,
            ends_at: number("endsAt")?,
            version: number("version")?,
            ip_address: text("ipAddress"),
            user_agent: device.as_ref().and_then(|device| device.user_agent.clone()),
            device,
            totp_verified_at: optional("totpVerifiedAt")?,
            totp_context: text("totpContext"),
            rotated: text("rotated").unwrap_or_default(),
            rotated_at: optional("rotatedAt")?,
        })
    }

    /// Returns the fields and values of the hash, as in Postgres: the last saved use is the last use.
    pub(super) fn fields(&self) -> Result<Vec<String>, Error> {
        let device =
            serde_json::to_string(&self.device()).map_err(|_| Error::Unreadable("device"))?;
        let certain = [
            ("userId", self.user_id.clone()),
            ("email", self.email.clone()),
            ("refreshHash", self.refresh_hash.clone()),
            ("createdAt", self.created_at.to_string()),
            ("lastUsedAt", self.last_used_at.to_string()),
            ("savedAt", self.last_used_at.to_string()),
            ("endsAt", self.ends_at.to_string()),
            ("version", self.version.to_string()),
            ("device", device),
            ("rotated", self.rotated.clone()),
        ];
        let optional = [
            ("ipAddress", self.ip_address.clone()),
            (
                "totpVerifiedAt",
                self.totp_verified_at.map(|at| at.to_string()),
            ),
            ("totpContext", self.totp_context.clone()),
            ("rotatedAt", self.rotated_at.map(|at| at.to_string())),
        ];
        let present = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Ok(certain
            .into_iter()
            .chain(present)
            .flat_map(|(name, value)| [name.to_owned(), value])
            .collect())
    }

    /// Returns the device, parsed now if the web app did not.
    pub(super) fn device(&self) -> Device {
        let parsed = || Device::parse(self.user_agent.as_deref().unwrap_or_default());
        self.device.clone().unwrap_or_else(parsed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::{Device, Record};

    fn record() -> impl Strategy<Value = Record> {
        let instant = || 0_i64..4_000_000_000_000;
        let who = ("\\PC{1,40}", "\\PC{1,40}", "[0-9a-f]{64}");
        let when = (instant(), instant(), instant(), 1_i64..1_000_000);
        let from = (of("\\PC{1,40}"), "\\PC{0,200}");
        let totp = of((instant(), "login|signing|both"));
        let rotation = ("([0-9a-f]{32}){0,5}", of(instant()));
        (who, when, from, totp, rotation).prop_map(|(who, when, from, totp, rotation)| Record {
            session_id: "s".into(),
            user_id: who.0,
            email: who.1,
            refresh_hash: who.2,
            created_at: when.0,
            last_used_at: when.1,
            ends_at: when.2,
            version: when.3,
            ip_address: from.0,
            user_agent: Device::parse(&from.1).user_agent,
            device: Some(Device::parse(&from.1)),
            totp_verified_at: totp.as_ref().map(|totp| totp.0),
            totp_context: totp.map(|totp| totp.1),
            rotated: rotation.0,
            rotated_at: rotation.1,
        })
    }

    proptest! {
        #[test]
        fn session_round_trips_through_its_fields(record in record()) {
            let fields = record.fields().unwrap();
            prop_assert_eq!(&Record::from_fields("s", &fields).unwrap(), &record);
        }

        #[test]
        fn session_round_trips_through_json(record in record()) {
            let json = serde_json::to_string(&record).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Record>(&json).unwrap(), &record);
        }
    }
}
