//! AWS Secrets Manager (`GetSecretValue`): supplies missing environment variables once at init.
//!
//! Lambda's environment is limited to 4 KB. If `SECRETS_ARN` names a secret, the members of its JSON object replace
//! variables that are absent or empty. Without `SECRETS_ARN` nothing is built or called. It makes one attempt of three
//! seconds: if init fails, Lambda starts the function again.

mod answer;
mod arn;

use std::time::Duration;

use url::Url;

use self::arn::SecretArn;
use super::http as transport;
use super::sigv4::{self, Credentials, Scope};
use crate::base::clock::Clock;
use crate::base::env;

/// The time limit of the call, including its answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Why the secret could not be used. The function prints this text as one line before it stops; the text quotes no part
/// of the secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `SECRETS_ARN`, or a variable that the call needs, is invalid.
    #[error(transparent)]
    Variable(#[from] env::Error),
    /// There was no answer; a retry may succeed.
    #[error("the secret in SECRETS_ARN was not read: {0}")]
    NotAnswered(&'static str),
    /// Secrets Manager rejected the call: the secret, the function's rights, or a temporary limit.
    #[error("the secret in SECRETS_ARN was not read: Secrets Manager answered {status} {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The name of the exception, such as `ResourceNotFoundException`.
        code: String,
    },
    /// The secret was read, but its content is invalid.
    #[error("the secret in SECRETS_ARN is not usable: {0}")]
    Unusable(String),
}

/// Supplies missing variables from the secret that `SECRETS_ARN` names, if it is set. Called before the environment is
/// read.
pub async fn supply_environment() -> Result<(), Error> {
    let Some(arn) = env::optional("SECRETS_ARN") else {
        return Ok(());
    };
    let arn = arn.parse().map_err(|reason: &str| env::Error::Malformed {
        name: "SECRETS_ARN",
        reason: reason.to_owned(),
    })?;
    env::supply(answer::entries(&fetch(&arn).await?)?);
    Ok(())
}

/// Returns the body of the answer to `GetSecretValue`.
async fn fetch(arn: &SecretArn) -> Result<Vec<u8>, Error> {
    let endpoint = endpoint(arn)?;
    let host = match (endpoint.host_str().unwrap_or_default(), endpoint.port()) {
        (host, None) => host.to_owned(),
        (host, Some(port)) => format!("{host}:{port}"),
    };
    let headers = [
        ("host", host.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "secretsmanager.GetSecretValue"),
    ];
    let body = serde_json::json!({ "SecretId": arn.as_str() }).to_string();
    let scope = Scope {
        region: arn.region(),
        service: "secretsmanager",
    };
    let credentials = Credentials::from_env()?;
    let signed = sigv4::sign(
        &credentials,
        scope,
        Clock::system().now(),
        &headers,
        body.as_bytes(),
    );
    let client = transport::client(TIMEOUT).map_err(|_| Error::NotAnswered("TLS setup failed"))?;
    let mut request = client.post(endpoint).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    for (name, value) in signed {
        request = request.header(name, value);
    }
    answer::read(request.send().await.map_err(|error| not_answered(&error))?).await
}

/// Returns the address of the region's Secrets Manager, or the one that the SDK's own variables name.
fn endpoint(arn: &SecretArn) -> Result<Url, env::Error> {
    const OWN: &str = "AWS_ENDPOINT_URL_SECRETS_MANAGER";
    const COMMON: &str = "AWS_ENDPOINT_URL";
    let (name, text) = env::optional(OWN)
        .map(|url| (OWN, url))
        .or_else(|| env::optional(COMMON).map(|url| (COMMON, url)))
        .unwrap_or_else(|| ("SECRETS_ARN", arn.public_endpoint()));
    let malformed = |reason: String| env::Error::Malformed { name, reason };
    let url: Url = text
        .parse()
        .map_err(|error: url::ParseError| malformed(error.to_string()))?;
    let is_bare = url.has_host() && url.path() == "/" && url.query().is_none();
    is_bare
        .then_some(url)
        .ok_or_else(|| malformed("it must be a URL without a path".to_owned()))
}

fn not_answered(error: &reqwest::Error) -> Error {
    Error::NotAnswered(if error.is_timeout() {
        "Secrets Manager did not answer within 3 s"
    } else if error.is_connect() {
        "Secrets Manager cannot be reached"
    } else if error.is_builder() {
        "the function's credentials have characters that are not allowed in a header"
    } else {
        "the connection to Secrets Manager was lost"
    })
}
