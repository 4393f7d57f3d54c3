//! How long a function may run, how many of it there may be, and how long what it says is kept.

use serde_json::{Value, json};

use super::document::{Function, Template};

/// API Gateway's HTTP API gives up after 30 seconds.
const LONGEST: u64 = 29;

fn has_route(function: &Function<'_>) -> bool {
    let events = function.properties["Events"].as_object().unwrap();
    events.values().any(|event| event["Type"] == "HttpApi")
}

fn named(function: &Function<'_>) -> Value {
    json!({ "!Sub": format!("${{AWS::StackName}}-{}", function.name) })
}

#[test]
fn nothing_behind_the_api_may_run_longer_than_the_api_waits() {
    let template = Template::read();
    let shared = template.shared()["Timeout"].as_u64().unwrap();
    for function in template.functions() {
        let timeout = function.properties["Timeout"].as_u64().unwrap_or(shared);
        assert!(
            !has_route(&function) || timeout <= LONGEST,
            "{}: {timeout} s",
            function.name
        );
    }
}

#[test]
fn every_function_logs_to_a_group_of_its_own_which_forgets() {
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

#[test]
fn what_opens_postgres_has_a_limit_of_instances_and_nothing_else_has_one() {
    for function in Template::read().functions() {
        let opens = function.variables().contains_key("DATABASE_URL");
        let limit = &function.properties["ReservedConcurrentExecutions"];
        assert_eq!(opens, !limit.is_null(), "{}: {limit}", function.name);
    }
}

#[test]
fn every_release_is_a_version_of_every_function_to_which_a_rollback_can_return() {
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
