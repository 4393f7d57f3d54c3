//! Rate limits: the arithmetic compared with the official client's, and the guard through the real binaries.

mod concurrency;
mod guard;
mod identity;
mod outages;
mod refused;
mod routes;
mod side_by_side;

use http::Method;
use local::cloud::Settings;
use reqwest::RequestBuilder;

use crate::support::TestCloud;
use crate::support::cloud::{Answer, answer};

/// A read with the service token, whose handler reads the store.
const READ: &str = "/api/queue/stats";

/// A write with the service token.
const WRITE: &str = "/api/queue/pauses/email";

/// A public route.
const PUBLIC: &str = "/api/health/redis";

/// Starts a cloud with these variables.
async fn cloud_with(variables: &[(&str, &str)]) -> TestCloud {
    TestCloud::start_with(|settings| set(settings, variables)).await
}

fn set(settings: &mut Settings, variables: &[(&str, &str)]) {
    for (name, value) in variables {
        let variable = ((*name).to_owned(), (*value).to_owned());
        settings.overrides.extend([variable]);
    }
}

/// Returns a request of a user from an address.
fn of(cloud: &TestCloud, method: Method, path: &str, user: &str, address: &str) -> RequestBuilder {
    cloud
        .request(method, path)
        .header("x-user-id", user)
        .header("x-user-role", "admin")
        .header("x-client-ip", address)
}

async fn read_as(cloud: &TestCloud, user: &str, address: &str) -> Answer {
    answer(of(cloud, Method::GET, READ, user, address)).await
}

/// Returns a number in a header.
fn number(answer: &Answer, header: &str) -> i64 {
    let value = answer.headers.get(header);
    let value = value.unwrap_or_else(|| panic!("no {header} on {answer:?}"));
    value.to_str().unwrap().parse().unwrap()
}
