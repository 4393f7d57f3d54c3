//! Secrets are in Secrets Manager and never in the template, and docs/DEPLOYING.md lists them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{Template, texts};
use super::read;

/// Returns whether a variable is secret, by its name.
fn is_secret(variable: &str) -> bool {
    let mut words = variable.split('_');
    variable == "DATABASE_URL" || words.any(|word| ["TOKEN", "SECRET", "KEY"].contains(&word))
}

/// Returns every secret variable of every function, with its value.
fn secrets(template: &Template) -> Vec<(String, Value)> {
    let variables = template
        .functions()
        .into_iter()
        .flat_map(|function| function.variables());
    variables.filter(|(name, _)| is_secret(name)).collect()
}

#[test]
fn only_secret_variables_come_from_the_secret_and_no_parameter_holds_one() {
    let template = Template::read();
    for function in template.functions() {
        for (name, value) in function.variables() {
            let is_left = value == json!("");
            assert_eq!(is_left, is_secret(&name), "{}: {name}", function.name);
        }
    }
    for (name, parameter) in template.parameters() {
        assert!(
            parameter.get("NoEcho").is_none(),
            "{name} is a secret in a parameter"
        );
    }
}

#[test]
fn exactly_the_functions_with_secrets_may_read_the_secret() {
    let template = Template::read();
    let policy = &template.resources()["SecretsPolicy"]["Properties"];
    let readers: BTreeSet<&str> = texts(&policy["Roles"]).into_iter().collect();
    for function in template.functions() {
        let variables = function.variables();
        let has_secrets = variables.keys().any(|name| is_secret(name));
        let role = format!("{}Role", function.id);
        assert_eq!(readers.contains(role.as_str()), has_secrets, "{role}");
        let secret = variables.get("SECRETS_ARN");
        let wanted = has_secrets.then(|| json!({ "!Ref": "SecretsArn" }));
        assert_eq!(secret, wanted.as_ref(), "{}", function.name);
    }
}

#[test]
fn deploying_page_lists_every_name_in_the_secret() {
    let page = read("docs/DEPLOYING.md");
    let (_, rest) = page.split_once("secrets.json <<'END'\n").unwrap();
    let (example, _) = rest.split_once("\nEND\n").unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    let listed: BTreeSet<String> = example.as_object().unwrap().keys().cloned().collect();
    let template = Template::read();
    let used: BTreeSet<String> = secrets(&template)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(listed, used);
}
