//! Applies the migrations of `shared/migrations` in the order of their names and records them in
//! `public.schema_migrations`.
//!
//! Each migration runs in one transaction with its record. A changed file runs again: every statement is safe to
//! repeat, so a development database follows its files without being deleted.

use std::path::{Path, PathBuf};

use tokio_postgres::Client;

use super::Error;
use super::session::Session;

/// The key of the advisory lock that serialises two clouds on one database. No other program may use it.
const LOCK: i64 = 0x5349_474e_5455_534b;

const NOTES: &str = "create table if not exists public.schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
  );
  alter table public.schema_migrations enable row level security;";

/// Returns the folder of the migrations in the source tree. It is read at run time, so that a new file needs no new
/// build.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/migrations")
}

/// Applies new and changed migrations to the database at `owner_url` and returns their names.
pub async fn apply(owner_url: &str) -> Result<Vec<String>, Error> {
    let files = files(&folder())?;
    let mut session = Session::open(owner_url).await?;
    let client = &mut session.client;
    // The session holds the lock until it closes.
    client
        .execute("select pg_advisory_lock($1)", &[&LOCK])
        .await
        .map_err(Error::Refused)?;
    client
        .batch_execute(&format!("set client_min_messages = warning; {NOTES}"))
        .await
        .map_err(Error::Refused)?;
    let mut applied = Vec::new();
    for (name, script) in files {
        let outcome = apply_one(client, &name, &script).await;
        if outcome.map_err(|source| Error::Migration {
            name: name.clone(),
            source,
        })? {
            applied.push(name);
        }
    }
    session.close().await;
    Ok(applied)
}

async fn apply_one(
    client: &mut Client,
    name: &str,
    script: &str,
) -> Result<bool, tokio_postgres::Error> {
    let done = client
        .query_opt(
            "select 1 from public.schema_migrations where name = $1 and checksum = md5($2)",
            &[&name, &script],
        )
        .await?;
    if done.is_some() {
        return Ok(false);
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(script).await?;
    transaction
        .execute(
            "insert into public.schema_migrations (name, checksum) values ($1, md5($2))
             on conflict (name) do update set checksum = excluded.checksum, applied_at = now()",
            &[&name, &script],
        )
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Returns every `.sql` file with its content, by name.
fn files(folder: &Path) -> Result<Vec<(String, String)>, Error> {
    let failed = |source| Error::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|kind| kind == "sql")
            && let Some(name) = path.file_name()
        {
            let script = std::fs::read_to_string(&path).map_err(failed)?;
            files.push((name.to_string_lossy().into_owned(), script));
        }
    }
    files.sort();
    Ok(files)
}
