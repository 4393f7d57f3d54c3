//! What Redis has decided, on its way to Postgres: at once, or through the queue.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::archive::{Save, Saved};
use super::record::Record;
use super::{Error, MAX_SESSIONS, SESSION, Sessions, scripts};
use crate::base::causes::causes;
use crate::protocol::postgres;
use crate::service::job::{Created, JobOptions, JobType, NewJob, Outgoing, Priority, Viewer};

/// A decision that Postgres has to learn of. Learning of it again, or late, changes nothing: a session is written only
/// over an older version of it, and never where it was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and it is passed by reference"
)]
pub enum Intent {
    /// A session has begun or has changed.
    #[serde(rename_all = "camelCase")]
    Save {
        /// As it is now.
        session: Record,
        /// What was revoked to make room for it.
        evicted: Vec<String>,
        /// Whether it has begun.
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
        /// Those that had begun by then, in milliseconds.
        at: i64,
        /// Those that Redis knew.
        session_ids: Vec<String>,
    },
}

impl Sessions {
    /// Makes a decision of Redis last: in Postgres, or else in the queue. What Postgres will never take is an error.
    pub(super) async fn persist(&self, intent: &Intent) -> Result<Saved, Error> {
        match self.apply(intent).await {
            Ok(saved) => Ok(saved),
            Err(error @ postgres::Error::Constraint { .. }) => Err(error.into()),
            Err(error) => {
                tracing::warn!(
                    error = causes(&error),
                    "session change not written to Postgres; handed to the queue"
                );
                self.hand_over(intent).await?;
                Ok(Saved::default())
            }
        }
    }

    /// Carries an intent out that the queue has kept, in Postgres and, as it may have been lost there meanwhile, in
    /// Redis.
    pub async fn settle(&self, intent: &Intent) -> Result<(), Error> {
        let saved = self.apply(intent).await?;
        let mut revoked = saved.also;
        match intent {
            Intent::Save {
                session, evicted, ..
            } => {
                revoked.extend_from_slice(evicted);
                if saved.revoked {
                    revoked.push(session.session_id.clone());
                } else {
                    self.renew(session).await?;
                }
            }
            Intent::Revoke { session_ids } | Intent::RevokeUser { session_ids, .. } => {
                revoked.extend_from_slice(session_ids);
            }
        }
        self.mark_revoked(&revoked).await
    }

    /// The one statement of an intent.
    async fn apply(&self, intent: &Intent) -> Result<Saved, postgres::Error> {
        match intent {
            Intent::Save {
                session,
                evicted,
                is_new,
            } => {
                let save = Save {
                    record: session,
                    evicted,
                    room: is_new.then_some(MAX_SESSIONS - 1),
                    is_new: *is_new,
                };
                self.archive.save(save).await
            }
            Intent::Revoke { session_ids } => {
                self.archive.revoke(session_ids).await?;
                Ok(Saved::default())
            }
            Intent::RevokeUser {
                user_id,
                except,
                at,
                session_ids,
            } => {
                let there = self.archive.revoke_user(*user_id, except, *at, session_ids);
                let mut also = there.await?;
                also.retain(|id| !session_ids.contains(id));
                Ok(Saved {
                    also,
                    ..Saved::default()
                })
            }
        }
    }

    /// Hands an intent to the queue. The record of its job comes first, as of every job.
    async fn hand_over(&self, intent: &Intent) -> Result<(), Error> {
        let job = NewJob::new(intent).map_err(|_| Error::Unreadable("an intent"))?;
        let options = JobOptions {
            job: JobType::PersistSession,
            priority: Priority::High,
            tenant: "-".to_owned(),
            user: String::new(),
            label: String::new(),
            not_before: None,
        };
        let created = self.jobs.create(&options, std::slice::from_ref(&job), None);
        match created.await {
            Ok(Created::New) => {}
            Ok(_) => return Err(Error::Paused),
            // The worker makes a record of a message that has none.
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
        let Err(error) = self.publisher.publish(&[message]).await else {
            return Ok(());
        };
        // The caller gets an error, so it must not be done later.
        if let Err(error) = self
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

    /// Revokes at Redis what was found to be revoked elsewhere.
    pub(super) async fn mark_revoked(&self, ids: &[String]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut call = scripts::REVOKE.invoke();
        for id in ids {
            call = call.key(SESSION.key(id));
        }
        self.redis.eval::<()>(call.arg("").arg("")).await?;
        Ok(())
    }
}
