//! The variables of an instance: those of its template entry and those that Lambda sets.

use std::collections::BTreeMap;

use crate::template::Function;
use crate::{Error, limit};

/// The default region.
const REGION: &str = "us-east-1";
/// Credentials that no real service accepts.
const FAKE_CREDENTIAL: &str = "local";

/// Returns all variables except the Runtime API's address, which differs by instance. A variable of the template
/// without a local value is omitted, so that the function's own default or error applies.
pub(crate) fn of(
    function: &Function,
    local: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let or = |name: &str, default: &str| {
        local
            .get(name)
            .cloned()
            .unwrap_or_else(|| default.to_owned())
    };
    let mut variables: BTreeMap<String, String> = local
        .iter()
        .filter(|(name, _)| {
            function.variables.contains(*name) || name.starts_with("AWS_ENDPOINT_URL")
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    variables.extend([
        ("AWS_LAMBDA_FUNCTION_NAME".to_owned(), function.name.clone()),
        (
            "AWS_LAMBDA_FUNCTION_VERSION".to_owned(),
            "$LATEST".to_owned(),
        ),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE".to_owned(),
            function.memory.to_string(),
        ),
        ("AWS_REGION".to_owned(), or("AWS_REGION", REGION)),
        (
            "AWS_ACCESS_KEY_ID".to_owned(),
            or("AWS_ACCESS_KEY_ID", FAKE_CREDENTIAL),
        ),
        (
            "AWS_SECRET_ACCESS_KEY".to_owned(),
            or("AWS_SECRET_ACCESS_KEY", FAKE_CREDENTIAL),
        ),
        // A function's role always has temporary credentials.
        (
            "AWS_SESSION_TOKEN".to_owned(),
            or("AWS_SESSION_TOKEN", FAKE_CREDENTIAL),
        ),
    ]);
    variables
}

/// Errors if the template's variables are larger than Lambda allows. Variables that Lambda sets do not count.
pub(crate) fn check(function: &Function, local: &BTreeMap<String, String>) -> Result<(), Error> {
    let variables = function.variables.iter().map(|name| {
        let value = local.get(name).map_or("", String::as_str);
        (name.clone(), serde_json::Value::from(value))
    });
    let bytes = serde_json::Value::Object(variables.collect())
        .to_string()
        .len();
    if bytes <= limit::ENVIRONMENT {
        return Ok(());
    }
    Err(Error::Environment {
        function: function.name.clone(),
        bytes,
        limit: limit::ENVIRONMENT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    #[test]
    fn function_sees_only_the_variables_of_its_entry() {
        let template = Template::parse(
            r"
Globals: { Function: { Environment: { Variables: { LOG_LEVEL: !Ref Level } } } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: a/f
      Environment: { Variables: { NAMED: !Sub 'x', ABSENT: !GetAtt a.b } }
",
            &BTreeMap::new(),
        )
        .unwrap();
        let local = [
            "LOG_LEVEL",
            "NAMED",
            "OTHER",
            "AWS_PROFILE",
            "AWS_ENDPOINT_URL_SESV2",
        ];
        let local = local
            .iter()
            .map(|name| ((*name).to_owned(), "v".to_owned()))
            .collect();
        let names: Vec<String> = of(&template.functions[0], &local).into_keys().collect();
        assert_eq!(
            names,
            [
                "AWS_ACCESS_KEY_ID",
                "AWS_ENDPOINT_URL_SESV2",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                "AWS_LAMBDA_FUNCTION_NAME",
                "AWS_LAMBDA_FUNCTION_VERSION",
                "AWS_REGION",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "LOG_LEVEL",
                "NAMED"
            ]
        );
    }
}
