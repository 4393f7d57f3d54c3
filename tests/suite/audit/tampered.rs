//! Changes by a superuser of the database are detected and located.

use proptest::prelude::{Strategy as _, any};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use shared::base::secret::Secret;
use shared::service::audit::{Audit, Broken, CheckpointSigner, Kind, Scope, Verdict};
use tokio::time::Instant;

use super::{append, signed};
use crate::support::ledger::LedgerDatabase;
use crate::support::seeds;

pub(super) fn signer() -> CheckpointSigner {
    CheckpointSigner::new(Secret::new("the key of the checkpoints".to_owned()), None)
}

pub(super) async fn verify(database: &LedgerDatabase, scope: &Scope) -> Verdict {
    let audit = Audit::new(database.functions.clone());
    let deadline = Instant::now() + std::time::Duration::from_mins(1);
    audit
        .verify(&signer(), scope, None, deadline)
        .await
        .unwrap()
}

/// Changes rows with rights that only the table's owner has.
pub(super) async fn tamper(database: &LedgerDatabase, sql: &str) {
    let sql = format!(
        "begin; alter table public.audit_logs disable trigger user; {sql}; \
         alter table public.audit_logs enable trigger user; commit"
    );
    database.execute(&sql).await;
}

/// Writes five events of each of two requests.
async fn history(database: &LedgerDatabase) {
    for n in 1..=5 {
        append(database, &format!("a{n}"), signed("r1")).await;
        append(database, &format!("b{n}"), signed("r2")).await;
    }
}

pub(super) async fn broken(database: &LedgerDatabase) -> Broken {
    let verdict = verify(database, &Scope::All).await;
    assert!(!verdict.valid, "nothing was found");
    verdict.first_broken.unwrap()
}

#[tokio::test]
async fn untouched_log_is_valid_and_unchained_rows_are_counted_separately() {
    let database = LedgerDatabase::fresh().await;
    history(&database).await;
    database
        .execute(
            "insert into public.audit_logs (user_id, action, resource_type, resource_id) \
              values ('bob', 'view', 'signing_request', 'r1'), ('bob', 'view', 'document', 'd1')",
        )
        .await;
    let all = verify(&database, &Scope::All).await;
    assert_eq!(
        (all.valid, all.events, all.chains, all.unchained),
        (true, 10, 2, 2)
    );
    let one = verify(&database, &Scope::Request("r1".into())).await;
    assert_eq!(
        (one.valid, one.events, one.chains, one.unchained),
        (true, 5, 1, 1)
    );
    let ann = verify(&database, &Scope::User("ann".into())).await;
    assert_eq!(
        (ann.valid, ann.events, ann.chains, ann.unchained),
        (true, 10, 2, 0)
    );
    let unknown = verify(&database, &Scope::Request("r9".into())).await;
    assert_eq!(
        (unknown.valid, unknown.events, unknown.chains),
        (true, 0, 0)
    );
}

/// Changes by a superuser, with the detected kind and position.
const CHANGES: &[(&str, Kind, i64)] = &[
    // Texts and hashes.
    (
        "update public.audit_logs set canonical = replace(canonical, 'sign', 'view') where event_id = 'a3'",
        Kind::Hash,
        3,
    ),
    (
        "update public.audit_logs set hash = repeat('0', 64) where event_id = 'a3'",
        Kind::Hash,
        3,
    ),
    (
        "update public.audit_logs set canonical = null where event_id = 'a3'",
        Kind::Hash,
        3,
    ),
    (
        "update public.audit_logs set canonical = replace(canonical, 'Lease', 'Gift'), \
               hash = encode(sha256(convert_to(replace(canonical, 'Lease', 'Gift'), 'UTF8')), 'hex'), \
               details = jsonb_set(details, '{title}', '\"Gift of a flat\"') where event_id = 'a3'",
        Kind::Link,
        4,
    ),
    // Columns.
    (
        "update public.audit_logs set user_id = 'bob' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set user_id = null where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set action = 'view' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set resource_type = 'user' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set resource_id = 'r2' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set request_id = 'r2' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set domain = 'evil.example' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set details = jsonb_set(details, '{page}', '4') where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set details = null where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set metadata = '[]' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set ip_address = null where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set user_agent = 'x' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set created_at = created_at + interval '1 microsecond' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set recorded_at = recorded_at - interval '9 years' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set previous_hash = repeat('1', 64) where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    (
        "update public.audit_logs set event_id = 'a9' where event_id = 'a3'",
        Kind::Column,
        3,
    ),
    // Rows.
    (
        "delete from public.audit_logs where event_id = 'a1'",
        Kind::Missing,
        1,
    ),
    (
        "delete from public.audit_logs where event_id in ('a3', 'a4')",
        Kind::Missing,
        3,
    ),
    (
        "delete from public.audit_logs where event_id = 'a5'",
        Kind::Missing,
        5,
    ),
    (
        "delete from public.audit_logs where chain = 'request:r1'",
        Kind::Missing,
        1,
    ),
    (
        "update public.audit_logs set chain = null where event_id = 'a3'",
        Kind::Missing,
        3,
    ),
    (
        "update public.audit_logs set sequence = -sequence where event_id in ('a2', 'a3'); \
             update public.audit_logs set sequence = case sequence when -2 then 3 else 2 end \
             where event_id in ('a2', 'a3')",
        Kind::Swapped,
        2,
    ),
    (
        "delete from public.audit_logs where event_id = 'a3'; \
             update public.audit_logs set sequence = 3 where event_id = 'a4'; \
             update public.audit_logs set sequence = 4 where event_id = 'a5'",
        Kind::Swapped,
        3,
    ),
    (
        "delete from public.audit_logs where event_id = 'a3'; \
             update public.audit_logs set chain = 'request:r1' where event_id = 'b3'",
        Kind::Swapped,
        3,
    ),
    (
        "update signtusk.audit_chains set sequence = 4, hash = (select hash from public.audit_logs \
             where event_id = 'a4') where chain = 'request:r1'",
        Kind::Unexpected,
        5,
    ),
    (
        "delete from signtusk.audit_chains where chain = 'request:r1'",
        Kind::Unexpected,
        1,
    ),
    // Forged reasons for a gap.
    (
        "delete from public.audit_logs where event_id = 'a1'; \
             update signtusk.audit_chains set retired_sequence = 1, \
               retired_hash = (select previous_hash from public.audit_logs where event_id = 'a2'), \
               checkpoint = '{\"chain\":\"request:r1\",\"sequence\":1}', signature = repeat('a', 64) \
             where chain = 'request:r1'",
        Kind::Checkpoint,
        1,
    ),
];

#[tokio::test]
async fn each_kind_of_change_is_found_and_named() {
    for &(change, kind, place) in CHANGES {
        let database = LedgerDatabase::fresh().await;
        history(&database).await;
        tamper(&database, change).await;
        let broken = broken(&database).await;
        assert_eq!(
            (broken.kind, broken.sequence),
            (kind, place),
            "{change}: {broken:?}"
        );
        assert_eq!(broken.chain, "request:r1", "{change}");
        let alone = verify(&database, &Scope::Request("r1".into())).await;
        let is_headless = change.starts_with("delete from signtusk");
        assert_eq!(alone.valid, is_headless, "{change}");
        let other = verify(&database, &Scope::Request("r2".into())).await;
        assert_eq!(other.valid, !change.contains("'b3'"), "{change}");
    }
}

/// Changes a byte of the text, the hash or the position of any event of a random history.
#[tokio::test]
async fn any_changed_byte_of_a_random_history_is_found() {
    for seed in 0..seeds(6) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut below = |n: u32| any::<u32>().new_tree(&mut runner).unwrap().current() % n;
        let database = LedgerDatabase::fresh().await;
        let mut events = Vec::new();
        for n in 0..12 {
            let mut event = signed(&format!("r{}", below(3)));
            event["details"] = json!({ "n": below(1000), "text": "ünï".repeat(below(4) as usize) });
            if below(4) == 0 {
                event = json!({ "action": "login", "resourceType": "user", "userId": format!("u{}", below(2)) });
            }
            let id = format!("e{n}");
            let appended = append(&database, &id, event).await;
            events.push((id, appended.chain, appended.sequence));
        }
        let verdict = verify(&database, &Scope::All).await;
        assert!(
            verdict.valid && verdict.events == 12,
            "seed {seed}: {verdict:?}"
        );
        for _ in 0..8 {
            let (id, chain, sequence) = &events[below(12) as usize];
            let way = below(3);
            let text = database
                .read(&format!("select to_jsonb(canonical) as value from public.audit_logs where event_id = '{id}'"))
                .await;
            let length = text.as_str().unwrap().chars().count();
            let at = below(u32::try_from(length).unwrap()) + 1;
            let change = match way {
                0 => format!(
                    "update public.audit_logs set canonical = overlay(canonical placing \
                     chr(case ascii(substr(canonical, {at}, 1)) when 35 then 36 else 35 end) from {at} for 1) \
                     where event_id = '{id}'"
                ),
                1 => format!("delete from public.audit_logs where event_id = '{id}'"),
                _ => format!(
                    "update public.audit_logs set hash = overlay(hash placing \
                     case substr(hash, {0}, 1) when '0' then '1' else '0' end from {0} for 1) where event_id = '{id}'",
                    at % 64 + 1
                ),
            };
            let copy = format!(
                "create table signtusk.kept as select * from public.audit_logs where event_id = '{id}'"
            );
            database.execute(&copy).await;
            tamper(&database, &change).await;
            let found = broken(&database).await;
            assert_eq!(
                (&found.chain, found.sequence),
                (chain, *sequence),
                "seed {seed}: {change}: {found:?}"
            );
            let back = format!(
                "delete from public.audit_logs where event_id = '{id}'; \
                 insert into public.audit_logs select * from signtusk.kept; drop table signtusk.kept"
            );
            tamper(&database, &back).await;
        }
        assert!(verify(&database, &Scope::All).await.valid, "seed {seed}");
    }
}
