//! The variables of each function.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::service::rate_limit::{self, OnOutage, Rate};

use super::binary::{self, Binary};
use super::document::Template;
use super::read;

#[test]
fn each_function_gets_exactly_the_variables_that_its_binary_reads() {
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
fn binaries_reveal_which_variables_each_function_reads() {
    let known = binary::variables();
    assert!(known.len() > 20, "{known:?}");
    let reads =
        |function: &str, variable: &str| Binary::of(function).reads(&known).contains(variable);
    assert!(reads("queue", "API_TOKEN"));
    assert!(!reads("health", "API_TOKEN"));
    assert!(reads("send-email", "TICKET_SECRET_NEXT"));
    assert!(!reads("queue", "DATABASE_URL"));
}

/// Returns the functions that have a variable in the template.
fn holders(template: &Template, variable: &str) -> BTreeSet<String> {
    let functions = template.functions().into_iter();
    functions
        .filter(|function| function.variables().contains_key(variable))
        .map(|function| function.name.to_owned())
        .collect()
}

/// Returns every job.
fn jobs() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/jobs");
    let jobs = std::fs::read_dir(folder).unwrap();
    jobs.map(|job| job.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Returns the functions in a row of the page: `jobs` means all of `jobs`.
fn named(text: &str, jobs: &BTreeSet<String>) -> BTreeSet<String> {
    let mut named: BTreeSet<String> = text.split(", ").map(str::to_owned).collect();
    if named.remove("jobs") {
        named.extend(jobs.iter().cloned());
    }
    named
}

#[test]
fn configuration_page_names_the_functions_of_each_variable() {
    assert_names_holders(&Template::read(), &read("docs/CONFIGURATION.md"), &jobs());
}

/// Compares the page's table of variables with the functions' variables in the template.
pub(crate) fn assert_names_holders(template: &Template, page: &str, jobs: &BTreeSet<String>) {
    let (_, table) = page.split_once("| variable | for | |").unwrap();
    let mut rows = 0;
    for row in table.lines().skip(2).take_while(|row| row.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if cells[2].starts_with("all") {
            continue;
        }
        for variable in cells[1].split('`').skip(1).step_by(2) {
            // Variables with the same prefix are listed by their suffixes.
            let short = variable.strip_prefix('_');
            let variable = short.map_or(variable.to_owned(), |end| format!("RATE_LIMIT_{end}"));
            let holders = holders(template, &variable);
            assert_eq!(named(cells[2], jobs), holders, "{variable}");
            rows += 1;
        }
    }
    assert!(rows > 30, "{rows} variables were read");
}

#[test]
fn configuration_page_lists_every_limiter_with_its_default() {
    let page = read("docs/CONFIGURATION.md");
    let (_, section) = page.split_once("\n## Named limiters\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let listed: Vec<_> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let on_outage = match cells[4] {
                "open" => OnOutage::Open,
                "closed" => OnOutage::Closed,
                other => panic!("{other}: {row}"),
            };
            let [variable, name] = [cells[1], cells[2]].map(|cell| cell.trim_matches('`'));
            let rate: Rate = cells[3].parse().unwrap();
            (variable, name, rate, on_outage)
        })
        .collect();
    let declared: Vec<_> = rate_limit::ALL
        .iter()
        .map(|it| (it.variable, it.name, it.rate, it.on_outage))
        .collect();
    assert_eq!(listed, declared);
}

fn names(variables: &Value) -> BTreeSet<String> {
    variables.as_object().unwrap().keys().cloned().collect()
}
