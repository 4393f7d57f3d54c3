//! Secrets come from Secrets Manager, each to those functions that need it, and the README says which there are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::Template;
use super::read;

/// No more of them are resolved in one template.
const MOST_REFERENCES: usize = 60;

/// Whether a variable holds what nobody else may know, by its name.
fn is_secret(variable: &str) -> bool {
    let mut words = variable.split('_');
    variable == "DATABASE_URL" || words.any(|word| ["TOKEN", "SECRET", "KEY"].contains(&word))
}

/// The reference to a name in the secret, in the version that is being deployed.
fn reference(name: &str) -> Value {
    json!({ "!Sub": format!("{{{{resolve:secretsmanager:${{SecretsArn}}:SecretString:{name}::${{SecretsVersion}}}}}}") })
}

/// Every secret variable of every function, with its value.
fn secrets(template: &Template) -> Vec<(String, Value)> {
    let variables = template
        .functions()
        .into_iter()
        .flat_map(|function| function.variables());
    variables.filter(|(name, _)| is_secret(name)).collect()
}

#[test]
fn every_secret_is_read_under_its_own_name_and_no_parameter_holds_one() {
    let template = Template::read();
    let secrets = secrets(&template);
    assert!(
        (1..=MOST_REFERENCES).contains(&secrets.len()),
        "{}",
        secrets.len()
    );
    for (name, value) in secrets {
        assert_eq!(value, reference(&name), "{name}");
    }
    for (name, parameter) in template.parameters() {
        assert!(
            parameter.get("NoEcho").is_none(),
            "{name} is a secret in a parameter"
        );
    }
}

#[test]
fn nothing_but_a_secret_is_read_from_the_secret() {
    for function in Template::read().functions() {
        for (name, value) in function.variables() {
            let referenced = value.to_string().contains("resolve:");
            assert_eq!(referenced, is_secret(&name), "{}: {name}", function.name);
        }
    }
}

#[test]
fn the_readme_lists_every_name_that_the_secret_must_have() {
    let readme = read("README.md");
    let (_, rest) = readme.split_once("secrets.json <<'END'\n").unwrap();
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
