//! The OpenAPI document: generated from the routes' own documentation, and consistent with it.

use std::path::Path;

use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi as Document, OpenApiBuilder};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// Returns all routes of all API functions in one document.
fn document() -> Document {
    let info = InfoBuilder::new()
        .title("SignTusk Functions")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The serverless back end of SignTusk: jobs, mails, notifications, sessions, security, caches and audit.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    for part in parts() {
        document.merge(part);
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("serviceToken", SecurityScheme::Http(bearer));
    document
}

/// Returns the document of each API function.
fn parts() -> Vec<Document> {
    vec![
        audit::Documentation::openapi(),
        cache::Documentation::openapi(),
        health::Documentation::openapi(),
        mail_events::Documentation::openapi(),
        notifications::Documentation::openapi(),
        openapi::Documentation::openapi(),
        queue::Documentation::openapi(),
        queue_jobs::Documentation::openapi(),
        rate_limits::Documentation::openapi(),
        security::Documentation::openapi(),
        sessions::Documentation::openapi(),
        suppressions::Documentation::openapi(),
        tokens::Documentation::openapi(),
        unsubscribe::Documentation::openapi(),
        user_sessions::Documentation::openapi(),
    ]
}

#[test]
fn schema_name_is_used_for_one_schema_only() {
    let mut all = std::collections::BTreeMap::new();
    for part in parts() {
        for (name, schema) in part.components.unwrap_or_default().schemas {
            let schema = serde_json::to_value(schema).unwrap();
            let other = all.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(
                *other, schema,
                "{name} is two schemas: give one another name"
            );
        }
    }
}

#[test]
fn document_matches_the_routes() {
    let output = document().to_pretty_json().unwrap() + "\n";
    if is_update() {
        std::fs::write(FILE, &output).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap();
    assert!(
        written == output,
        "docs/openapi.json is behind the code: run `make openapi`"
    );
}

#[test]
fn operations_have_unique_names_and_every_reference_resolves() {
    let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for operation in document["paths"].as_object().unwrap().values() {
        for method in operation.as_object().unwrap().values() {
            let name = method["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} names two operations");
        }
    }
    for part in openapi::DOCUMENT.split("\"$ref\": \"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(
            document.pointer(pointer).is_some(),
            "{pointer} leads nowhere"
        );
    }
}

#[test]
fn each_summary_has_two_to_five_words() {
    let document = serde_json::to_value(document()).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            let words = summary.split_whitespace().count();
            assert!(
                (2..=5).contains(&words) && !summary.ends_with('.'),
                "{method} {path} has the summary {summary:?}: write a command of two to five words, without a period"
            );
        }
    }
}

#[test]
fn openapi_function_serves_the_committed_file() {
    assert!(Path::new(FILE).exists());
    assert_eq!(openapi::DOCUMENT, std::fs::read_to_string(FILE).unwrap());
}

fn is_update() -> bool {
    shared::base::env::optional("UPDATE_OPENAPI").is_some()
}
