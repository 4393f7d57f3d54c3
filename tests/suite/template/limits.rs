//! The limits of functions: timeout, concurrency, and retention of logs.

use serde_json::{Value, json};
use shared::service::capacity::{Capacity, FUNCTIONS};
use shared::service::job::{JobType, SCHEDULES};

use super::document::{Function, Template};

/// The maximum timeout: API Gateway's HTTP API times out after 30 seconds.
const MAX_TIMEOUT: u64 = 29;

fn has_route(function: &Function<'_>) -> bool {
    let events = function.properties["Events"].as_object().unwrap();
    events.values().any(|event| event["Type"] == "HttpApi")
}

fn named(function: &Function<'_>) -> Value {
    json!({ "!Sub": format!("${{AWS::StackName}}-{}", function.name) })
}

#[test]
fn function_timeouts_are_within_the_api_timeout() {
    let template = Template::read();
    let shared = template.shared()["Timeout"].as_u64().unwrap();
    for function in template.functions() {
        let timeout = function.properties["Timeout"].as_u64().unwrap_or(shared);
        assert!(
            !has_route(&function) || timeout <= MAX_TIMEOUT,
            "{}: {timeout} s",
            function.name
        );
    }
}

#[test]
fn every_function_has_its_own_log_group_with_retention() {
    let template = Template::read();
    for function in template.functions() {
        let name = function.name;
        assert_eq!(
            function.properties["FunctionName"],
            named(&function),
            "{name}"
        );
        let group = &function.properties["LoggingConfig"]["LogGroup"]["!Ref"];
        let group = &template.resources()[group
            .as_str()
            .unwrap_or_else(|| panic!("{name} has no log group"))];
        assert_eq!(group["Type"], "AWS::Logs::LogGroup", "{name}");
        let called = json!({ "!Sub": format!("/aws/lambda/${{AWS::StackName}}-{name}") });
        assert_eq!(group["Properties"]["LogGroupName"], called, "{name}");
        let kept = &group["Properties"]["RetentionInDays"];
        assert_eq!(*kept, json!({ "!Ref": "LogRetentionDays" }), "{name}");
    }
}

/// Returns the default reserved concurrency of a function.
fn reserved(template: &Template, function: &Function<'_>) -> Option<u64> {
    let reserved = &function.properties["ReservedConcurrentExecutions"]["!If"][1];
    match reserved["!Ref"].as_str() {
        Some(parameter) => template.parameters()[parameter]["Default"].as_u64(),
        None => reserved.as_u64(),
    }
}

fn capacity(function: &str) -> &'static Capacity {
    let capacity = FUNCTIONS.iter().find(|it| it.function == function);
    capacity.unwrap_or_else(|| panic!("{function} is not in the table of capacity"))
}

#[test]
fn reservation_of_every_function_matches_the_capacity_table() {
    let template = Template::read();
    for function in template.functions() {
        let instances = capacity(function.name).instances.map(u64::from);
        assert_eq!(
            reserved(&template, &function),
            instances,
            "{}",
            function.name
        );
    }
}

#[test]
fn exactly_the_functions_using_postgres_have_a_connection_limit() {
    for function in Template::read().functions() {
        let opens = function.variables().contains_key("DATABASE_URL");
        assert_eq!(
            opens,
            capacity(function.name).connects(),
            "{}",
            function.name
        );
    }
}

#[test]
fn deliveries_of_all_keys_of_a_plan_fit_the_reservation_of_its_function() {
    let template = Template::read();
    for job in JobType::ALL {
        let plan = job.plan();
        let functions = template.functions();
        let function = functions.iter().find(|it| it.name == plan.handler).unwrap();
        let reserved = reserved(&template, function).unwrap();
        let deliveries = plan.keys.reachable() + capacity(plan.handler).keyless;
        assert!(
            u64::from(deliveries) <= reserved,
            "{}: {deliveries}",
            plan.handler
        );
    }
}

#[test]
fn schedules_of_a_function_fit_its_share_of_messages_without_a_key() {
    for job in JobType::ALL {
        let handler = job.plan().handler;
        let schedules = SCHEDULES.iter().filter(|it| it.handler == handler).count();
        let keyless = usize::try_from(capacity(handler).keyless).unwrap();
        assert!(schedules <= keyless, "{handler}: {schedules}");
    }
}

#[test]
fn every_release_publishes_a_version_of_every_function_for_rollback() {
    let template = Template::read();
    assert_eq!(template.shared()["AutoPublishAlias"], "live");
    for function in template.functions() {
        let published = &function.properties["AutoPublishCodeSha256"];
        assert_eq!(
            *published,
            json!({ "!Ref": "Release" }),
            "{}",
            function.name
        );
    }
}
