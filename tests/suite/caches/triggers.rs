//! The web app's own writes: a change of an entry's content invalidates it through the outbox, and no other write does.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::service::cache::{AnyKind, Viewer};

use super::{DOMAIN, Fixture, OWNER, REQUEST, STRANGER, known};

impl Fixture {
    /// Empties the outbox and returns its ids by kind.
    async fn invalidated(&self) -> BTreeMap<String, Vec<String>> {
        let mut ids_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in self.rows().await {
            for kind in row["kinds"].as_array().unwrap() {
                let ids = row["ids"].as_array().unwrap().iter();
                let ids = ids.map(|id| id.as_str().unwrap().to_owned());
                ids_of
                    .entry(kind.as_str().unwrap().to_owned())
                    .or_default()
                    .extend(ids);
            }
        }
        ids_of
    }

    /// Deletes all rows and returns their payloads.
    async fn rows(&self) -> Vec<Value> {
        let sql = "with gone as (delete from signtusk.outbox where kind = 'invalidation' returning seq, payload)
            select coalesce(jsonb_agg(payload order by seq), '[]') as value from gone";
        serde_json::from_value(self.database.read(sql).await).unwrap()
    }
}

/// A statement of the web app, and the kinds whose entries it changes.
const CHANGES: &[(&str, &[&str])] = &[
    (
        "update public.user_profiles set plan = 'enterprise' where id = '{owner}'",
        &["user-profiles"],
    ),
    (
        "update public.user_profiles set full_name = 'O. Owner' where id = '{owner}'",
        &["user-profiles", "domain-admins", "domain-users"],
    ),
    (
        "update public.user_profiles set email = 'olivia@other.example' where id = '{owner}'",
        &[
            "user-profiles",
            "domain-admins",
            "domain-users",
            "documents",
            "signing-requests",
            "document-status",
        ],
    ),
    (
        "update public.user_totp_configs set enabled = false where user_id = '{owner}'",
        &["totp-configs"],
    ),
    (
        "delete from public.user_totp_configs where user_id = '{owner}'",
        &["totp-configs"],
    ),
    (
        "insert into public.user_totp_configs (user_id) values ('{owner}')",
        &["totp-configs"],
    ),
    (
        "update public.domain_settings set enforce_totp = false",
        &["domain-settings"],
    ),
    (
        "update public.domain_administrators set is_verified = false",
        &["domain-admins"],
    ),
    (
        "delete from public.domain_administrators",
        &["domain-admins"],
    ),
    (
        "update public.domain_user_roles set role = 'manager'",
        &["domain-users"],
    ),
    (
        "update public.notification_preferences set reminders = false",
        &["notification-preferences"],
    ),
    (
        "update public.signing_requests set status = 'cancelled' where id = '{request}'",
        &["documents", "signing-requests", "document-status"],
    ),
    (
        "update public.signing_request_signers set status = 'declined', declined_at = now() where signing_order = 1",
        &["documents", "signing-requests", "document-status"],
    ),
    (
        "delete from public.signing_request_signers where signing_order = 3",
        &["documents", "signing-requests", "document-status"],
    ),
    ("update public.documents set title = 'Deed'", &["documents"]),
    (
        "delete from public.signing_requests where id = '{request}'",
        &["documents", "signing-requests", "document-status"],
    ),
];

/// Changes of columns that no entry contains: signatures, secrets, view times.
const SILENT: &[&str] = &[
    "update public.user_profiles set last_login_at = now(), updated_at = now(), is_admin = true",
    "update public.user_profiles set plan = plan, full_name = full_name",
    "update public.user_totp_configs set secret = 'OTHER', backup_codes = '{}', last_used_at = now()",
    "update public.domain_administrators set verification_token = 'other'",
    "update public.signing_request_signers set signature_data = 'x', ip_address = '192.0.2.1', access_token = 'y'",
    "update public.signing_requests set last_modified_at = now(), updated_at = now()",
    "update public.documents set content = 'x', status = 'draft'",
    "update public.signing_requests set status = 'expired' where id = '{stranger}'",
    "delete from public.signing_requests where id = '{stranger}'",
];

fn statement(text: &str) -> String {
    text.replace("{owner}", OWNER)
        .replace("{request}", REQUEST)
        .replace("{stranger}", STRANGER)
}

#[tokio::test]
async fn web_app_change_invalidates_exactly_the_kinds_that_show_it() {
    let fixture = Fixture::start().await;
    for text in SILENT {
        fixture.database.execute(&statement(text)).await;
        assert_eq!(fixture.invalidated().await, BTreeMap::new(), "{text}");
    }
    for (text, kinds) in CHANGES {
        fixture.database.execute(&statement(text)).await;
        let invalidated = fixture.invalidated().await;
        for (kind, ids) in &invalidated {
            let id = known(AnyKind::named(kind).unwrap());
            assert!(ids.iter().all(|it| it == id), "{text}: {invalidated:?}");
        }
        let names: Vec<&str> = invalidated.keys().map(String::as_str).collect();
        let mut expected = kinds.to_vec();
        expected.sort_unstable();
        assert_eq!(names, expected, "{text}");
    }
}

/// Defect 56: a document's entry outlived its deletion, a decline, a reminder, an expiry, by up to an hour.
#[tokio::test]
async fn cached_entries_are_not_stale_after_a_relayed_change_of_the_web_app() {
    let fixture = Fixture::start().await;
    let caches = fixture.caches();
    let shown = async |kind: AnyKind| match kind {
        AnyKind::Security(kind) => caches
            .get(kind, known(AnyKind::Security(kind)), &Viewer::Everything)
            .await
            .unwrap(),
        AnyKind::Display(kind) => caches
            .get(kind, known(AnyKind::Display(kind)), &Viewer::Everything)
            .await
            .unwrap(),
    };
    for (text, _) in CHANGES {
        for kind in AnyKind::ALL {
            shown(kind).await;
        }
        fixture.database.execute(&statement(text)).await;
        fixture.relay().await;
        let after: Vec<String> = join(&shown).await;
        fixture.direct_flush().await;
        let truth: Vec<String> = join(&shown).await;
        assert_eq!(after, truth, "{text}");
    }
}

/// Returns every kind's value as text.
async fn join(shown: &impl AsyncFn(AnyKind) -> shared::service::cache::Found) -> Vec<String> {
    let mut all = Vec::new();
    for kind in AnyKind::ALL {
        all.push(match shown(kind).await {
            shared::service::cache::Found::Value { value, .. } => value,
            shared::service::cache::Found::Absent => String::new(),
        });
    }
    all
}

#[tokio::test]
async fn rolled_back_change_invalidates_nothing() {
    let fixture = Fixture::start().await;
    let script = "begin; update public.user_profiles set plan = 'free'; rollback";
    fixture.database.execute(script).await;
    assert_eq!(fixture.invalidated().await, BTreeMap::new());
}

#[tokio::test]
async fn statement_changing_many_rows_writes_few_outbox_rows() {
    let fixture = Fixture::start().await;
    let owner = OWNER;
    fixture
        .database
        .execute(&format!(
            "insert into public.signing_requests (id, initiated_by, title)
             select gen_random_uuid(), '{owner}', 'request ' || n from generate_series(1, 1199) as n"
        ))
        .await;
    assert_eq!(fixture.rows().await.len(), 3, "1,199 rows, 500 to a row");
    fixture
        .database
        .execute("update public.signing_requests set status = 'expired'")
        .await;
    let rows = fixture.rows().await;
    let ids: usize = rows
        .iter()
        .map(|row| row["ids"].as_array().unwrap().len())
        .sum();
    assert_eq!((rows.len(), ids), (3, 1_200));
}

#[tokio::test]
async fn visitors_cannot_write_invalidations_and_search_path_is_ignored() {
    let fixture = Fixture::start().await;
    for role in ["anon", "authenticated"] {
        let script = format!(
            "begin; set local role {role}; select signtusk.invalidate('{{documents}}', '{{x}}')"
        );
        let error = fixture.database.owner.batch(&script).await.unwrap_err();
        assert!(error.to_string().contains("42501"), "{role}: {error}");
        fixture.database.execute("rollback").await;
    }
    fixture
        .database
        .execute(
            "begin; create schema evil; create function evil.to_jsonb(anyelement) returns jsonb language sql
               as $$ select null::jsonb $$;
             set local search_path = evil, public; update user_profiles set plan = 'free'; commit",
        )
        .await;
    assert!(fixture.invalidated().await.contains_key("user-profiles"));
}

#[tokio::test]
async fn cache_migration_runs_twice_and_on_the_original_tables() {
    let fixture = Fixture::start().await;
    let migration = include_str!("../../../shared/migrations/0011_cache_invalidation.sql");
    fixture.database.execute(migration).await;
    let triggers = fixture
        .database
        .read("select to_jsonb(count(*)) as value from pg_trigger where tgname like 'signtusk_cache_%'")
        .await;
    assert_eq!(triggers, json!(11 * 3));

    // The web app's own schema: other text types, fewer columns, and a view over one.
    fixture
        .database
        .execute(
            "drop table public.domain_user_roles, public.user_totp_configs, public.notification_preferences cascade;
             create table public.domain_user_roles (
               id uuid primary key default gen_random_uuid(), domain varchar(255) not null, user_id uuid not null,
               role varchar(50), cost_center varchar(100), created_at timestamp default now());
             create table public.user_totp_configs (
               id uuid primary key default gen_random_uuid(), user_id uuid unique, secret varchar(255),
               backup_codes text[], enabled boolean);
             create view public.those_with_totp as select user_id from public.user_totp_configs where enabled;",
        )
        .await;
    fixture.database.execute(migration).await;
    fixture
        .database
        .execute(&format!("insert into public.domain_user_roles (domain, user_id, role) values ('{DOMAIN}', '{OWNER}', 'owner')"))
        .await;
    assert_eq!(fixture.invalidated().await["domain-users"], [DOMAIN]);
    let caches = fixture.caches();
    for kind in AnyKind::ALL {
        let found = match kind {
            AnyKind::Security(kind) => {
                caches
                    .get(kind, known(AnyKind::Security(kind)), &Viewer::Everything)
                    .await
            }
            AnyKind::Display(kind) => {
                caches
                    .get(kind, known(AnyKind::Display(kind)), &Viewer::Everything)
                    .await
            }
        };
        found.unwrap();
    }

    // A column that the web app drops later does not make its writes fail.
    fixture.database.execute("alter table public.domain_user_roles drop column department; delete from public.domain_user_roles").await;
    assert_eq!(fixture.invalidated().await["domain-users"], [DOMAIN]);
}
