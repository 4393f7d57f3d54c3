//! What a system costs at Redis in a month in which nothing happens: the schedules alone.

use serde_json::{Value, json};
use shared::service::job::{JobType, SCHEDULES};
use tests::commands::billed;

use crate::support::TestCloud;

/// What the smallest plan of Redis would leave room for: half a million commands a month, of which this is most.
const MAX_COMMANDS: u64 = 300_000;

const DAYS: u64 = 30;

/// How often a cron field comes up within `span` values.
fn times(field: &str, span: u64) -> u64 {
    match field.strip_prefix("*/") {
        Some(step) => span / step.parse::<u64>().unwrap(),
        None if field == "*" => span,
        None => u64::try_from(field.split(',').count()).unwrap(),
    }
}

/// How often a schedule runs in a month. Those of this project run every day.
fn runs(cron: &str) -> u64 {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    assert_eq!(fields[2..], ["*", "*", "*"], "{cron}");
    times(fields[0], 60) * times(fields[1], 24) * DAYS
}

/// The commands that redis-server has been given so far.
async fn commands(cloud: &TestCloud) -> u64 {
    let mut redis = cloud.redis_connection().await;
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    billed(&info)
}

/// What a delivery costs, the second time, when the scripts are known.
async fn delivery(cloud: &TestCloud, handler: &str, body: &Value) -> u64 {
    let mut cost = 0;
    for round in 0..2 {
        let before = commands(cloud).await;
        let message = format!("msg_{handler}_{body}_{round}").replace(['"', '{', '}'], "");
        let done = cloud.deliver_as(&message, handler, body).await;
        assert_eq!(done.status, 200, "{handler}: {done:?}");
        cost = commands(cloud).await - before;
    }
    cost
}

/// What a call of health by the schedule costs.
async fn watch(cloud: &TestCloud) -> u64 {
    let event = crate::template::alarms::scheduled_event();
    cloud.invoke("health", event.clone()).await;
    let before = commands(cloud).await;
    let watched = cloud.invoke("health", event).await;
    assert_eq!(watched.body, json!({ "status": "healthy" }));
    commands(cloud).await - before
}

#[tokio::test]
async fn idle_month_costs_at_most_300_000_commands() {
    let cloud = TestCloud::start().await;
    cloud.qstash().hold(true);
    // In production the lists of jobs are full, so that each new job also shortens one.
    for job in JobType::ALL {
        let mut redis = cloud.redis_connection().await;
        let mut fill = redis::cmd("RPUSH");
        fill.arg(format!("jobs:{}", job.name()));
        (0..1000).for_each(|n| {
            fill.arg(format!("former-{n}"));
        });
        fill.exec_async(&mut redis).await.unwrap();
    }
    let looking = u64::try_from(JobType::ALL.len()).unwrap();
    let mut month = 12 * 24 * DAYS * watch(&cloud).await;
    println!("health: {month}");
    for schedule in SCHEDULES {
        let Some(_) = schedule.job() else { continue };
        let body: Value = serde_json::from_str(schedule.body).unwrap();
        let mut cost = runs(schedule.cron) * delivery(&cloud, schedule.handler, &body).await;
        if schedule.id == "outbox-sweep" {
            // Every third one looks for lost jobs, with a command for each type; which one this was depends on the clock.
            let whole = delivery(&cloud, schedule.handler, &json!({ "task": "outbox" })).await;
            cost = runs(schedule.cron) * (3 * whole - 2 * looking) / 3;
        }
        println!("{}: {cost}", schedule.id);
        month += cost;
    }
    println!("a month: {month} commands");
    assert!(month <= MAX_COMMANDS, "{month}");
}
