//! Unsubscribing: the links in optional mails, and their effect.
//!
//! A link names a mail of the ledger and its recipient, so it works after the ledger has deleted the mail.
//! Unsubscribing adds the address to the suppression list for optional mail only. The same link can undo it.

mod tokens;

use crate::protocol::postgres::{self, Parameter, Postgres, Type, column};

pub use self::tokens::{Link, Tokens};
use crate::protocol::mail::EmailAddress;

/// Reads without a change: mail programs and scanners follow every link.
const FIND: &str = "WITH mail AS ( \
      SELECT coalesce($2, (SELECT recipient FROM signtusk.email_ledger WHERE key = $1)) AS recipient \
    ) SELECT recipient, EXISTS (SELECT FROM signtusk.email_suppressions \
      WHERE address = lower(recipient) AND reason = 'unsubscribed') AS unsubscribed \
    FROM mail WHERE recipient IS NOT NULL";

/// Unsubscribes the recipient of a mail.
const UNSUBSCRIBE: &str = "WITH mail AS ( \
      SELECT coalesce($2, (SELECT recipient FROM signtusk.email_ledger WHERE key = $1)) AS recipient \
    ), listed AS ( \
      INSERT INTO signtusk.email_suppressions (address, reason, source) \
      SELECT lower(recipient), 'unsubscribed', $1 FROM mail WHERE recipient IS NOT NULL \
      ON CONFLICT (address, reason) DO NOTHING \
    ) SELECT recipient, true AS unsubscribed FROM mail WHERE recipient IS NOT NULL";

/// Undoes the unsubscription. Other suppressions of the address stay.
const RESUBSCRIBE: &str = "WITH mail AS ( \
      SELECT coalesce($2, (SELECT recipient FROM signtusk.email_ledger WHERE key = $1)) AS recipient \
    ), lifted AS ( \
      DELETE FROM signtusk.email_suppressions USING mail \
      WHERE address = lower(mail.recipient) AND reason = 'unsubscribed' \
    ) SELECT recipient, false AS unsubscribed FROM mail WHERE recipient IS NOT NULL";

/// Why the database did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement failed; the cause says whether a retry is useful.
    #[error("the recipient's subscription is unavailable")]
    Postgres(#[from] postgres::Error),
}

/// The recipient's subscription to optional mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// The masked address, which is safe to show to any holder of the link: `a***@example.com`.
    pub address: String,
    /// Whether optional mail has stopped.
    pub is_unsubscribed: bool,
}

/// The subscriptions in the database.
#[derive(Clone, Debug)]
pub struct Subscriptions(Postgres);

impl Subscriptions {
    /// Returns the subscriptions of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// Returns the subscription of the recipient of a link's mail; none if neither link nor ledger has the recipient.
    pub async fn find(&self, link: &Link) -> Result<Option<SubscriptionState>, Error> {
        self.query(FIND, link).await
    }

    /// Stops optional mail to the recipient of this mail.
    pub async fn unsubscribe(&self, link: &Link) -> Result<Option<SubscriptionState>, Error> {
        self.query(UNSUBSCRIBE, link).await
    }

    /// Resumes optional mail to the recipient of this mail, if the recipient had unsubscribed.
    pub async fn resubscribe(&self, link: &Link) -> Result<Option<SubscriptionState>, Error> {
        self.query(RESUBSCRIBE, link).await
    }

    async fn query(&self, sql: &str, link: &Link) -> Result<Option<SubscriptionState>, Error> {
        let recipient = link.recipient.as_ref().map(EmailAddress::as_str);
        let parameters: [Parameter<'_>; 2] = [(&link.key, Type::TEXT), (&recipient, Type::TEXT)];
        let rows = self.0.query_repeatable(sql, &parameters).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let recipient: &str = column(row, "recipient")?;
        Ok(Some(SubscriptionState {
            address: masked(recipient),
            is_unsubscribed: column(row, "unsubscribed")?,
        }))
    }
}

/// Returns a masked address: its owner recognizes it, and other readers cannot write to it.
fn masked(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}***@{domain}")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn masked_address_shows_only_first_letter_and_domain() {
        for (address, shown) in [
            ("ann.signer@example.com", "a***@example.com"),
            ("a@example.com", "a***@example.com"),
            ("", "***@"),
        ] {
            assert_eq!(masked(address), shown);
        }
    }
}
