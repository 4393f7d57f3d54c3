//! AWS Signature Version 4, for calls of AWS's JSON protocols: a POST to `/` without a query.
//!
//! Implemented here, because the SDK's runtime would be added to every binary for these sixty lines. The protocol:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::base::env;
use crate::base::hex::hex;
use crate::base::secret::Secret;

/// The credentials of a call.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Secret,
    /// The session token of temporary credentials, such as those of a function's role.
    pub(super) session_token: Option<Secret>,
}

impl Credentials {
    /// Returns the credentials of the function's role, which Lambda sets in the environment.
    pub(super) fn from_env() -> Result<Self, env::Error> {
        Ok(Self {
            access_key_id: env::required("AWS_ACCESS_KEY_ID")?,
            secret_access_key: env::secret("AWS_SECRET_ACCESS_KEY")?,
            session_token: env::optional_secret("AWS_SESSION_TOKEN")?,
        })
    }
}

/// The scope of a signature: a service in a region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// The signed parts of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    /// Percent-encoded, as sent.
    pub(super) path: &'a str,
    /// Percent-encoded and sorted by name.
    pub(super) query: &'a str,
    /// Names in lower case; `host` must be among them.
    pub(super) headers: &'a [(&'static str, &'a str)],
    /// SHA-256 of the body in hex, or the constant that replaces it.
    pub(super) payload_hash: &'a str,
}

/// Returns the headers that sign a POST to `/`, see [`sign_call`].
pub(super) fn sign(
    credentials: &Credentials,
    scope: Scope<'_>,
    at: Timestamp,
    headers: &[(&'static str, &str)],
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let call = Call {
        method: "POST",
        path: "/",
        query: "",
        headers,
        payload_hash: &hex(&Sha256::digest(body)),
    };
    sign_call(credentials, scope, at, &call)
}

/// Returns the headers that sign a call: `x-amz-date`, `x-amz-security-token` if there is one, and `authorization`.
pub(super) fn sign_call(
    credentials: &Credentials,
    scope: Scope<'_>,
    at: Timestamp,
    call: &Call<'_>,
) -> Vec<(&'static str, String)> {
    let signer = Signer::new(credentials, scope, at);
    let mut added = vec![("x-amz-date", signer.instant.clone())];
    if let Some(token) = &credentials.session_token {
        added.push(("x-amz-security-token", token.expose().to_owned()));
    }
    let (names, request) = canonical(call, call.query, &added);
    let signature = signer.signature(&request);
    added.push((
        "authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential={}, SignedHeaders={names}, Signature={signature}",
            signer.credential()
        ),
    ));
    added
}

/// Returns the query of a presigned URL, with which anyone can make the call for `life`. `host` must be the only header
/// of the call.
pub(super) fn presign(
    credentials: &Credentials,
    scope: Scope<'_>,
    at: Timestamp,
    life: Duration,
    call: &Call<'_>,
) -> String {
    let signer = Signer::new(credentials, scope, at);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    // Sorted by name.
    query
        .append_pair("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
        .append_pair("X-Amz-Credential", &signer.credential())
        .append_pair("X-Amz-Date", &signer.instant)
        .append_pair("X-Amz-Expires", &life.as_secs().to_string());
    if let Some(token) = &credentials.session_token {
        query.append_pair("X-Amz-Security-Token", token.expose());
    }
    let query = query.append_pair("X-Amz-SignedHeaders", "host").finish();
    let (_, request) = canonical(call, &query, &[]);
    let signature = signer.signature(&request);
    format!("{query}&X-Amz-Signature={signature}")
}

/// The credentials, scope and time of a signature.
struct Signer<'a> {
    credentials: &'a Credentials,
    scope: Scope<'a>,
    day: String,
    instant: String,
}

impl<'a> Signer<'a> {
    fn new(credentials: &'a Credentials, scope: Scope<'a>, at: Timestamp) -> Self {
        Self {
            credentials,
            scope,
            day: at.strftime("%Y%m%d").to_string(),
            instant: at.strftime("%Y%m%dT%H%M%SZ").to_string(),
        }
    }

    fn context(&self) -> String {
        let Scope { region, service } = self.scope;
        format!("{}/{region}/{service}/aws4_request", self.day)
    }

    fn credential(&self) -> String {
        format!("{}/{}", self.credentials.access_key_id, self.context())
    }

    /// Returns the signature of a canonical request, in hex.
    fn signature(&self, request: &str) -> String {
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            self.instant,
            self.context(),
            hex(&Sha256::digest(request))
        );
        let start = format!("AWS4{}", self.credentials.secret_access_key.expose()).into_bytes();
        let Scope { region, service } = self.scope;
        let parts = [&self.day, region, service, "aws4_request", &text];
        hex(&parts.iter().fold(start, |key, part| mac(&key, part)))
    }
}

/// Returns the names of the signed headers, and the canonical request.
fn canonical(call: &Call<'_>, query: &str, added: &[(&'static str, String)]) -> (String, String) {
    let added = added.iter().map(|(name, value)| (*name, value.as_str()));
    let mut signed: Vec<(&str, &str)> = call.headers.iter().copied().chain(added).collect();
    signed.sort_unstable();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut lines = String::new();
    for (name, value) in &signed {
        lines.extend([name, ":", value.trim(), "\n"]);
    }
    let request = format!(
        "{}\n{}\n{query}\n{lines}\n{names}\n{}",
        call.method, call.path, call.payload_hash
    );
    (names, request)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC accepts keys of any length, so this default is never used.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Credentials, Scope, sign};
    use crate::base::secret::Secret;

    fn authorization(
        token: Option<&str>,
        scope: Scope<'_>,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> String {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
            session_token: token.map(|token| Secret::new(token.to_owned())),
        };
        let at: Timestamp = "2015-08-30T12:36:00Z".parse().unwrap();
        let signed = sign(&credentials, scope, at, headers, body.as_bytes());
        assert_eq!(signed[0], ("x-amz-date", "20150830T123600Z".to_owned()));
        signed.into_iter().next_back().unwrap().1
    }

    #[test]
    fn published_example_gets_the_published_signature() {
        // `post-vanilla` of AWS's own test suite for this protocol.
        let scope = Scope {
            region: "us-east-1",
            service: "service",
        };
        assert_eq!(
            authorization(None, scope, &[("host", "example.amazonaws.com")], ""),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
    }

    #[test]
    fn temporary_credentials_are_signed_like_the_official_python_sdk() {
        let scope = Scope {
            region: "eu-west-1",
            service: "secretsmanager",
        };
        let headers = [
            ("host", "127.0.0.1:4566"),
            ("x-amz-target", "secretsmanager.GetSecretValue"),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let body = r#"{"SecretId":"arn:aws:secretsmanager:eu-west-1:000000000000:secret:signtusk-AbCdEf"}"#;
        // Generated with botocore 1.43.127.
        assert_eq!(
            authorization(Some("AQoDYXdzEPT//token=="), scope, &headers, body),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/secretsmanager/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, \
             Signature=fc78ce9790bf16455c6900681f58e987fbe83f5e820c3877168db607d93ab2fa"
        );
    }
}
