//! Recording the verification of a second factor.

use serde::Deserialize;
use utoipa::ToSchema;

use super::fill::renew;
use super::ids::SessionId;
use super::intent::save;
use super::read::read_and_use;
use super::record::Record;
use super::view::Viewer;
use super::{Error, MAX_TRIES, SESSION, Sessions, scripts};
use crate::base::id;

/// The context that a second factor was verified for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// Logging in.
    Login,
    /// Signing.
    Signing,
    /// Logging in and signing.
    Both,
}

impl Context {
    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Signing => "signing",
            Self::Both => "both",
        }
    }
}

pub(super) async fn set_totp(
    sessions: &Sessions,
    id: &SessionId,
    viewer: Viewer<'_>,
    proven: Option<Context>,
) -> Result<Option<String>, Error> {
    let attempt = id::nonce();
    for _ in 0..MAX_TRIES {
        let [user, domain] = viewer.arguments();
        let call = scripts::TOTP
            .invoke()
            .key(SESSION.key(id.as_str()))
            .arg(&attempt)
            .arg(proven.map_or("", Context::name))
            .arg(user)
            .arg(domain);
        let answer: Vec<String> = sessions.redis.eval(call).await?;
        match answer.as_slice() {
            [done, json, fields @ ..] if done == "done" => {
                let record = Record::from_fields(id.as_str(), fields)?;
                return Ok(save(sessions, record).await?.then(|| json.clone()));
            }
            [gone] if gone == "gone" => return Ok(None),
            [miss] if miss == "miss" => {
                if read_and_use(sessions, id, viewer, None).await?.is_none() {
                    return Ok(None);
                }
            }
            [former] if former == "former" => match sessions.archive.find(id.as_str()).await? {
                Some(record) => renew(sessions, &record).await?,
                None => return Ok(None),
            },
            _ => return Err(Error::Unreadable("the answer of a script")),
        }
    }
    Err(Error::Contended)
}
