//! Who is given which variable.

use std::collections::BTreeSet;

use serde_json::Value;

use super::binary::{self, Binary};
use super::document::Template;

#[test]
fn each_function_is_given_the_variables_that_its_binary_reads_and_no_others() {
    let template = Template::read();
    let known = binary::variables();
    let shared = &template.shared()["Environment"]["Variables"];
    let shared: BTreeSet<String> = names(shared);
    for function in template.functions() {
        let own = names(&Value::Object(function.variables()));
        let given: BTreeSet<String> = shared.union(&own).cloned().collect();
        let read = Binary::of(function.name).reads(&known);
        let missing: Vec<_> = read.difference(&given).collect();
        let needless: Vec<_> = given.difference(&read).collect();
        assert!(
            missing.is_empty() && needless.is_empty(),
            "{}: lacks {missing:?}, does not read {needless:?}",
            function.name
        );
    }
}

#[test]
fn the_binaries_tell_the_functions_apart() {
    let known = binary::variables();
    assert!(known.len() > 20, "{known:?}");
    let reads =
        |function: &str, variable: &str| Binary::of(function).reads(&known).contains(variable);
    assert!(reads("queue", "API_TOKEN"));
    assert!(!reads("health", "API_TOKEN"));
    assert!(reads("send-email", "TICKET_SECRET_NEXT"));
    assert!(!reads("queue", "DATABASE_URL"));
}

fn names(variables: &Value) -> BTreeSet<String> {
    variables.as_object().unwrap().keys().cloned().collect()
}
