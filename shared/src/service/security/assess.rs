//! The assessment of a visitor: a score, a verdict, and the reasons.

use std::time::Duration;

use super::attempt::failures;
use super::visitor::{Visitor, sha256};
use super::{
    ADDRESSES, ASSESS, BLOCKED_LENGTHS, BLOCKED_PREFIXES, DEVICES, Error, Security, agent, probe,
};
use crate::base::identity;
use crate::base::network::{digits, plain, subscriber};
use crate::protocol::upstash::{FromReply as _, Reply};

/// How long consecutive denials are remembered after the last one.
const REFUSALS_LIFE: Duration = Duration::from_hours(1);

/// The score from which a visitor is denied. Each reason adds 20, 40 or 60; a block or a lockout adds 100.
const DENIED: u64 = 80;

/// The score from which a visitor is challenged.
const CHALLENGED: u64 = 40;

/// The verdict on a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is no reason for suspicion.
    Allow,
    /// Require a second factor, or a captcha.
    Challenge,
    /// Deny access.
    Deny,
}

/// The assessment of a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The verdict.
    pub verdict: Verdict,
    /// The score, 0 to 100.
    pub score: u64,
    /// The reasons, such as `new-device`.
    pub reasons: Vec<String>,
}

impl Security {
    /// Assesses a visitor who requests `path`, for one account or for none. One request.
    pub async fn assess(
        &self,
        visitor: &Visitor<'_>,
        path: &str,
        kind: &str,
        identifier: Option<&str>,
    ) -> Result<Assessment, Error> {
        let address = plain(visitor.address);
        let keys = visitor.address_keys();
        let (device, place) = (visitor.device(), subscriber(address));
        let mut call = ASSESS
            .invoke()
            .key(BLOCKED_LENGTHS.key(""))
            .key(BLOCKED_PREFIXES.key(""))
            .key(keys.lockout)
            .key(keys.refusals)
            .key(keys.accounts);
        if let Some(identifier) = identifier {
            let account = identity::folded(identifier);
            call = call
                .key(failures(kind, &account, None))
                .key(failures(kind, &account, Some(&device)))
                .key(failures(kind, &account, Some(&place)))
                .key(DEVICES.key(&sha256(&[&account])))
                .key(ADDRESSES.key(&sha256(&[&account])));
        }
        call = call
            .arg(if address.is_ipv4() { 4 } else { 6 })
            .arg(digits(address))
            .arg(device)
            .arg(agent::suspicion(visitor.user_agent).unwrap_or_default())
            .arg(u8::from(identifier.is_some()))
            .arg(REFUSALS_LIFE.as_millis())
            .arg(probe::suspicion(path).unwrap_or_default());
        read(self.redis.eval(call).await?).ok_or(Error::Unreadable)
    }
}

fn read(reply: Reply) -> Option<Assessment> {
    let Reply::Array(items) = reply else {
        return None;
    };
    let [score, reasons] = <[Reply; 2]>::try_from(items).ok()?;
    let score = u64::from_reply(score).ok()?;
    Some(Assessment {
        verdict: match score {
            DENIED.. => Verdict::Deny,
            CHALLENGED.. => Verdict::Challenge,
            _ => Verdict::Allow,
        },
        score,
        reasons: Vec::from_reply(reasons).ok()?,
    })
}
