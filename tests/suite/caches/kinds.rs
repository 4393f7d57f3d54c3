//! Each kind through the binary: the content of an entry, its secrets, and its visibility.

use std::collections::BTreeSet;

use http::Method;
use shared::service::cache::AnyKind;

use super::{
    DOMAIN, OWNER, REQUEST, SIGNER, STRANGER, came_from, cloud, etag, get_as, known, path,
};
use crate::support::cloud::answer;

/// Values that only Postgres and the signers know. None of them is ever cached.
const SECRETS: [&str; 10] = [
    "TOTPSECRET234567",
    "backup-code",
    "verification-token",
    "signature-image",
    "signature-metadata",
    "198.51.100",
    "signers-browser",
    "access-token",
    "signers-city",
    "secret",
];

#[tokio::test]
async fn every_kind_is_filled_by_the_first_read_expires_and_holds_no_secret() {
    let cloud = cloud().await;
    for kind in AnyKind::ALL {
        let path = path(kind.name(), known(kind));
        let [first, second] = [cloud.get(&path).await, cloud.get(&path).await];
        assert_eq!(first.status, 200, "{path}: {first:?}");
        assert_eq!(
            (came_from(&first), came_from(&second)),
            ("MISS", "HIT"),
            "{path}"
        );
        assert_eq!(first.body, second.body, "{path}");
        assert_eq!(etag(&first), etag(&second), "{path}");
        assert_eq!(first.headers["content-type"], "application/json");
        assert_eq!(first.headers["cache-control"], "no-store");
    }
    let mut redis = cloud.redis_connection().await;
    for kind in AnyKind::ALL {
        let key = kind.key(known(kind)).unwrap();
        let fields: Vec<String> = redis::cmd("HGETALL")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap();
        assert!(fields.len() > 2, "{key}");
        let text = fields.join(" ");
        for secret in SECRETS {
            assert!(!text.contains(secret), "{key} holds {secret}: {text}");
        }
        let left: i64 = redis::cmd("PTTL")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap();
        let most = match kind {
            AnyKind::Security(_) => 60_000,
            AnyKind::Display(_) => 2 * 3_600_000,
        };
        assert!((1..=most).contains(&left), "{key} lives for {left} ms");
    }
}

#[tokio::test]
async fn totp_configs_hold_flags_only() {
    let cloud = cloud().await;
    let config = cloud.get(&path("totp-configs", OWNER)).await;
    let members: BTreeSet<&str> = config
        .body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let flags = [
        "userId",
        "enabled",
        "loginMfaEnabled",
        "signingMfaEnabled",
        "defaultRequireTotp",
        "organizationEnforced",
        "policyComplianceDate",
    ];
    assert_eq!(members, flags.into());
    assert_eq!(config.body["enabled"], true);
    // The functions' role has no right to read the secret.
    let database = crate::support::ledger::LedgerDatabase::of(&cloud);
    for column in ["secret", "backup_codes", "*"] {
        let sql = format!("select {column} from public.user_totp_configs");
        let error = database.functions.query(&sql, &[]).await.unwrap_err();
        assert!(error.to_string().contains("42501"), "{column}: {error}");
    }
}

#[tokio::test]
async fn entries_match_the_tables() {
    let cloud = cloud().await;
    let document = cloud.get(&path("documents", REQUEST)).await.body;
    assert_eq!(document["title"], "Lease for 12 Harbour Street");
    assert_eq!(document["signingMode"], "parallel");
    assert_eq!(document["signers"].as_array().unwrap().len(), 3);
    assert_eq!(document["signers"][0]["email"], SIGNER);
    assert_eq!(document["document"]["title"], "Lease for 12 Harbour Street");
    let expires = document["expiresAt"].as_str().unwrap();
    let parsed: jiff::Timestamp = expires.parse().unwrap();
    assert!(
        expires.ends_with('Z') && parsed.as_second() > 0,
        "{expires}"
    );
    let status = cloud.get(&path("document-status", REQUEST)).await.body;
    assert_eq!(status["progress"]["total"], 3);
    assert_eq!(status["progress"]["percentage"], 0);
    // A domain is the same in any case, on either side.
    for spelling in [DOMAIN, "ACME.example"] {
        let settings = cloud.get(&path("domain-settings", spelling)).await.body;
        assert_eq!(
            (&settings["domain"], &settings["enforceTotp"]),
            (&DOMAIN.into(), &true.into())
        );
        let admins = cloud.get(&path("domain-admins", spelling)).await.body;
        assert_eq!(admins["items"][0]["email"], "olivia.owner@acme.example");
        let users = cloud.get(&path("domain-users", spelling)).await.body;
        assert_eq!(
            (&users["total"], &users["items"][0]["role"]),
            (&1.into(), &"member".into())
        );
    }
}

#[tokio::test]
async fn unknown_kind_and_id_are_404_and_a_repeated_miss_skips_the_database() {
    let cloud = cloud().await;
    for method in [Method::GET, Method::DELETE] {
        let request = cloud.request(method, "/api/cache/passwords/u1");
        answer(request)
            .await
            .assert_problem(404, "cache_kind_unknown", "no such kind");
    }
    let group = cloud.request(Method::DELETE, "/api/cache/groups/team/t1");
    answer(group)
        .await
        .assert_problem(404, "cache_group_unknown", "no such group");
    for kind in AnyKind::ALL {
        for id in [STRANGER, "no-uuid", "a%3Ab", "%C3%BC%20", &"x".repeat(321)] {
            for _ in 0..2 {
                let unknown = cloud.get(&path(kind.name(), id)).await;
                unknown.assert_problem(
                    404,
                    "cache_entry_not_found",
                    &format!("{} {id}", kind.name()),
                );
            }
        }
    }
    let stats = cloud.get("/api/cache/stats").await.body;
    let figures = &stats["kinds"]["user-profiles"];
    assert_eq!(
        (&figures["misses"], &figures["hits"]),
        (&4.into(), &4.into()),
        "{stats:#}"
    );
}

/// All callers that an entry may be visible to or hidden from.
const OWNER_HIMSELF: &[(&str, &str)] = &[("x-user-id", OWNER)];
const SIGNER_HERSELF: &[(&str, &str)] = &[
    ("x-user-id", STRANGER),
    ("x-user-email", "Ada.Tenant@Example.com"),
];
const ADMIN_OF_ACME: &[(&str, &str)] = &[
    ("x-user-id", STRANGER),
    ("x-user-role", "domain_admin"),
    ("x-user-domain", "Acme.example"),
];
const MEMBER_OF_ACME: &[(&str, &str)] = &[("x-user-id", STRANGER), ("x-user-domain", DOMAIN)];
const ADMIN_OF_OTHER: &[(&str, &str)] = &[
    ("x-user-id", STRANGER),
    ("x-user-role", "domain_admin"),
    ("x-user-domain", "other.example"),
    ("x-user-email", "somebody@acme.example.other.example"),
];
const ADMIN_OF_ALL: &[(&str, &str)] = &[("x-user-id", STRANGER), ("x-user-role", "admin")];
const NO_USER: &[(&str, &str)] = &[];

#[tokio::test]
async fn entry_is_visible_to_permitted_callers_only_cached_or_not() {
    let cloud = cloud().await;
    for kind in AnyKind::ALL {
        let path = path(kind.name(), known(kind));
        let seen_by: &[&[(&str, &str)]] = match known(kind) {
            OWNER => &[OWNER_HIMSELF],
            REQUEST => &[OWNER_HIMSELF, SIGNER_HERSELF, ADMIN_OF_ACME],
            _ => &[ADMIN_OF_ACME],
        };
        for cached in [false, true] {
            for viewer in [
                OWNER_HIMSELF,
                SIGNER_HERSELF,
                ADMIN_OF_ACME,
                MEMBER_OF_ACME,
                ADMIN_OF_OTHER,
                ADMIN_OF_ALL,
                NO_USER,
            ] {
                if !cached {
                    let forget = cloud.request(Method::DELETE, &path);
                    assert_eq!(answer(forget).await.status, 204);
                }
                let answer = get_as(&cloud, &path, viewer).await;
                let sees = seen_by.contains(&viewer) || [ADMIN_OF_ALL, NO_USER].contains(&viewer);
                let expected = if sees { 200 } else { 404 };
                assert_eq!(
                    answer.status, expected,
                    "{path} to {viewer:?}, cached: {cached}: {answer:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn only_service_and_admin_change_caches_and_see_their_figures() {
    let cloud = cloud().await;
    let user = path("user-profiles", OWNER);
    let calls = [
        (Method::PUT, user.as_str()),
        (Method::DELETE, user.as_str()),
        (Method::DELETE, "/api/cache/groups/user/u1"),
        (Method::GET, "/api/cache/stats"),
    ];
    for (method, path) in calls {
        let request = cloud
            .request(method.clone(), path)
            .header("x-user-id", OWNER);
        let request = request
            .header("content-type", "application/json")
            .body("{}");
        let refused = answer(request).await;
        refused.assert_problem(403, "role_insufficient", &format!("{method} {path}"));
    }
    let bare = answer(cloud.bare(Method::GET, &user)).await;
    bare.assert_problem(401, "token_invalid", "no token");
}

#[tokio::test]
async fn hits_misses_and_stale_answers_are_counted_by_kind() {
    let cloud = cloud().await;
    for _ in 0..3 {
        cloud.get(&path("domain-settings", DOMAIN)).await;
    }
    let stats = cloud.get("/api/cache/stats").await;
    assert_eq!(
        stats.body["kinds"].as_object().unwrap().len(),
        9,
        "{stats:?}"
    );
    let figures = &stats.body["kinds"]["domain-settings"];
    let counted = ["hits", "misses", "stale"].map(|name| figures[name].as_u64().unwrap());
    assert_eq!(counted, [2, 1, 0]);
    let other = cloud.get("/api/cache/stats?date=2026-01-01").await;
    assert_eq!(other.body["date"], "2026-01-01");
    assert_eq!(other.body["kinds"]["domain-settings"]["hits"], 0);
    let bad = cloud.get("/api/cache/stats?date=yesterday").await;
    bad.assert_problem(400, "malformed_query", "no date");
}
