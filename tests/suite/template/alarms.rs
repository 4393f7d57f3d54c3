//! Alarms: each notifies a person, each is in the runbook, and each reads a written metric.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::base::secret::Secret;
use shared::protocol::mail::EmailAddress;
use shared::service::job::JobType;
use shared::service::mail::unsubscribe::Tokens;

use super::document::{Template, texts};
use super::read;
use crate::operating::dead_letters::give_up_unnoticed;
use crate::support::TestCloud;
use crate::support::cloud::answer;
use crate::support::payloads::signature_request;
use crate::support::waiting::eventually;

/// The namespace of the functions' own metrics.
const OURS: &str = "SignTusk/Functions";

/// Returns the properties of every alarm.
fn alarms(template: &Template) -> Vec<&Value> {
    let alarms = template.all("AWS::CloudWatch::Alarm");
    alarms.map(|(_, alarm)| &alarm["Properties"]).collect()
}

/// Returns an alarm's name, without the stack's.
fn name(alarm: &Value) -> &str {
    let name = alarm["AlarmName"]["!Sub"].as_str().unwrap();
    name.strip_prefix("${AWS::StackName}-").unwrap()
}

/// Returns the name with the function's name replaced, as in the runbook.
fn family(name: &str) -> String {
    let prefix = EACH.iter().find(|prefix| name.starts_with(**prefix));
    prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}FUNCTION"))
}

/// The first parts of the names of alarms that all or some functions have.
const EACH: [&str; 4] = ["errors-", "failures-", "throttles-", "queue-quota-"];

#[test]
fn every_alarm_notifies_the_on_call_topic() {
    let template = Template::read();
    let topic = json!([{ "!Ref": "AlarmTopicArn" }]);
    for alarm in alarms(&template) {
        assert_eq!(alarm["AlarmActions"], topic, "{}", name(alarm));
    }
}

#[test]
fn runbook_has_a_row_for_exactly_the_existing_alarms() {
    let template = Template::read();
    let there: BTreeSet<String> = alarms(&template)
        .into_iter()
        .map(|alarm| family(name(alarm)))
        .collect();
    let page = read("docs/RUNBOOK.md");
    let (_, section) = page.split_once("\n## Alarms\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
    assert_eq!(there, listed);
}

#[test]
fn every_function_has_alarms_for_failures_and_5xx_answers() {
    let template = Template::read();
    let there: BTreeSet<&str> = alarms(&template).into_iter().map(name).collect();
    for function in template.functions() {
        let errors = format!("errors-{}", function.name);
        assert!(there.contains(errors.as_str()), "{errors} is missing");
        // A function without dependencies cannot answer 5xx.
        let failures = format!("failures-{}", function.name);
        let stands = !function.variables().is_empty();
        assert_eq!(there.contains(failures.as_str()), stands, "{failures}");
        let throttles = format!("throttles-{}", function.name);
        assert!(there.contains(throttles.as_str()), "{throttles} is missing");
        // Functions that enqueue, redrive or defer. Sessions and security answer with 5xx, which raises an alarm.
        let publishes = ["queue", "queue-jobs"].contains(&function.name)
            || JobType::of_handler(function.name).is_some();
        let quota = format!("queue-quota-{}", function.name);
        assert_eq!(there.contains(quota.as_str()), publishes, "{quota}");
    }
    for alarm in alarms(&template) {
        let functions = EACH
            .iter()
            .filter_map(|each| name(alarm).strip_prefix(each));
        for function in functions {
            let watched = template.referred(&alarm["Dimensions"][0]["Value"]);
            assert_eq!(watched.name, function, "{} watches another", name(alarm));
        }
    }
}

/// The series of a metrics line or an alarm: function, dimensions, and the metric.
type Series = (String, BTreeSet<(String, String)>, String);

/// Returns the series of ours that an alarm reads.
fn read_by(template: &Template, alarm: &Value) -> Series {
    let dimensions = alarm["Dimensions"].as_array().unwrap();
    let (mut function, mut others) = (String::new(), BTreeSet::new());
    for dimension in dimensions {
        match dimension["Name"].as_str().unwrap() {
            "function" => template
                .referred(&dimension["Value"])
                .name
                .clone_into(&mut function),
            other => {
                others.insert((other.to_owned(), texts(&dimension["Value"])[0].to_owned()));
            }
        }
    }
    (
        function,
        others,
        alarm["MetricName"].as_str().unwrap().to_owned(),
    )
}

/// Returns the series that the functions have written so far. In the local cloud, the deployed name of a function is
/// its folder's.
fn written(cloud: &TestCloud) -> BTreeSet<Series> {
    let mut series = BTreeSet::new();
    for line in cloud
        .logs()
        .lines()
        .filter(|line| line.contains("\"_aws\""))
    {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Namespace"], OURS, "{line}");
        let names = texts(&declared["Dimensions"][0])
            .into_iter()
            .filter(|name| *name != "function");
        let others: BTreeSet<_> = names
            .map(|name| (name.to_owned(), line[name].as_str().unwrap().to_owned()))
            .collect();
        for metric in declared["Metrics"].as_array().unwrap() {
            let function = line["function"].as_str().unwrap().to_owned();
            series.insert((
                function,
                others.clone(),
                metric["Name"].as_str().unwrap().to_owned(),
            ));
        }
    }
    series
}

/// Returns the event that the schedule sends to health.
pub(crate) fn scheduled_event() -> Value {
    scheduled(&Template::read())
}

/// Returns that event of this template.
fn scheduled(template: &Template) -> Value {
    let functions = template.functions();
    let health = functions
        .iter()
        .find(|function| function.name == "health")
        .unwrap();
    let events = health.properties["Events"].as_object().unwrap();
    let schedule = events
        .values()
        .find(|event| event["Type"] == "Schedule")
        .unwrap();
    serde_json::from_str(schedule["Properties"]["Input"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn schedule_reaches_the_health_watch_and_an_api_caller_does_not() {
    let cloud = TestCloud::start().await;
    let report = cloud.invoke("health", scheduled(&Template::read())).await;
    assert_eq!(
        (report.status.as_u16(), &report.body["status"]),
        (200, &json!("healthy"))
    );
    assert_eq!(cloud.get("/api/health/watch").await.status, 404);
}

#[tokio::test]
async fn every_metric_read_by_an_alarm_is_written() {
    let template = Template::read();
    let cloud = TestCloud::start().await;
    give_up_unnoticed(&cloud).await;
    cloud.qstash().hold(true);
    let task = json!({ "task": "dead-letters" });
    assert_eq!(cloud.deliver("relay-outbox", &task).await.status, 200);
    cloud.invoke("health", scheduled(&template)).await;
    assert_eq!(
        cloud.deliver("job-failed", &given_up(&cloud)).await.status,
        200
    );
    for alarm in [
        "dead-letters",
        "dead-letters-found",
        "oldest-outbox-row",
        "oldest-pending-job",
        "outbox-set-aside",
    ] {
        let alarm = *alarms(&template)
            .iter()
            .find(|found| name(found) == alarm)
            .unwrap();
        let wanted = read_by(&template, alarm);
        eventually(&format!("{wanted:?} is written"), async || {
            written(&cloud).contains(&wanted)
        })
        .await;
    }
}

#[tokio::test]
async fn function_without_its_store_writes_the_outcome_that_its_alarm_counts() {
    let template = Template::read();
    let cloud = TestCloud::start_with(|settings| {
        let nowhere = ["UPSTASH_REDIS_REST_URL", "QSTASH_URL"]
            .map(|name| (name.to_owned(), "http://127.0.0.1:9".to_owned()));
        let database = (
            "DATABASE_URL".to_owned(),
            "postgres://nobody:none@127.0.0.1:9/none".to_owned(),
        );
        settings
            .overrides
            .extend(nowhere.into_iter().chain([database]));
    })
    .await;
    call_everything(&cloud).await;
    cloud.invoke("health", scheduled(&template)).await;
    for alarm in alarms(&template) {
        let name = name(alarm);
        if alarm["Namespace"] == OURS
            && (name.starts_with("failures-") || name == "limiter-outages")
        {
            let wanted = read_by(&template, alarm);
            eventually(&format!("{wanted:?} is written"), async || {
                written(&cloud).contains(&wanted)
            })
            .await;
        }
    }
}

/// Calls every function with dependencies, so that it uses them.
async fn call_everything(cloud: &TestCloud) {
    let event = json!({ "action": "view", "resourceType": "document" });
    assert_eq!(cloud.deliver("audit-log", &event).await.status, 503);
    assert_eq!(
        cloud.deliver("cleanup-expired", &json!({})).await.status,
        503
    );
    let body = signature_request("ann@example.com");
    assert_eq!(cloud.post("/api/queue/emails", &body).await.status, 503);
    assert_eq!(cloud.deliver("send-email", &body).await.status, 503);
    let ping = json!({});
    assert_eq!(cloud.deliver("relay-outbox", &ping).await.status, 503);
    assert_eq!(
        cloud.deliver("send-notification", &news()).await.status,
        503
    );
    assert_eq!(
        cloud.deliver("job-failed", &given_up(cloud)).await.status,
        503
    );
    let inbox = cloud.request(http::Method::GET, "/api/notifications");
    let inbox = answer(inbox.header("x-user-id", USER)).await;
    assert_eq!(inbox.status, 503, "{inbox:?}");
    let revoke = json!({ "kind": "revoke", "sessionIds": ["s1"] });
    let token = json!({ "purpose": "password-reset", "token": "t1" });
    assert_eq!(cloud.deliver("persist-session", &revoke).await.status, 503);
    assert_eq!(cloud.post("/api/tokens/redeem", &token).await.status, 503);
    let secret = Secret::new(cloud.variable("TICKET_SECRET").to_owned());
    let recipient = EmailAddress::parse("somebody@example.com").unwrap();
    let tokens = Tokens::new(vec![secret], "");
    let link = tokens.link(&"0".repeat(64), &recipient).unwrap();
    for path in [
        "/api/cache/stats",
        "/api/queue/stats",
        "/api/health/redis",
        "/api/suppressions",
        "/api/audit",
        "/api/mail-events",
        "/api/security/rate-limits",
        "/api/security/blocklist",
        "/api/sessions/s1",
        "/api/users/3f2b6c1e-8a4d-4c55-9e07-5d1f0a9b7c21/sessions",
        &link,
    ] {
        assert_eq!(cloud.get(path).await.status, 503, "{path}");
    }
}

/// The user of a notification.
const USER: &str = "01985c00-0000-7000-8000-000000000001";

fn news() -> Value {
    json!({ "type": "general", "userId": USER, "title": "News", "message": "There are some." })
}

/// Returns QStash's failure callback for a message.
fn given_up(cloud: &TestCloud) -> Value {
    json!({ "sourceMessageId": "msg_1", "url": cloud.url("/api/jobs/send-email"), "status": 503 })
}
