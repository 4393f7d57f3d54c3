//! AWS Secrets Manager (`GetSecretValue`): fills in, once at init, what the environment lacks.
//!
//! Lambda's environment ends at 4 KB. Where `SECRETS_ARN` names a secret, the members of its JSON object stand in for
//! the variables that are absent or empty; without `SECRETS_ARN` nothing is built and nothing is called. One attempt
//! of three seconds: when init fails, Lambda starts the function again by itself.

mod answer;
mod arn;

use std::time::Duration;

use url::Url;

use self::arn::SecretArn;
use super::http as transport;
use super::sigv4::{self, Credentials, Scope};
use crate::base::clock::Clock;
use crate::base::env;

/// How long the call may take, its answer included.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Why the secret could not be used. Its text is the one line that a function prints before it stops; it quotes
/// nothing of the secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `SECRETS_ARN` itself, or a variable that the call needs, is not usable.
    #[error(transparent)]
    Variable(#[from] env::Error),
    /// There was no answer: it may be tried again.
    #[error("the secret in SECRETS_ARN was not read: {0}")]
    NotAnswered(&'static str),
    /// Secrets Manager refused, because of the secret, of the function's rights, or for the moment.
    #[error("the secret in SECRETS_ARN was not read: Secrets Manager answered {status} {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The name of the exception, such as `ResourceNotFoundException`.
        code: String,
    },
    /// The secret is there, but not what it should be.
    #[error("the secret in SECRETS_ARN is not usable: {0}")]
    Unusable(String),
}

/// Supplies what the environment lacks from the secret that `SECRETS_ARN` names, if it names one. Called before
/// anything else reads the environment.
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

/// The body of the answer to `GetSecretValue`.
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

/// Where the region's Secrets Manager is, or where the SDK's own variables say.
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
