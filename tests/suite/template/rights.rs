//! The functions' rights at AWS.

use std::collections::BTreeSet;

use serde_json::Value;

use super::binary::Binary;
use super::document::{Function, Template, everywhere, texts};

/// Returns the actions that a function's own policies and its role's attached policies allow.
fn allowed(template: &Template, function: &Function<'_>) -> BTreeSet<String> {
    let role = format!("{}Role", function.id);
    let attached = template
        .all("AWS::IAM::ManagedPolicy")
        .map(|(_, policy)| &policy["Properties"]);
    let attached = attached.filter(|policy| texts(&policy["Roles"]).contains(&role.as_str()));
    let policies = attached.chain([&function.properties["Policies"]]);
    let actions = policies.flat_map(|policy| everywhere(policy, "Action"));
    actions.flat_map(texts).map(ToOwned::to_owned).collect()
}

#[test]
fn each_function_has_exactly_the_rights_that_its_binary_uses() {
    let template = Template::read();
    for function in template.functions() {
        let calls = Binary::of(function.name).calls();
        assert_eq!(allowed(&template, &function), calls, "{}", function.name);
    }
}

#[test]
fn binaries_reveal_which_functions_call_aws() {
    assert!(Binary::of("send-email").calls().contains("ses:SendEmail"));
    assert!(!Binary::of("queue").calls().contains("ses:SendEmail"));
}

#[test]
fn policies_never_allow_every_action_or_every_resource() {
    let template = Template::read();
    let statements: Vec<&Value> = template
        .resources()
        .values()
        .flat_map(|resource| everywhere(resource, "Statement"))
        .flat_map(|statements| statements.as_array().unwrap())
        .collect();
    assert!(statements.len() >= 4, "{statements:?}");
    for statement in statements {
        let actions = texts(&statement["Action"]);
        // X-Ray has no resources.
        let traces = actions.iter().all(|action| action.starts_with("xray:"));
        let resources = texts(&statement["Resource"]);
        assert!(!actions.is_empty() && !resources.is_empty(), "{statement}");
        assert!(!actions.contains(&"*"), "{statement}");
        assert!(traces || !resources.contains(&"*"), "{statement}");
        if statement.get("Principal").is_some() {
            let everybody = texts(&statement["Principal"]).contains(&"*");
            assert!(
                !everybody && statement["Condition"].is_object(),
                "{statement}"
            );
        }
    }
}
