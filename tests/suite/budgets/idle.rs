//! The cost of an idle system at Redis in a month: the schedules alone.

use serde_json::{Value, json};
use shared::service::job::{JobType, SCHEDULES};
use tests::commands::billed;

use crate::support::TestCloud;

/// The maximum of an idle month: most of the half million commands of the smallest plan.
const MAX_COMMANDS: u64 = 300_000;

const DAYS: u64 = 30;

/// Returns how often a cron field matches within `span` values.
fn times(field: &str, span: u64) -> u64 {
    match field.strip_prefix("*/") {
        Some(step) => span / step.parse::<u64>().unwrap(),
        None if field == "*" => span,
        None => u64::try_from(field.split(',').count()).unwrap(),
    }
}

/// Returns the runs of a schedule in a month. This project's schedules run every day.
fn runs(cron: &str) -> u64 {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    assert_eq!(fields[2..], ["*", "*", "*"], "{cron}");
    times(fields[0], 60) * times(fields[1], 24) * DAYS
}

/// Returns the number of commands that redis-server has received so far.
async fn commands(cloud: &TestCloud) -> u64 {
    let mut redis = cloud.redis_connection().await;
    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    billed(&info)
}

/// Returns the cost of a second delivery, when the scripts are loaded.
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

/// Returns the cost of a scheduled health check.
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
    // In production the lists of jobs are full, so each new job also trims one.
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
            // Every third one also searches for lost jobs, with a command for each type; whether this one did depends
            // on the clock.
            let whole = delivery(&cloud, schedule.handler, &json!({ "task": "outbox" })).await;
            cost = runs(schedule.cron) * (3 * whole - 2 * looking) / 3;
        }
        println!("{}: {cost}", schedule.id);
        month += cost;
    }
    println!("a month: {month} commands");
    assert!(month <= MAX_COMMANDS, "{month}");
}
