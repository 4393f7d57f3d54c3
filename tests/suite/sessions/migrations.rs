//! The tables of sessions on databases that already have them, in each of the web app's schemas.

use local::postgres::{migrate, run_script};
use shared::protocol::postgres::{Postgres, column};
use uuid::Uuid;

use super::stage::Stage;
use crate::support::cloud::fresh_database;

/// The table from the web app's first script, with a session in it.
const FIRST_SHAPE: &str = "
    drop view signtusk.live_sessions;
    drop table public.user_sessions;
    drop table signtusk.revoked_sessions;
    create table public.user_sessions (
      session_id text primary key,
      user_id uuid not null,
      email text not null,
      refresh_token_hash text not null,
      created_at timestamptz default now(),
      last_used_at timestamptz default now(),
      user_agent text,
      ip_address text
    );
    insert into public.user_sessions (session_id, user_id, email, refresh_token_hash)
      values ('before', '3f2b6c1e-8a4d-4c55-9e07-5d1f0a9b7c21', 'ann@example.com', 'hash');
    grant all on public.user_sessions to anon, authenticated;";

/// The changes by its script for general security.
const RENAMED: &str = "
    alter table public.user_sessions rename column session_id to session_token;
    alter table public.user_sessions
      add column id uuid default gen_random_uuid(),
      add column is_active boolean default true,
      add column is_current boolean default false,
      add column expires_at timestamptz,
      add column terminated_at timestamptz,
      add column terminated_reason text,
      add column device_fingerprint text,
      add column location_country text,
      add column location_city text;";

const FORGET: &str = "delete from public.schema_migrations where name like '0010%'";

async fn count(owner: &Postgres, sql: &str) -> i64 {
    column(&owner.query(sql, &[]).await.unwrap()[0], "count").unwrap()
}

/// Migrates a database with this schema, twice, and uses a session there.
async fn live_on(shape: &str) -> (Stage, Postgres) {
    let stage = Stage::start().await;
    let url = stage.migrations_database_url().to_owned();
    for script in [shape, FORGET] {
        run_script(&url, script).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(migrate(&url).await.unwrap(), ["0010_sessions.sql"]);
        run_script(&url, FORGET).await.unwrap();
    }
    let owner = stage.owner();
    let id = stage.login(Uuid::new_v4()).await;
    assert_eq!(stage.read("before").await.body["email"], "ann@example.com");
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.refresh(&id, "t0", "t1").await.body["rotated"], true);
    assert_eq!(stage.revoke("before").await.status, 204);
    stage.redis(&["FLUSHALL"]).await;
    assert_eq!(stage.read(&id).await.status, 200);
    assert_eq!(stage.read("before").await.status, 404);
    (stage, owner)
}

#[tokio::test]
async fn migrations_keep_the_web_apps_session_table_and_its_sessions_live() {
    let (_stage, owner) = live_on(FIRST_SHAPE).await;
    let open = "select count(*) from unnest(array['anon', 'authenticated']) as visitor \
        where has_table_privilege(visitor, 'public.user_sessions', 'select, insert, update, delete')";
    assert_eq!(
        count(&owner, open).await,
        0,
        "refresh hashes are not for visitors"
    );
}

#[tokio::test]
async fn migrations_of_renamed_sessions_serve_both_names() {
    let (stage, owner) = live_on(&format!("{FIRST_SHAPE}{RENAMED}")).await;
    let differing =
        "select count(*) from public.user_sessions where session_id is distinct from session_token";
    assert_eq!(count(&owner, differing).await, 0);
    // The web app's login still writes one column, its newer pages the other.
    for column in ["session_id", "session_token"] {
        let sql = format!(
            "insert into public.user_sessions ({column}, user_id, email, refresh_token_hash) \
             values ('by-{column}', gen_random_uuid(), 'bob@example.com', 'hash')"
        );
        owner.batch(&sql).await.unwrap();
        assert_eq!(
            stage.read(&format!("by-{column}")).await.status,
            200,
            "{column}"
        );
    }
    assert_eq!(count(&owner, differing).await, 0);
}

#[tokio::test]
async fn supabase_visitors_cannot_access_sessions_or_revocations() {
    let database = fresh_database().await;
    let owner = Postgres::at(&database.owner_url, None).unwrap();
    for relation in [
        "public.user_sessions",
        "signtusk.revoked_sessions",
        "signtusk.live_sessions",
    ] {
        for visitor in ["anon", "authenticated"] {
            let sql = format!(
                "select count(*) where has_table_privilege('{visitor}', '{relation}', 'select, insert, update, delete')"
            );
            assert_eq!(count(&owner, &sql).await, 0, "{visitor} on {relation}");
        }
    }
    let protected = "select count(*) from pg_class where relrowsecurity \
        and oid in ('public.user_sessions'::regclass, 'signtusk.revoked_sessions'::regclass)";
    assert_eq!(count(&owner, protected).await, 2);
}
