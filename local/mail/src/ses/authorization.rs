//! Signature Version 4, as far as a server without accounts can check it: present, complete, and for this service.
//!
//! The form: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::ses::refusal::{Code, Refusal};

/// The header that carries the session token of temporary keys.
const TOKEN: &str = "x-amz-security-token";

/// The region of the signature. SES names it when an identity fails its check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Region(pub(crate) String);

/// Parses the `Authorization` header. The signature itself is not verified.
pub(crate) fn check(headers: &HeaderMap) -> Result<Region, Refusal> {
    let missing = || Code::MissingAuthenticationToken.because("Missing Authentication Token");
    let header = headers.get(AUTHORIZATION).ok_or_else(missing)?;
    let parameters = header
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("AWS4-HMAC-SHA256 "))
        .ok_or_else(|| incomplete("an AWS4-HMAC-SHA256 authorization"))?;
    if !headers.contains_key("x-amz-date") {
        return Err(incomplete("a valid 'X-Amz-Date' header"));
    }
    let signature = parameter(parameters, "Signature")?;
    if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(incomplete("a valid 'Signature' parameter"));
    }
    let signed = parameter(parameters, "SignedHeaders")?;
    if !signed.split(';').any(|name| name == "host") {
        return Err(Code::InvalidSignature.because("'Host' must be a 'SignedHeader'."));
    }
    let credential = parameter(parameters, "Credential")?;
    session_token(credential, headers.contains_key(TOKEN), signed)?;
    region(credential)
}

/// Checks the session token. Temporary keys, whose ids start with `ASIA`, require a signed session token; other keys
/// have none. The token itself is not verified.
fn session_token(credential: &str, present: bool, signed: &str) -> Result<(), Refusal> {
    if credential.starts_with("ASIA") != present {
        return Err(Code::InvalidClientTokenId
            .because("The security token included in the request is invalid."));
    }
    if present && !signed.split(';').any(|name| name == TOKEN) {
        return Err(
            Code::InvalidSignature.because("'X-Amz-Security-Token' must be a 'SignedHeader'.")
        );
    }
    Ok(())
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Result<&'a str, Refusal> {
    parameters
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value)
        .ok_or_else(|| incomplete(&format!("'{name}' parameter")))
}

/// `<key id>/<day>/<region>/ses/aws4_request`.
fn region(credential: &str) -> Result<Region, Refusal> {
    let parts: Vec<&str> = credential.split('/').collect();
    let [key, day, region, service, "aws4_request"] = parts[..] else {
        return Err(incomplete("a valid 'Credential' parameter"));
    };
    if key.is_empty() || region.is_empty() || day.len() != 8 {
        return Err(incomplete("a valid 'Credential' parameter"));
    }
    if service != "ses" {
        return Err(Code::InvalidSignature.because(format!(
            "Credential should be scoped to correct service: 'ses', not '{service}'."
        )));
    }
    Ok(Region(region.to_owned()))
}

fn incomplete(what: &str) -> Refusal {
    Code::IncompleteSignature.because(format!("Authorization header requires {what}."))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::check;
    use crate::ses::refusal::Code;

    const WHOLE: &str = "AWS4-HMAC-SHA256 Credential=AKID/20261123/eu-west-1/ses/aws4_request, \
        SignedHeaders=host;x-amz-date, \
        Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn signed(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("x-amz-date", "20261123T000000Z".parse().unwrap());
        headers
    }

    #[test]
    fn complete_authorization_header_names_its_region() {
        assert_eq!(check(&signed(WHOLE)).unwrap().0, "eu-west-1");
    }

    #[test]
    fn temporary_keys_without_a_signed_session_token_are_refused() {
        let temporary = WHOLE.replace("AKID", "ASIALOCAL");
        let with_token = |authorization: &str| {
            let mut headers = signed(authorization);
            headers.insert("x-amz-security-token", "token".parse().unwrap());
            check(&headers).map_err(|refusal| refusal.code)
        };
        let whole = temporary.replace("x-amz-date,", "x-amz-date;x-amz-security-token,");
        assert_eq!(with_token(&whole).unwrap().0, "eu-west-1");
        let missing = check(&signed(&whole)).unwrap_err().code;
        assert_eq!(missing, Code::InvalidClientTokenId);
        assert_eq!(with_token(&temporary), Err(Code::InvalidSignature));
        assert_eq!(with_token(WHOLE), Err(Code::InvalidClientTokenId));
    }

    #[test]
    fn incomplete_authorization_header_is_refused() {
        assert_eq!(
            check(&HeaderMap::new()).unwrap_err().code,
            Code::MissingAuthenticationToken
        );
        for (broken, code) in [
            ("Bearer token".to_owned(), Code::IncompleteSignature),
            (
                WHOLE.replace("Signature=01", "Signature=x1"),
                Code::IncompleteSignature,
            ),
            (WHOLE.replace("20261123/", ""), Code::IncompleteSignature),
            (WHOLE.replace("host;", ""), Code::InvalidSignature),
            (WHOLE.replace("/ses/", "/s3/"), Code::InvalidSignature),
        ] {
            assert_eq!(check(&signed(&broken)).unwrap_err().code, code, "{broken}");
        }
    }
}
