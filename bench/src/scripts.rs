//! The run time of scripts at redis-server itself, each at its documented bound. Upstash has a time budget per minute
//! for all scripts, and a script without `allow-key-locking` locks the whole database.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::json;
use shared::protocol::mail::EmailAddress;
use shared::protocol::upstash::{Command, Redis};
use shared::service::job::{
    BulkFilter, Filter, JobOptions, JobType, Jobs, NewJob, Priority, Status, Viewer, keys,
};
use shared::service::mail::budget::EmailBudget;
use shared::service::rate_limit::Rate;
use shared::service::realtime::{self, Channel};
use shared::service::session::OF_USER;

use crate::error::Error;
use crate::figure::Figure;
use crate::guard;
use crate::page::Section;
use crate::session;
use crate::stage::Stage;

/// The maximum run time of a script, in milliseconds.
const LIMIT: f64 = 1.0;

/// Calls of each script whose data do not change.
const CALLS: usize = 100;

/// Jobs of one request, and the requests that fill the list `jobs:{type}`.
const AT_ONCE: usize = 100;
const REQUESTS: usize = 10;

/// Ids in a set of the web app, and the number of valid ones.
const FORMER: usize = 1_000;
const LIVE: usize = 10;

/// Measures the figures.
pub(crate) async fn section(stage: &Stage) -> Result<Section, Error> {
    let scripts = Scripts {
        stage,
        redis: stage.redis()?,
    };
    let mut figures = scripts.constant().await?;
    figures.push(scripts.former_sessions().await?);
    figures.extend(scripts.jobs().await?);
    Ok(Section {
        title: "Scripts at their bounds",
        how: "The time of one call at redis-server, by its own statistics (`INFO commandstats`), including the\n\
              commands in it; the mean of up to 100 calls. Each script has as much data as its bound in docs/KEYS.md\n\
              allows: lists of 1,000 jobs of every type, requests for 100 jobs of 100 mails each, 100 recipients of a\n\
              job, a set of 1,000 ids from the web app.",
        figures,
    })
}

/// The scripts on a store.
struct Scripts<'a> {
    stage: &'a Stage,
    redis: Redis,
}

impl Scripts<'_> {
    /// Measures scripts whose work does not grow with the data.
    async fn constant(&self) -> Result<Vec<Figure>, Error> {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        let guard = guard::sliding(self.stage, address)?;
        let session = session::begin(self.stage).await?;
        let data = json!({ "signed": 2, "total": 3 });
        let channel = Channel::Document("bench");
        let publish = async || {
            let published = realtime::publish(&self.redis, channel, "signed", &data).await;
            published.map(drop).map_err(unexpected)
        };
        Ok(vec![
            self.time("the guard", CALLS, async || guard.pass().await)
                .await?,
            self.time("reading a session", CALLS, async || {
                session::script(&self.redis, &session).await
            })
            .await?,
            self.time("publishing an event", CALLS, publish).await?,
            self.budget().await?,
        ])
    }

    /// Measures the sessions of a user with 1,000 ids from the web app, ten of which are valid.
    async fn former_sessions(&self) -> Result<Figure, Error> {
        let mut ids = Vec::with_capacity(FORMER);
        for _ in 0..LIVE {
            ids.push(session::begin(self.stage).await?);
        }
        ids.extend((LIVE..FORMER).map(|number| format!("former-{number}")));
        let sessions = self.stage.sessions()?;
        let index = OF_USER.key(&session::USER.to_string());
        let list = async || {
            let clear = Command::new("DEL").arg(&index);
            self.redis.run::<i64>(clear).await?;
            let former = Command::new("SADD").arg(&index).args(&ids);
            self.redis.run::<i64>(former).await?;
            let listed = sessions.list(session::USER, None).await;
            listed.map(drop).map_err(unexpected)
        };
        self.time(
            "the sessions of a user, out of the web app's set",
            CALLS,
            list,
        )
        .await
    }

    /// Measures the mail budget of a job's recipients.
    async fn budget(&self) -> Result<Figure, Error> {
        let rate = Rate {
            count: 1_000_000,
            window: Duration::from_hours(1),
        };
        let budget = EmailBudget::new(self.redis.clone(), rate, rate);
        let recipients = (0..AT_ONCE)
            .map(|number| EmailAddress::parse(&format!("r{number}@example.com")))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unexpected)?;
        let recipients: Vec<&EmailAddress> = recipients.iter().collect();
        let number = std::cell::Cell::new(0);
        let take = async || {
            number.set(number.get() + 1);
            let job = format!("bench-{}", number.get());
            let taken = budget.take(&job, "tenant", &recipients).await;
            taken.map(drop).map_err(unexpected)
        };
        self.time("the mail budget, 100 recipients", CALLS, take)
            .await
    }

    /// Measures scripts of jobs, with full lists.
    async fn jobs(&self) -> Result<Vec<Figure>, Error> {
        let jobs = Jobs::new(self.redis.clone());
        let ids = std::cell::RefCell::new(Vec::new());
        let turn = std::cell::Cell::new(0);
        let create = async || {
            let job = JobType::ALL[turn.get() / REQUESTS];
            let options = options(job, turn.get());
            turn.set(turn.get() + 1);
            let new = (0..AT_ONCE).map(|_| NewJob::new(&payload()));
            let new = new.collect::<Result<Vec<_>, _>>().map_err(unexpected)?;
            jobs.create(&options, &new, None)
                .await
                .map_err(unexpected)?;
            ids.borrow_mut()
                .extend(new.into_iter().map(|new| (job, new.id)));
            Ok(())
        };
        let calls = JobType::ALL.len() * REQUESTS;
        let created = self.time("recording 100 jobs", calls, create).await?;
        let filter = Filter {
            status: Some(Status::Dead),
            limit: 20,
            ..Filter::default()
        };
        let list = async || jobs.list(&filter).await.map(drop).map_err(unexpected);
        let whole = Filter {
            limit: 100,
            ..Filter::default()
        };
        let list_whole = async || jobs.list(&whole).await.map(drop).map_err(unexpected);
        let wanted = BulkFilter {
            job: Some(JobType::ALL[0]),
            dead: false,
            error: "no such error",
            label: "",
            tenant: "",
            from: None,
            viewer: Viewer::ALL,
        };
        let find = async || jobs.find(&wanted).await.map(drop).map_err(unexpected);
        let batch = async || {
            jobs.batch("bench-0", Viewer::ALL)
                .await
                .map(drop)
                .map_err(unexpected)
        };
        let mut figures = vec![
            created,
            self.time("a page of jobs of all types, by a rare status", CALLS, list)
                .await?,
            self.time("a full page of jobs of all types", CALLS, list_whole)
                .await?,
            self.time("searching open jobs, a part", CALLS, find)
                .await?,
            self.time("where the 100 jobs of a batch are", CALLS, batch)
                .await?,
        ];
        let recorded = ids.borrow().clone();
        for (job, id) in &recorded {
            let overdue = Command::new("ZADD")
                .arg(keys::OPEN.key(job.name()))
                .arg(1)
                .arg(id);
            self.redis.run::<i64>(overdue).await?;
        }
        let unclaimed = async || jobs.unclaimed().await.map(drop).map_err(unexpected);
        figures.push(
            self.time("unclaimed jobs, a page when all are", 10, unclaimed)
                .await?,
        );
        let overdue = jobs.unclaimed().await.map_err(unexpected)?;
        let take = async || {
            let taken = jobs.take_unclaimed(&overdue).await;
            taken.map(drop).map_err(unexpected)
        };
        figures.push(
            self.time("unclaimed jobs, twenty noted as published again", 10, take)
                .await?,
        );
        Ok(figures)
    }

    /// Returns the average run time of a script in these calls, once it is loaded.
    async fn time(
        &self,
        what: &str,
        calls: usize,
        act: impl AsyncFn() -> Result<(), Error>,
    ) -> Result<Figure, Error> {
        let before = self.spent().await?;
        for _ in 0..calls {
            act().await?;
        }
        let after = self.spent().await?;
        let (ran, micros) = (after.0 - before.0, after.1 - before.1);
        if ran < 1.0 {
            return Err(Error::Unexpected(format!("no script ran for {what}")));
        }
        Ok(Figure::new(what, micros / ran / 1000.0, "ms").at_most(LIMIT))
    }

    /// Returns the number of scripts so far, and their total microseconds.
    async fn spent(&self) -> Result<(f64, f64), Error> {
        let ask = Command::new("INFO").arg("commandstats");
        let info: String = self.redis.run(ask).await?;
        let mut spent = (0.0, 0.0);
        for name in ["cmdstat_evalsha:", "cmdstat_eval:"] {
            let Some(line) = info.lines().find_map(|line| line.strip_prefix(name)) else {
                continue;
            };
            let figure = |name: &str| {
                let figures = line.split(',').filter_map(|figure| figure.split_once('='));
                let mut found = figures.filter(|(of, _)| *of == name);
                found
                    .next()
                    .and_then(|(_, value)| value.parse::<f64>().ok())
            };
            spent.0 += figure("calls").unwrap_or_default();
            spent.1 += figure("usec").unwrap_or_default();
        }
        Ok(spent)
    }
}

/// Returns the options of a request; each request is a separate batch.
fn options(job: JobType, request: usize) -> JobOptions {
    JobOptions {
        job,
        priority: Priority::Normal,
        tenant: "example.com".into(),
        user: "ann".into(),
        label: format!("bench-{request}"),
        not_before: None,
    }
}

/// Returns the payload of a bulk job.
fn payload() -> serde_json::Value {
    let emails: Vec<_> = (0..AT_ONCE)
        .map(|number| json!({ "name": "Ann Signer", "email": format!("r{number}@example.com") }))
        .collect();
    json!({ "documentTitle": "Lease of a flat", "senderName": "Bob Owner", "emails": emails })
}

fn unexpected(error: impl std::fmt::Display) -> Error {
    Error::Unexpected(error.to_string())
}
