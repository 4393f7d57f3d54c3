//! The pages on adding an endpoint and a job, followed literally in a copy of the sources.

mod page;
mod tree;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use shared::base::env;

use self::tree::{ROOT, Tree};
use crate::template::document::{Template, texts};
use crate::template::variables::assert_names_holders;

const PAGES: [&str; 2] = ["docs/ADDING-AN-ENDPOINT.md", "docs/ADDING-A-JOB.md"];

/// The additions of the pages: the folder, the path, and the families of alarms.
const ADDED: [(&str, &str, &[&str]); 2] = [
    (
        "functions/api/hello",
        "/api/hello/{name}",
        &["errors", "failures", "throttles"],
    ),
    (
        "functions/jobs/say-hello",
        "/api/jobs/say-hello",
        &["errors", "failures", "throttles", "queue-quota"],
    ),
];

/// Returns the name of a function, from its folder.
fn name(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap()
}

/// Returns a copy with all steps of both pages done.
fn followed(tree: Tree) -> Tree {
    for path in PAGES {
        let page = tree.read(path);
        page::follow(&tree, &page);
    }
    tree
}

#[test]
fn every_path_named_on_the_pages_exists_at_the_end() {
    let tree = followed(Tree::empty());
    let mut named = 0;
    for page in PAGES {
        for path in page::paths(&tree.read(page)) {
            assert!(tree.has(&path), "{page} names {path}, which does not exist");
            named += 1;
        }
    }
    assert!(named > 20, "{named} paths were read");
}

#[test]
fn template_of_the_pages_has_blocks_rights_logs_and_alarms() {
    let tree = followed(Tree::empty());
    let template = Template::parse(&tree.read("template.yaml"));
    let readers = texts(&template.resources()["SecretsPolicy"]["Properties"]["Roles"]);
    for (folder, path, families) in ADDED {
        let name = name(folder);
        let functions = template.functions();
        let function = functions.iter().find(|it| it.name == name).unwrap();
        assert_eq!(
            function.properties["CodeUri"],
            format!("target/lambda/{name}")
        );
        assert!(tree.has(&format!("{folder}/src/main.rs")), "{folder}");
        let events = function.properties["Events"].as_object().unwrap();
        let mut paths = events.values().map(|event| &event["Properties"]["Path"]);
        assert!(paths.any(|it| it == path), "{path}");

        let role = format!("{}Role", function.id);
        assert!(readers.contains(&role.as_str()), "{role}");
        let group = &function.properties["LoggingConfig"]["LogGroup"]["!Ref"];
        let group = &template.resources()[group.as_str().unwrap()]["Properties"];
        assert_eq!(group["LogGroupName"], of_stack("/aws/lambda/", "", name));
        for family in families {
            let called = of_stack("", family, name);
            let mut alarms = template.all("AWS::CloudWatch::Alarm");
            let alarm = alarms.find(|(_, alarm)| alarm["Properties"]["AlarmName"] == called);
            let alarm = &alarm.unwrap_or_else(|| panic!("no {called}")).1["Properties"];
            let watched = template.referred(&alarm["Dimensions"][0]["Value"]);
            assert_eq!(watched.name, name, "{called}");
        }
    }
}

/// Returns a name that starts with the stack's name, in the template's form.
fn of_stack(prefix: &str, family: &str, name: &str) -> Value {
    let separator = if family.is_empty() { "" } else { "-" };
    json!({ "!Sub": format!("{prefix}${{AWS::StackName}}-{family}{separator}{name}") })
}

#[test]
fn lists_and_events_of_the_pages_name_both_functions() {
    let tree = followed(Tree::empty());
    let template = Template::parse(&tree.read("template.yaml"));
    let jobs: BTreeSet<String> = tree.folders("functions/jobs");
    assert!(jobs.contains("say-hello"), "{jobs:?}");
    assert_names_holders(&template, &tree.read("docs/CONFIGURATION.md"), &jobs);

    let expected: Value = serde_json::from_str(&tree.read("tests/events.json")).unwrap();
    for (folder, path, _) in ADDED {
        let name = name(folder);
        let place = folder.strip_prefix("functions/").unwrap();
        let row = format!("`{place}`");
        assert!(tree.read("README.md").contains(&row), "README.md: {row}");
        let literal = format!("\"{name}\"");
        for list in ["bench/src/size.rs", "shared/src/service/capacity.rs"] {
            assert!(tree.read(list).contains(&literal), "{list}: {literal}");
        }
        assert!(expected[name]["status"].is_u64(), "{name}");
        let event = tree.read(&format!("tests/events/{name}.json"));
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(event["routeKey"], format!("ANY {path}"));
    }
    assert!(
        tree.read("docs/API.md")
            .contains("| `GET /api/hello/{name}` | service")
    );
}

#[test]
fn sources_of_the_pages_keep_the_rules_and_the_format() {
    let tree = followed(Tree::empty());
    let changed = tree.changed("rs");
    let is_new = |path: &&String| !Path::new(ROOT).join(path).exists();
    let new: Vec<&String> = changed.iter().filter(is_new).collect();
    assert!(new.len() >= 4 && changed.len() > new.len(), "{changed:?}");
    for path in new {
        let text = tree.read(path);
        assert!(text.starts_with("//! "), "{path}");
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(120), "{path}: {longest:?}");
    }
    for (folder, path, _) in ADDED {
        let main = tree.read(&format!("{folder}/src/main.rs"));
        assert!(main.lines().count() <= 60, "{folder}");
        assert!(main.lines().next().unwrap().contains(path), "{folder}");
        let starts = main.find("    start().await?;").unwrap();
        assert!(Some(starts) < main.find("::from_env"), "{folder}");
    }
    // Files that declare modules would require the files of those modules.
    let files = changed.iter().filter(|path| !path.ends_with("mod.rs"));
    let checked = Command::new("rustfmt")
        .current_dir(ROOT)
        .args(["--check", "--edition", "2024", "--config-path", "."])
        .args(files.map(|path| tree.root().join(path)))
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{message}");
}

/// Takes minutes: `make campaign` runs it.
#[test]
fn result_of_the_pages_compiles() {
    if env::optional("CAMPAIGN_SEEDS").is_none() {
        return;
    }
    let tree = followed(Tree::whole());
    let checked = Command::new(std::env!("CARGO"))
        .current_dir(tree.root())
        .args(["check", "--offline", "--workspace", "--all-targets"])
        .arg("--target-dir")
        .arg(Path::new(ROOT).join("target/adding"))
        .status()
        .unwrap();
    assert!(checked.success(), "the pages lead to code that is wrong");
}
