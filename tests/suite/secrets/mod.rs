//! `SECRETS_ARN`: a secret supplies the variables that a function's environment lacks, through the real binaries.

mod manager;

use std::collections::BTreeMap;
use std::process::Stdio;

use local_gateway::Gateway;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use self::manager::{ARN, Conduct, KEY, Manager};
use crate::support::event::{event, with_header};
use crate::support::store::Store;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The variables of `queue-jobs` besides its Redis.
const COMPLETE: [(&str, &str); 4] = [
    ("UPSTASH_REDIS_REST_TOKEN", "standard-token"),
    ("API_TOKEN", "the-service-token-of-this-very-test"),
    ("QSTASH_TOKEN", "hush-qstash"),
    ("FUNCTIONS_URL", "http://localhost:3000"),
];

fn secret(entries: &[(&str, &str)]) -> String {
    let entries: BTreeMap<&str, &str> = entries.iter().copied().collect();
    json!(entries).to_string()
}

/// `queue-jobs` behind a gateway, with only these variables.
struct Function {
    gateway: Gateway,
    store: Store,
    _folder: TempDir,
}

impl Function {
    async fn start(variables: &[(&str, &str)], endpoint: &str) -> Self {
        let store = Store::start().await;
        let folder = tempfile::tempdir().unwrap();
        let url = store.front.url();
        let mut environment: BTreeMap<String, String> = variables
            .iter()
            .chain(&[("UPSTASH_REDIS_REST_URL", url.as_str())])
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let names: Vec<String> = environment
            .keys()
            .map(|name| format!("{name}: x"))
            .collect();
        let template = folder.path().join("template.yaml");
        let text = format!(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
             CodeUri: functions/api/queue-jobs\n      Timeout: 29\n      \
             Environment: {{ Variables: {{ {} }} }}\n",
            names.join(", ")
        );
        std::fs::write(&template, text).unwrap();
        environment.insert(
            "AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(),
            endpoint.to_owned(),
        );
        let gateway = local_gateway::start(local_gateway::Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            template,
            bin_dir: format!("{ROOT}/target/debug").into(),
            environment,
            parameters: std::collections::BTreeMap::new(),
            max_instances: 1,
            log: None,
        })
        .await
        .unwrap();
        Self {
            gateway,
            store,
            _folder: folder,
        }
    }

    /// Returns the status of a request for the queue's statistics, which are read from Redis.
    async fn status_with(&self, token: &str) -> Value {
        let asked = with_header(
            event("GET", "/api/queue/stats"),
            "authorization",
            &format!("Bearer {token}"),
        );
        let answer = self.gateway.invoke("queue-jobs", asked).await.unwrap();
        answer["statusCode"].clone()
    }

    async fn stop(self) {
        self.gateway.stop().await;
        drop(self.store);
    }
}

/// Returns the output of `queue-jobs` on standard error until it ends, with these variables.
async fn stderr_of(variables: &[(&str, &str)]) -> String {
    let function = Command::new(format!("{ROOT}/target/debug/queue-jobs"))
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(crate::support::cloud::TIMEOUT, function)
        .await
        .expect("it must end by itself")
        .unwrap();
    assert!(!ended.status.success());
    String::from_utf8(ended.stderr).unwrap()
}

/// Returns its output if it is to read the manager's secret.
async fn stderr_with_manager(manager: &Manager, credentials: [&str; 3]) -> String {
    let [id, key, token] = credentials;
    stderr_of(&[
        ("SECRETS_ARN", ARN),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &manager.url),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", key),
        ("AWS_SESSION_TOKEN", token),
    ])
    .await
}

#[tokio::test]
async fn missing_variables_are_read_from_the_secret_once() {
    let manager = Manager::start(Conduct::Holds(secret(&COMPLETE))).await;
    let function = Function::start(&[("SECRETS_ARN", ARN), ("API_TOKEN", "")], &manager.url).await;
    assert_eq!(function.status_with(COMPLETE[1].1).await, 200);
    assert_eq!(function.status_with(COMPLETE[1].1).await, 200);
    assert_eq!(manager.calls(), 1, "it is read once");
    function.stop().await;
}

#[tokio::test]
async fn variable_set_in_the_environment_is_kept() {
    let mut entries = COMPLETE;
    entries[1].1 = "the-service-token-of-the-secret-only";
    let manager = Manager::start(Conduct::Holds(secret(&entries))).await;
    let variables = [("SECRETS_ARN", ARN), COMPLETE[1]];
    let function = Function::start(&variables, &manager.url).await;
    assert_eq!(function.status_with(COMPLETE[1].1).await, 200);
    assert_eq!(function.status_with(entries[1].1).await, 401);
    function.stop().await;
}

#[tokio::test]
async fn secrets_manager_is_not_called_without_a_secret_arn() {
    let manager = Manager::start(Conduct::Holds(secret(&COMPLETE))).await;
    let function = Function::start(&COMPLETE, &manager.url).await;
    assert_eq!(function.status_with(COMPLETE[1].1).await, 200);
    assert_eq!(manager.calls(), 0);
    function.stop().await;
}

#[tokio::test]
async fn temporary_credentials_are_signed_with_their_session_token() {
    let manager = Manager::start(Conduct::Holds("{}".into())).await;
    let message = stderr_with_manager(&manager, [KEY, KEY, "session//token=="]).await;
    // The secret was read and is empty: the function stops at the variable that is still missing.
    assert!(
        message.contains("UPSTASH_REDIS_REST_URL is not set"),
        "{message}"
    );
    assert_eq!(manager.calls(), 1);
}

#[tokio::test]
async fn function_with_an_unreadable_secret_stops_with_one_line_naming_the_cause() {
    let refused = |status, body: &str| Conduct::Answers(status, body.to_owned());
    let missing = r#"{"__type":"ResourceNotFoundException","Message":"hush"}"#;
    for (conduct, why) in [
        (
            refused(400, missing),
            "answered 400 ResourceNotFoundException",
        ),
        (refused(503, "<hush>"), "answered 503 without a reason"),
        (refused(200, "<hush>"), "the answer is not JSON"),
        (
            refused(200, "{\"SecretBinary\":\"aHVzaA==\"}"),
            "it holds no text",
        ),
        (Conduct::Holds("hush".into()), "it is not a JSON object"),
        (
            Conduct::Holds("{\"A\":\"hush\"".into()),
            "it is not a JSON object",
        ),
        (
            Conduct::Holds("[\"hush\"]".into()),
            "it is not a JSON object",
        ),
        (
            Conduct::Holds("{\"A\":\"1\",\"API_TOKEN\":[\"hush\"]}".into()),
            "its member API_TOKEN is not a string",
        ),
        (
            Conduct::Holds("hush".repeat(200_000)),
            "the answer is too large",
        ),
        (Conduct::IsSilent, "did not answer within 3 s"),
    ] {
        let manager = Manager::start(conduct).await;
        let message = stderr_with_manager(&manager, [KEY, KEY, ""]).await;
        assert!(message.contains(why), "{why}: {message}");
        assert!(message.contains("SECRETS_ARN"), "{message}");
        assert!(!message.contains("hush"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[tokio::test]
async fn secret_request_signed_with_another_key_is_refused() {
    let manager = Manager::start(Conduct::Holds("{}".into())).await;
    let message = stderr_with_manager(&manager, [KEY, "another", ""]).await;
    assert!(
        message.contains("400 InvalidSignatureException"),
        "{message}"
    );
}

#[tokio::test]
async fn malformed_arn_and_missing_credentials_are_reported_by_variable_name() {
    let message = stderr_of(&[("SECRETS_ARN", "hush")]).await;
    assert!(message.contains("SECRETS_ARN is not valid"), "{message}");
    assert!(!message.contains("hush"), "{message}");
    let message = stderr_of(&[("SECRETS_ARN", ARN)]).await;
    assert!(
        message.contains("AWS_ACCESS_KEY_ID is not set"),
        "{message}"
    );
    let gone = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let [id, key] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name, KEY));
    let message = stderr_of(&[("SECRETS_ARN", ARN), gone, id, key]).await;
    assert!(message.contains("cannot be reached"), "{message}");
    let path = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1/path");
    let message = stderr_of(&[("SECRETS_ARN", ARN), path, id, key]).await;
    assert!(
        message.contains("AWS_ENDPOINT_URL is not valid"),
        "{message}"
    );
}
