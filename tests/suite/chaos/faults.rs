//! The faults during the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;

use super::random::Random;
use crate::outages::Gates;
use crate::outages::gate::Verdict;
use crate::support::TestCloud;
use crate::support::proxy::carries;

/// The functions to kill, and the type of job whose leases they hold.
const FUNCTIONS: [(&str, Option<&str>); 6] = [
    ("queue", None),
    ("job-failed", None),
    ("send-email", Some("email")),
    ("send-notification", Some("notification")),
    ("audit-log", Some("audit-log")),
    ("relay-outbox", Some("relay-outbox")),
];

/// The queue loses one of this number of responses.
const LOST_ANSWERS: u64 = 8;

/// Ends the leases taken before an instant (ms), as if their 35 seconds had passed: the queue's clock runs too fast to
/// wait for them.
const END_LEASES: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
      local job = redis.call('HMGET', 'job:' .. id, 'status', 'leaseUntil')
      if job[1] == 'processing' and tonumber(job[2] or 0) <= now + 35000 then
        redis.call('HSET', 'job:' .. id, 'leaseUntil', 1)
      end
    end";

/// The number of faults of each kind.
#[derive(Debug, Default)]
pub(super) struct FaultCounts {
    pub(super) kills: u64,
    pub(super) wipes: u64,
    pub(super) cuts: u64,
    pub(super) lost_answers: u64,
}

/// Causes faults until the given instant.
pub(super) async fn run(
    cloud: &TestCloud,
    gates: &Gates,
    seed: u64,
    until: Instant,
) -> FaultCounts {
    let mut random = Random::new(seed);
    let mut fault_counts = FaultCounts::default();
    let lost = Arc::<AtomicU64>::default();
    lose_answers(gates, Random::new(seed + 1), Arc::clone(&lost));
    let mut redis = cloud.redis_connection().await;
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100 + random.below(300))).await;
        match random.below(8) {
            0..4 => {
                let (function, leases) = random.choose(&FUNCTIONS);
                fault_counts.kills += cloud.gateway().kill(function) as u64;
                if let Some(job) = leases {
                    end_leases(&mut redis, job).await;
                }
            }
            4 => {
                wipe(&mut redis).await;
                fault_counts.wipes += 1;
            }
            _ => {
                gates.postgres.sever();
                fault_counts.cuts += 1;
            }
        }
    }
    fault_counts.lost_answers = lost.load(Ordering::Relaxed);
    fault_counts
}

fn lose_answers(gates: &Gates, mut random: Random, lost: Arc<AtomicU64>) {
    gates.qstash.judge(move |bytes| {
        if carries(bytes, "POST /v2/") && random.below(LOST_ANSWERS) == 0 {
            lost.fetch_add(1, Ordering::Relaxed);
            return Verdict::CutAnswer;
        }
        Verdict::Pass
    });
}

async fn end_leases(redis: &mut MultiplexedConnection, job: &str) {
    let () = redis::cmd("EVAL")
        .arg(END_LEASES)
        .arg(1)
        .arg(format!("jobs_open:{job}"))
        .query_async(redis)
        .await
        .unwrap();
}

/// Deletes everything in Redis, including its scripts.
async fn wipe(redis: &mut MultiplexedConnection) {
    for command in [["FLUSHALL", "SYNC"], ["SCRIPT", "FLUSH"]] {
        redis::cmd(command[0])
            .arg(command[1])
            .exec_async(redis)
            .await
            .unwrap();
    }
}
