//! The responses while Redis, Postgres or both are unavailable.

use http::Method;
use local_redis_rest::Fault;
use shared::protocol::postgres::Postgres;
use shared::service::cache::{AnyKind, Caches, Error, Found, Source, Viewer, kind};

use super::{DOMAIN, Fixture, OWNER, REQUEST, came_from, cloud, known, path, read};
use crate::support::cloud::answer;

#[tokio::test]
async fn without_redis_kinds_are_read_from_postgres_and_no_invalidation_is_acknowledged() {
    let cloud = cloud().await;
    let cached = path("totp-configs", OWNER);
    cloud.get(&cached).await;
    cloud.redis().faults().set(Some(Fault::Refused));
    for kind in AnyKind::ALL {
        let read = cloud.get(&path(kind.name(), known(kind))).await;
        assert_eq!(
            (read.status.as_u16(), came_from(&read)),
            (200, "MISS"),
            "{read:?}"
        );
        assert!(!read.headers.contains_key("etag"), "there is no generation");
    }
    for (method, path) in [
        (Method::DELETE, cached.as_str()),
        (Method::DELETE, "/api/cache/groups/user/u1"),
        (Method::PUT, "/api/cache/user-profiles/u1"),
        (Method::GET, "/api/cache/stats"),
    ] {
        let request = cloud
            .request(method.clone(), path)
            .header("content-type", "application/json");
        let refused = answer(request.body("{}")).await;
        refused.assert_problem(503, "unavailable", &format!("{method} {path}"));
        assert!(refused.headers.contains_key("retry-after"));
    }
    cloud.redis().faults().set(None);
    assert_eq!(came_from(&cloud.get(&cached).await), "HIT");
}

#[tokio::test]
async fn without_postgres_display_data_is_stale_and_security_data_expires() {
    let fixture = Fixture::start().await;
    let caches = fixture.caches();
    for kind in AnyKind::ALL {
        match kind {
            AnyKind::Security(kind) => drop(
                read(&caches, kind, known(AnyKind::Security(kind)))
                    .await
                    .unwrap(),
            ),
            AnyKind::Display(kind) => drop(
                read(&caches, kind, known(AnyKind::Display(kind)))
                    .await
                    .unwrap(),
            ),
        }
    }
    let nowhere = Postgres::at("postgresql://f:f@127.0.0.1:9/none", None).unwrap();
    let cut_off = Caches::new(fixture.store.client(), nowhere);
    for kind in AnyKind::ALL {
        match kind {
            AnyKind::Security(kind) => {
                let id = known(AnyKind::Security(kind));
                let (_, source) = read(&cut_off, kind, id).await.unwrap();
                assert_eq!(source, Source::Hit, "{kind:?}");
                fixture.age(kind, id).await;
                let found = cut_off.get(kind, id, &Viewer::Everything).await;
                assert!(
                    matches!(found, Err(Error::Postgres(_))),
                    "{kind:?}: {found:?}"
                );
            }
            AnyKind::Display(kind) => {
                let id = known(AnyKind::Display(kind));
                assert_eq!(
                    read(&cut_off, kind, id).await.unwrap().1,
                    Source::Hit,
                    "{kind:?}"
                );
                fixture.age(kind, id).await;
                assert_eq!(
                    read(&cut_off, kind, id).await.unwrap().1,
                    Source::Stale,
                    "{kind:?}"
                );
                fixture.forget(kind, id).await;
                let found = cut_off.get(kind, id, &Viewer::Everything).await;
                assert!(
                    matches!(found, Err(Error::Postgres(_))),
                    "{kind:?}: {found:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn reader_that_failed_to_fill_releases_its_lease() {
    let fixture = Fixture::start().await;
    let nowhere = Postgres::at("postgresql://f:f@127.0.0.1:9/none", None).unwrap();
    let cut_off = Caches::new(fixture.store.client(), nowhere);
    let found = cut_off
        .get(&kind::USER_PROFILES, OWNER, &Viewer::Everything)
        .await;
    assert!(matches!(found, Err(Error::Postgres(_))), "{found:?}");
    let mut redis = fixture.store.direct().await;
    let key = format!("user_profile:{OWNER}");
    let fields: Vec<String> = redis::cmd("HKEYS")
        .arg(key)
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(fields, ["generation"]);
    let filled = read(&fixture.caches(), &kind::USER_PROFILES, OWNER).await;
    assert_eq!(filled.unwrap().1, Source::Miss);
}

#[tokio::test]
async fn without_redis_and_postgres_reads_fail_and_invent_nothing() {
    let fixture = Fixture::start().await;
    let nowhere = Postgres::at("postgresql://f:f@127.0.0.1:9/none", None).unwrap();
    let cut_off = Caches::new(fixture.store.client(), nowhere);
    fixture.store.front.faults().set(Some(Fault::Refused));
    for id in [OWNER, "unknown"] {
        let found = cut_off
            .get(&kind::USER_PROFILES, id, &Viewer::Everything)
            .await;
        let expected = if id == OWNER {
            matches!(found, Err(Error::Postgres(_)))
        } else {
            matches!(found, Ok(Found::Absent))
        };
        assert!(expected, "{id}: {found:?}");
    }
}

#[tokio::test]
async fn emptied_redis_is_refilled_and_restores_no_deleted_row() {
    let fixture = Fixture::start().await;
    let caches = fixture.caches();
    read(&caches, &kind::DOMAIN_ADMINS, DOMAIN).await.unwrap();
    read(&caches, &kind::DOCUMENTS, REQUEST).await.unwrap();
    fixture
        .database
        .execute("delete from public.domain_administrators")
        .await;
    fixture.direct_flush().await;
    assert_eq!(read(&caches, &kind::DOMAIN_ADMINS, DOMAIN).await, None);
    assert_eq!(
        read(&caches, &kind::DOCUMENTS, REQUEST).await.unwrap().1,
        Source::Miss
    );
}
