//! `/api/suppressions`: the list of addresses that get no mail.
//!
//! Called by the web app for its administrators and by the person on call, with the service token; the acting user,
//! where there is one, is an administrator. Reads and writes the list in Postgres.

use shared::edge::{Fatal, Guard, api, start};
use shared::protocol::postgres::Postgres;
use shared::protocol::upstash::Usage;
use shared::service::suppression::Suppressions;
use suppressions::router;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    start().await?;
    let guard = Guard::from_env()?;
    let list = Suppressions::new(Postgres::from_env()?);
    api::serve("suppressions", router(list, &guard), Usage::default()).await
}
