//! The answers that every route behind the service token has, documented once.

use std::collections::BTreeMap;

use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema as _};

use super::problem::ProblemDocument;

/// What a guard and the edge may answer before a handler is asked, and what any handler may when the store is down.
#[derive(Debug)]
pub struct GuardProblems;

impl IntoResponses for GuardProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            (
                "400",
                "The body, the path or a caller header is not what the route takes",
            ),
            ("401", "The service token is missing or wrong"),
            ("403", "The token may only read"),
            ("413", "The body is larger than 4 MB"),
            ("415", "The body is not application/json"),
            (
                "503",
                "The store does not answer; Retry-After says when to ask again",
            ),
        ]
        .map(|(status, description)| (status.to_owned(), problem(description).into()))
        .into()
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemDocument::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}
