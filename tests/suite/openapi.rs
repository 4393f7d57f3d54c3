//! The OpenAPI document: written from the routes' own documentation, and true to it.

use std::path::Path;

use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi as Document, OpenApiBuilder};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// All routes of all API functions in one document.
fn document() -> Document {
    let info = InfoBuilder::new()
        .title("SignTusk Functions")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The serverless back end of SignTusk: jobs, health, and what they stand on.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    for part in [
        health::Documentation::openapi(),
        queue::Documentation::openapi(),
        queue_jobs::Documentation::openapi(),
    ] {
        document.merge(part);
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("serviceToken", SecurityScheme::Http(bearer));
    document
}

#[test]
fn the_document_is_what_the_routes_say() {
    let said = document().to_pretty_json().unwrap() + "\n";
    if is_update() {
        std::fs::write(FILE, &said).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap();
    assert!(
        written == said,
        "docs/openapi.json is behind the code: run `make openapi`"
    );
}

#[test]
fn the_function_serves_the_file() {
    assert!(Path::new(FILE).exists());
    assert_eq!(openapi::DOCUMENT, std::fs::read_to_string(FILE).unwrap());
}

fn is_update() -> bool {
    shared::base::env::optional("UPDATE_OPENAPI").is_some()
}
