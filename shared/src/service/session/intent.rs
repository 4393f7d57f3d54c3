//! Intents: decisions of Redis that have to be written to Postgres, directly or through the queue.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::archive::{Save, Saved};
use super::fill::renew;
use super::record::Record;
use super::{Error, MAX_SESSIONS, SESSION, Sessions, scripts};
use crate::base::causes::causes;
use crate::protocol::postgres;
use crate::service::job::{Created, JobOptions, JobType, NewJob, Outgoing, Priority, Viewer};

/// A decision that has to be written to Postgres. Writing it again or late changes nothing: a session only replaces an
/// older version of itself, and never a revoked one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and it is passed by reference"
)]
pub enum Intent {
    /// A session was created or changed.
    #[serde(rename_all = "camelCase")]
    Save {
        /// The current session.
        session: Record,
        /// The ids that were revoked because of the limit.
        evicted: Vec<String>,
        /// Whether it is new.
        is_new: bool,
    },
    /// Sessions were revoked.
    #[serde(rename_all = "camelCase")]
    Revoke {
        /// Their ids.
        session_ids: Vec<String>,
    },
    /// All sessions of a user were revoked.
    #[serde(rename_all = "camelCase")]
    RevokeUser {
        /// The user.
        user_id: Uuid,
        /// The session that was kept; may be empty.
        except: String,
        /// The time of the revocation, in milliseconds: it affects sessions created by then.
        at: i64,
        /// The ids that Redis knew.
        session_ids: Vec<String>,
    },
}

/// Persists a decision of Redis, in Postgres or else in the queue. Errors if Postgres rejects it permanently.
pub(super) async fn persist(sessions: &Sessions, intent: &Intent) -> Result<Saved, Error> {
    match apply(sessions, intent).await {
        Ok(saved) => Ok(saved),
        Err(error @ postgres::Error::Constraint { .. }) => Err(error.into()),
        Err(error) => {
            tracing::warn!(
                error = causes(&error),
                "session change not written to Postgres; handed to the queue"
            );
            hand_over(sessions, intent).await?;
            Ok(Saved::default())
        }
    }
}

/// Persists a change. False if the session turns out to be revoked.
pub(super) async fn save(sessions: &Sessions, session: Record) -> Result<bool, Error> {
    let id = session.session_id.clone();
    let intent = Intent::Save {
        session,
        evicted: Vec::new(),
        is_new: false,
    };
    let saved = persist(sessions, &intent).await?;
    if saved.revoked {
        mark_revoked(sessions, &[id]).await?;
    }
    Ok(!saved.revoked)
}

pub(super) async fn settle(sessions: &Sessions, intent: &Intent) -> Result<(), Error> {
    let saved = apply(sessions, intent).await?;
    let mut revoked = saved.also;
    match intent {
        Intent::Save {
            session, evicted, ..
        } => {
            revoked.extend_from_slice(evicted);
            if saved.revoked {
                revoked.push(session.session_id.clone());
            } else {
                renew(sessions, session).await?;
            }
        }
        Intent::Revoke { session_ids } | Intent::RevokeUser { session_ids, .. } => {
            revoked.extend_from_slice(session_ids);
        }
    }
    mark_revoked(sessions, &revoked).await
}

/// Runs the one statement of an intent.
async fn apply(sessions: &Sessions, intent: &Intent) -> Result<Saved, postgres::Error> {
    match intent {
        Intent::Save {
            session,
            evicted,
            is_new,
        } => {
            let save = Save {
                record: session,
                evicted,
                max_others: is_new.then_some(MAX_SESSIONS - 1),
                is_new: *is_new,
            };
            sessions.archive.save(save).await
        }
        Intent::Revoke { session_ids } => {
            sessions.archive.revoke(session_ids).await?;
            Ok(Saved::default())
        }
        Intent::RevokeUser {
            user_id,
            except,
            at,
            session_ids,
        } => {
            let there = sessions
                .archive
                .revoke_user(*user_id, except, *at, session_ids);
            let mut also = there.await?;
            also.retain(|id| !session_ids.contains(id));
            Ok(Saved {
                also,
                ..Saved::default()
            })
        }
    }
}

/// Publishes an intent to the queue. The job's record comes first, as for every job.
async fn hand_over(sessions: &Sessions, intent: &Intent) -> Result<(), Error> {
    let job = NewJob::new(intent).map_err(|_| Error::Unreadable("an intent"))?;
    let options = JobOptions {
        job: JobType::PersistSession,
        priority: Priority::High,
        tenant: "-".to_owned(),
        user: String::new(),
        label: String::new(),
        not_before: None,
    };
    let created = sessions
        .jobs
        .create(&options, std::slice::from_ref(&job), None);
    match created.await {
        Ok(Created::New) => {}
        Ok(_) => return Err(Error::Paused),
        // The worker creates a record for a message that has none.
        Err(error) => {
            tracing::warn!(
                error = causes(&error),
                "session change published without a job record"
            );
        }
    }
    let message = Outgoing {
        job_id: &job.id,
        job: options.job,
        generation: 1,
        priority: options.priority,
        tenant: &options.tenant,
        not_before: None,
        payload: &job.payload,
    };
    let Err(error) = sessions.publisher.publish(&[message]).await else {
        return Ok(());
    };
    // The caller gets an error, so the change must not be made later.
    if let Err(error) = sessions
        .jobs
        .cancel_each(std::slice::from_ref(&job.id), Viewer::ALL)
        .await
    {
        tracing::warn!(
            error = causes(&error),
            "persist-session job not cancelled; the sweep may publish it"
        );
    }
    Err(Error::Queue(error))
}

/// Revokes sessions in Redis whose revocation is persisted.
pub(super) async fn mark_revoked(sessions: &Sessions, ids: &[String]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut call = scripts::REVOKE.invoke();
    for id in ids {
        call = call.key(SESSION.key(id));
    }
    sessions.redis.eval::<()>(call.arg("").arg("")).await?;
    Ok(())
}
