//! Unsubscribing: the links that stand in optional mails, and what following one does.
//!
//! A link names a mail of the ledger and whom it went to, so it works when the ledger has forgotten the mail.
//! Unsubscribing puts that address on the suppression list for optional mail and for nothing else, and can be undone by
//! the same link.

mod tokens;

use crate::protocol::postgres::{self, Parameter, Postgres, Type, column};

pub use self::tokens::{Link, Tokens};
use crate::protocol::mail::EmailAddress;

/// Looks without changing anything: mail programs and scanners follow every link that they see.
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

/// Takes it back. What else stands against the address stays.
const RESUBSCRIBE: &str = "WITH mail AS ( \
      SELECT coalesce($2, (SELECT recipient FROM signtusk.email_ledger WHERE key = $1)) AS recipient \
    ), lifted AS ( \
      DELETE FROM signtusk.email_suppressions USING mail \
      WHERE address = lower(mail.recipient) AND reason = 'unsubscribed' \
    ) SELECT recipient, false AS unsubscribed FROM mail WHERE recipient IS NOT NULL";

/// Why the database did not say.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not take the statement; the cause says whether it may be tried again.
    #[error("the recipient's subscription is unavailable")]
    Postgres(#[from] postgres::Error),
}

/// How the recipient of a mail stands to optional mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// The recipient's address as it may be shown to whoever holds the link: `a***@example.com`.
    pub address: String,
    /// Whether optional mail has stopped.
    pub is_unsubscribed: bool,
}

/// The recipients of mails, in their database.
#[derive(Clone, Debug)]
pub struct Subscriptions(Postgres);

impl Subscriptions {
    /// The subscriptions of a migrated database.
    #[must_use]
    pub fn new(postgres: Postgres) -> Self {
        Self(postgres)
    }

    /// How the recipient of a link's mail stands; nothing where neither link nor ledger says who that is.
    pub async fn find(&self, link: &Link) -> Result<Option<SubscriptionState>, Error> {
        self.query(FIND, link).await
    }

    /// Stops optional mail to the recipient of this mail.
    pub async fn unsubscribe(&self, link: &Link) -> Result<Option<SubscriptionState>, Error> {
        self.query(UNSUBSCRIBE, link).await
    }

    /// Lets optional mail go to the recipient of this mail again, as far as it was the recipient who stopped it.
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

/// An address of which the owner knows enough to recognise it, and nobody else enough to write to it.
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
