//! The guard's one script call compared with one call of @upstash/ratelimit, for each algorithm, on the same store.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use shared::base::clock::Clock;
use shared::protocol::upstash::Redis;
use shared::service::key::Family;
use shared::service::rate_limit::{
    Admission, Algorithm, Claim, Limit, Limiter, OnOutage, Rate, RateLimits,
};

use crate::error::Error;
use crate::figure::Figure;
use crate::meter::{Cost, cost};
use crate::page::Section;
use crate::player::Player;
use crate::spread::Spread;
use crate::stage::Stage;
use crate::turns::{Turns, timed};

/// Calls of each kind.
const CALLS: usize = 2_000;

/// Calls with counted commands.
const COUNTED: u32 = 500;

static KEYS: Family = Family {
    pattern: "bench:ours:{identifier}",
    kind: "string",
    life: "the run",
};

/// The algorithms, as `node/player.js` names them.
static LIMITERS: [Limiter; 3] = [
    limiter("fixed", Algorithm::FixedWindow),
    limiter("sliding", Algorithm::SlidingWindow),
    limiter("bucket", Algorithm::TokenBucket { refill: 1_000_000 }),
];

const fn limiter(name: &'static str, algorithm: Algorithm) -> Limiter {
    Limiter {
        name,
        keys: &KEYS,
        variable: "",
        algorithm,
        // A rate that rejects no call.
        rate: Rate {
            count: 1_000_000,
            window: Duration::from_hours(1),
        },
        on_outage: OnOutage::Closed,
    }
}

/// Checks a limit as the guard of a route does.
pub(crate) struct Asker {
    redis: Redis,
    limits: RateLimits,
    admission: Admission,
}

impl Asker {
    /// Creates a request within a limit, with or without an address.
    pub(crate) fn new(
        stage: &Stage,
        limiter: &'static Limiter,
        address: Option<IpAddr>,
    ) -> Result<Self, Error> {
        let redis = stage.redis()?;
        let limit = Limit::new(limiter, limiter.rate);
        Ok(Self {
            limits: RateLimits::new(redis.clone(), Clock::system()),
            redis,
            admission: Admission {
                claims: vec![Claim::one(limit, format!("{}:ann", limiter.name))],
                address,
                checks_lockout: true,
            },
        })
    }

    /// Returns whether the request is allowed.
    pub(crate) async fn passes(&self) -> Result<bool, Error> {
        let call = self.limits.call(&self.admission);
        let reply = self.redis.eval(call).await?;
        let verdict = self.limits.answer(&self.admission, reply)?;
        Ok(verdict.refusal.is_none())
    }

    /// Errors if the request is rejected, because the measurement would be invalid.
    pub(crate) async fn pass(&self) -> Result<(), Error> {
        if self.passes().await? {
            return Ok(());
        }
        Err(Error::Unexpected("the guard refused".into()))
    }
}

/// Returns the limiter of most routes, with the block list and the lockout before it.
pub(crate) fn sliding(stage: &Stage, address: IpAddr) -> Result<Asker, Error> {
    let [_, limiter, _] = &LIMITERS;
    Asker::new(stage, limiter, Some(address))
}

/// Measures the figures.
pub(crate) async fn section(stage: &Stage) -> Result<Section, Error> {
    let mut figures = Vec::new();
    for (limiter, name) in LIMITERS
        .iter()
        .zip(["fixed window", "sliding window", "token bucket"])
    {
        figures.extend(compare(stage, limiter).await?.figures(name));
    }
    Ok(Section {
        title: "The guard",
        how: "One call of the guard beside one call of limit() of @upstash/ratelimit 2.2 with the same algorithm and\n\
              limit, on the same Redis, in turn, 2,000 each. The guard is called in this program's process as a\n\
              function calls it, and the official client in a Node process that times itself. So the times compare the\n\
              waits of a Rust function and a Node function, not the two scripts alone. The guard also looks at the\n\
              block list and the lockout of the address (one MGET) and counts for the hour's figures (one HINCRBY);\n\
              the limit alone is without the first, and the official client counts for its figures only with\n\
              analytics. Commands are those that Upstash bills, most often in 500 calls; the limit on them is what the\n\
              official client without analytics takes.",
        figures,
    })
}

/// One algorithm in each way.
struct Compared {
    guard: Spread,
    official: Spread,
    costs: [Cost; 4],
}

async fn compare(stage: &Stage, limiter: &'static Limiter) -> Result<Compared, Error> {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let guard = Asker::new(stage, limiter, Some(address))?;
    let limit = Asker::new(stage, limiter, None)?;
    let mut official = Player::start(stage, &["limit", limiter.name])?;
    let mut analytics = Player::start(stage, &["limit", limiter.name, "with-analytics"])?;
    let mut turns = Turns::new(CALLS);
    while turns.go_on() {
        turns.note([timed(guard.pass()).await?, official.act().await?]);
    }
    analytics.act().await?;
    let [guard_took, official_took] = turns.spreads();
    Ok(Compared {
        guard: guard_took,
        official: official_took,
        costs: [
            cost(stage, COUNTED, async || guard.pass().await).await?,
            cost(stage, COUNTED, async || limit.pass().await).await?,
            cost(stage, COUNTED, async || official.act().await.map(drop)).await?,
            cost(stage, COUNTED, async || analytics.act().await.map(drop)).await?,
        ],
    })
}

impl Compared {
    fn figures(&self, name: &str) -> Vec<Figure> {
        let [guard, limit, official, analytics] = self.costs;
        let figure = |what: &str, value, unit| Figure::new(format!("{name}: {what}"), value, unit);
        let (ours, theirs) = (self.guard.p50(), self.official.p50());
        vec![
            figure("the guard, p50", ours, "ms"),
            figure("@upstash/ratelimit on Node, p50", theirs, "ms"),
            figure(
                "@upstash/ratelimit on Node over the guard, p50",
                theirs / ours,
                "x",
            ),
            figure("requests of the guard", guard.requests, "").at_most(1.0),
            figure("commands of the guard", guard.commands, "").at_most(official.commands),
            figure("commands of the limit alone", limit.commands, ""),
            figure("commands of @upstash/ratelimit", official.commands, ""),
            figure(
                "commands of @upstash/ratelimit with analytics",
                analytics.commands,
                "",
            ),
        ]
    }
}
