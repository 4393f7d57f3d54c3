//! `/api/unsubscribe`: the page behind the unsubscribe links of optional mails.
//!
//! Called by recipients' browsers and, for one-click unsubscribing (RFC 8058), by their mail programs. Protected by
//! the link's own signature. Reads the e-mail ledger and writes the suppression list, both in Postgres.

use shared::edge::{Fatal, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Usage;
use shared::service::unsubscribe::{Subscriptions, Tokens};
use unsubscribe::{Desk, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let desk = Desk {
        tokens: Tokens::from_env()?,
        subscriptions: Subscriptions::new(Postgres::from_env()?),
    };
    api::serve("unsubscribe", router(desk), Usage::default()).await
}
