//! Races, as random schedules: each seed gives other start times, and responses get lost. Each test states its
//! invariant for any order.

use std::time::Duration;

use http::StatusCode;
use local_redis_rest::Fault;
use serde_json::json;
use shared::service::session::{
    Context, Created, Device, NewSession, RefreshToken, Refreshed, SessionId, Sessions, Viewer,
};
use uuid::Uuid;

use super::stage::Stage;
use crate::support::seeds;

/// A small generator of schedules: the same seed gives the same one (xorshift, Marsaglia 2003).
struct Schedule(u64);

impl Schedule {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    /// Returns a start time.
    fn moment(&mut self) -> Duration {
        Duration::from_micros(self.below(6_000))
    }
}

fn id(text: &str) -> SessionId {
    SessionId::try_from(text.to_owned()).unwrap()
}

fn token(text: &str) -> RefreshToken {
    RefreshToken::try_from(text.to_owned()).unwrap()
}

async fn begin(sessions: &Sessions, user: Uuid) -> SessionId {
    let new = NewSession {
        id: SessionId::random(),
        user_id: user,
        email: shared::protocol::mail::EmailAddress::parse("ann@example.com").unwrap(),
        token: token("t0"),
        device: Device::parse(""),
        ip_address: None,
    };
    let begun = sessions.create(&new).await.unwrap();
    assert!(matches!(begun, Created::New { .. }), "{begun:?}");
    new.id
}

async fn lives(sessions: &Sessions, id: &SessionId) -> bool {
    sessions
        .read(id, Viewer::ALL, None)
        .await
        .unwrap()
        .is_some()
}

/// Returns instances of the service, each with its own open connections.
async fn instances(stage: &Stage, count: usize) -> Vec<Sessions> {
    let all: Vec<Sessions> = (0..count).map(|_| stage.service()).collect();
    for one in &all {
        one.read(&id("warm"), Viewer::ALL, None).await.unwrap();
    }
    all
}

/// After a revocation is acknowledged, no later read sees the session, and none ever does. This holds despite readers
/// that are about to fill it, and although Redis was emptied meanwhile.
#[tokio::test]
async fn revocation_outlives_concurrent_readers_restoring_the_session() {
    let stage = Stage::start().await;
    let all = instances(&stage, 5).await;
    for seed in 0..seeds(60) {
        let mut schedule = Schedule::new(seed);
        let session = begin(&all[0], Uuid::new_v4()).await;
        // Only Postgres has it: every reader has to fill.
        let key = format!("session:{}", session.as_str());
        stage.redis(&["DEL", &key]).await;
        let (revoked, seen) = tokio::sync::watch::channel(false);
        let mut tasks = Vec::new();
        for reader in &all[1..] {
            let (reader, session, seen) = (reader.clone(), session.clone(), seen.clone());
            let moment = schedule.moment();
            tasks.push(tokio::spawn(async move {
                tokio::time::sleep(moment).await;
                for _ in 0..4 {
                    let after = *seen.borrow();
                    assert!(!(lives(&reader, &session).await && after), "seed {seed}");
                }
            }));
        }
        if seed % 2 == 0 {
            let (moment, mut redis) = (schedule.moment(), stage.redis_connection().await);
            tasks.push(tokio::spawn(async move {
                tokio::time::sleep(moment).await;
                redis::cmd("FLUSHALL").exec_async(&mut redis).await.unwrap();
            }));
        }
        tokio::time::sleep(schedule.moment()).await;
        all[0].revoke(&session, Viewer::ALL).await.unwrap();
        revoked.send_replace(true);
        for task in tasks {
            task.await.unwrap();
        }
        assert!(!lives(&all[1], &session).await, "seed {seed}");
    }
}

/// No session that existed when all were revoked is valid; a login after the response is; and Redis agrees with
/// Postgres.
#[tokio::test]
async fn login_during_a_revocation_of_all_is_in_both_stores_or_neither() {
    let stage = Stage::start().await;
    let all = instances(&stage, 5).await;
    for seed in 0..seeds(25) {
        let mut schedule = Schedule::new(seed);
        let user = Uuid::new_v4();
        let mut old = Vec::new();
        for place in 0..3 {
            let session = begin(&all[0], user).await;
            if place > 0 {
                stage
                    .redis(&["DEL", &format!("session:{}", session.as_str())])
                    .await;
            }
            old.push(session);
        }
        if seed % 3 == 0 {
            stage
                .redis(&["DEL", &format!("user_sessions:{user}")])
                .await;
        }
        let logins: Vec<_> = (1..3)
            .map(|place| {
                let (instance, moment) = (all[place].clone(), schedule.moment());
                tokio::spawn(async move {
                    tokio::time::sleep(moment).await;
                    begin(&instance, user).await
                })
            })
            .collect();
        let readers: Vec<_> = (3..5)
            .map(|place| {
                let (instance, session) = (all[place].clone(), old[place - 2].clone());
                let moment = schedule.moment();
                tokio::spawn(async move {
                    tokio::time::sleep(moment).await;
                    lives(&instance, &session).await;
                })
            })
            .collect();
        tokio::time::sleep(schedule.moment()).await;
        all[0].revoke_all(user, None).await.unwrap();
        let after = begin(&all[0], user).await;
        for reader in readers {
            reader.await.unwrap();
        }
        let mut new = vec![after.clone()];
        for login in logins {
            new.push(login.await.unwrap());
        }
        let mut at_redis = Vec::new();
        for session in old.iter().chain(&new) {
            at_redis.push(lives(&all[0], session).await);
        }
        assert_eq!(
            at_redis[..3],
            [false; 3],
            "seed {seed}: what had begun before"
        );
        assert!(at_redis[3], "seed {seed}: the login after it");
        stage.redis(&["FLUSHALL"]).await;
        for (session, lived) in old.iter().chain(&new).zip(at_redis) {
            assert_eq!(
                lives(&all[0], session).await,
                lived,
                "seed {seed}: {session:?}"
            );
        }
    }
}

/// Of several callers with the same token and different new ones, exactly one gets its token accepted. That token and
/// its successors work for an hour, and no session is revoked. Responses get lost.
#[tokio::test]
async fn one_of_several_callers_with_the_same_token_rotates_it_and_none_is_logged_out() {
    let stage = Stage::start().await;
    let all = instances(&stage, 4).await;
    for seed in 0..seeds(20) {
        let mut schedule = Schedule::new(seed);
        let session = begin(&all[0], Uuid::new_v4()).await;
        let callers: Vec<_> = all
            .iter()
            .enumerate()
            .map(|(place, instance)| {
                let (instance, session) = (instance.clone(), session.clone());
                let moment = schedule.moment();
                tokio::spawn(async move {
                    tokio::time::sleep(moment).await;
                    let next = token(&format!("next-{place}"));
                    let given = token("t0");
                    let refreshing = instance.refresh(&session, Viewer::ALL, &given, &next);
                    refreshing.await.unwrap()
                })
            })
            .collect();
        if seed % 2 == 0 {
            stage.0.redis().faults().set_for_next(1, Fault::CutAnswer);
        }
        let mut outcomes = Vec::new();
        for caller in callers {
            outcomes.push(caller.await.unwrap());
        }
        stage.0.redis().faults().set(None);
        let winners: Vec<usize> = (0..outcomes.len())
            .filter(|place| outcomes[*place] == Refreshed::Rotated)
            .collect();
        assert_eq!(winners.len(), 1, "seed {seed}: {outcomes:?}");
        let kept = outcomes
            .iter()
            .filter(|outcome| **outcome == Refreshed::Kept);
        assert_eq!(
            kept.count(),
            outcomes.len() - 1,
            "seed {seed}: {outcomes:?}"
        );

        let mut present = format!("next-{}", winners[0]);
        for quarter in 0..5 {
            stage.pass_time(session.as_str(), 13 * 60_000).await;
            let next = format!("later-{quarter}");
            let outcome = all[0]
                .refresh(&session, Viewer::ALL, &token(&present), &token(&next))
                .await
                .unwrap();
            assert_eq!(outcome, Refreshed::Rotated, "seed {seed}, {quarter}");
            present = next;
        }
        assert!(lives(&all[1], &session).await, "seed {seed}");
    }
}

/// Defect 20: sessions were read, changed and written back; the last writer won. The last recorded second factor stays,
/// in both stores, despite concurrent reads that record their use.
#[tokio::test]
async fn second_factor_is_not_undone_by_a_concurrent_read() {
    let stage = Stage::start().await;
    let all = instances(&stage, 4).await;
    for seed in 0..seeds(10) {
        let mut schedule = Schedule::new(seed);
        let session = begin(&all[0], Uuid::new_v4()).await;
        let readers: Vec<_> = all[1..]
            .iter()
            .map(|instance| {
                let (instance, session, moment) =
                    (instance.clone(), session.clone(), schedule.moment());
                tokio::spawn(async move {
                    tokio::time::sleep(moment).await;
                    for _ in 0..8 {
                        assert!(lives(&instance, &session).await);
                    }
                })
            })
            .collect();
        let mut last = None;
        for _ in 0..5 {
            // So that every read is due to write.
            stage.pass_time(session.as_str(), 3_700_000).await;
            last = [None, Some(Context::Login), Some(Context::Both)]
                [usize::try_from(schedule.below(3)).unwrap()];
            let put = all[0].set_totp(&session, Viewer::ALL, last).await.unwrap();
            assert!(put.is_some(), "seed {seed}");
        }
        for reader in readers {
            reader.await.unwrap();
        }
        let expected = last.map(Context::name);
        for store in ["redis", "postgres"] {
            let json = all[0].read(&session, Viewer::ALL, None).await.unwrap();
            let seen: serde_json::Value = serde_json::from_str(&json.unwrap()).unwrap();
            assert_eq!(
                seen["totp"]["verified"],
                expected.is_some(),
                "seed {seed}, {store}"
            );
            assert_eq!(
                seen["totp"]["context"].as_str(),
                expected,
                "seed {seed}, {store}"
            );
            stage.redis(&["FLUSHALL"]).await;
        }
    }
}

/// The same through the function: eight concurrent deletions and reads, none of which is rejected.
#[tokio::test]
async fn concurrent_revocations_are_one_revocation() {
    let stage = Stage::start().await;
    let session = stage.login(Uuid::new_v4()).await;
    let answers = futures_util::future::join_all((0..8).map(|_| stage.revoke(&session))).await;
    for answer in answers {
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    }
    assert_eq!(stage.rows("signtusk.revoked_sessions", &session).await, 1);
    let refused = stage
        .set_totp(&session, &json!({ "verified": false }))
        .await;
    refused.assert_problem(404, "session_not_found", "revoked");
}
