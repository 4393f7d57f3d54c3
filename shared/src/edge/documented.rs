//! The shared responses of routes, documented once: those that the edge gives before the handler, and those that any
//! handler may give.

use std::collections::BTreeMap;

use utoipa::openapi::header::Header;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema as _};

use super::problem::ProblemDocument;

/// The responses that any route behind the service token may give.
#[derive(Debug)]
pub struct GuardProblems;

/// The responses that any public route may give.
#[derive(Debug)]
pub struct LimitProblems;

/// The further responses of a route with a JSON body.
#[derive(Debug)]
pub struct BodyProblems;

impl IntoResponses for GuardProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            (
                "400",
                problem("The query, the path, the body or a header is malformed"),
            ),
            ("401", unauthorized()),
            (
                "403",
                problem("The token may only read, or the address is blocked"),
            ),
            ("429", limited()),
            (
                "500",
                problem("Internal error; quote the request id when reporting it"),
            ),
            ("503", unavailable()),
        ]
        .map(|(status, response)| (status.to_owned(), response.build().into()))
        .into()
    }
}

impl IntoResponses for LimitProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            ("403", problem("The address is blocked")),
            ("429", limited()),
        ]
        .map(|(status, response)| (status.to_owned(), response.build().into()))
        .into()
    }
}

impl IntoResponses for BodyProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            (
                "413",
                "The body exceeds 4 MB, or the job exceeds the message limit",
            ),
            ("415", "The body is not application/json"),
            ("422", "Invalid fields; see errors[]"),
        ]
        .map(|(status, description)| (status.to_owned(), problem(description).build().into()))
        .into()
    }
}

fn unauthorized() -> ResponseBuilder {
    problem("The service token is missing or wrong").header("WWW-Authenticate", Header::default())
}

fn unavailable() -> ResponseBuilder {
    let wait = number("Seconds to wait before trying again");
    problem("A dependency is unavailable").header("Retry-After", wait)
}

fn limited() -> ResponseBuilder {
    problem("Rate limit exceeded, or too many failed attempts from this address")
        .header("Retry-After", number("Seconds to wait before trying again"))
        .header("X-RateLimit-Limit", number("Requests allowed per window"))
        .header(
            "X-RateLimit-Remaining",
            number("Requests left in the window"),
        )
        .header(
            "X-RateLimit-Reset",
            number("When the window ends, in milliseconds since 1970"),
        )
}

fn number(description: &str) -> Header {
    let mut header = Header::new(
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0)),
    );
    header.description = Some(description.to_owned());
    header
}

/// Returns a response that is a problem document.
#[must_use]
pub fn problem(description: &str) -> ResponseBuilder {
    let schema = Ref::from_schema_name(ProblemDocument::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
}
