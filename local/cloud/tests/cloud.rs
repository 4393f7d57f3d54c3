//! The whole cloud: it starts, its variables point at itself, and nothing keeps running however it ends.
#![expect(
    clippy::unwrap_used,
    reason = "test code outside of test functions, too"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use local::cloud::{Cloud, Error, Settings, env_file};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// A template with one function. Its binary exists and is never called: the parts are under test, not the functions.
const TEMPLATE: &str = "
Resources:
  Health:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/api/health
      Handler: bootstrap
      Runtime: provided.al2023
      Events:
        Get:
          Type: HttpApi
          Properties:
            Path: /api/health/redis
            Method: GET
";

/// Returns a folder for a cloud's data, with the template and the binary beside them.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("template.yaml"), TEMPLATE).unwrap();
    let binary = folder.path().join("health");
    std::fs::write(&binary, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&binary, PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

fn settings(data: &Path) -> Settings {
    Settings {
        bin_dir: data.to_owned(),
        template: data.join("template.yaml"),
        ..Settings::throwaway(data)
    }
}

fn up(data: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command
        .arg("up")
        .arg("--data")
        .arg(data)
        .arg("--bin-dir")
        .arg(data);
    command.arg("--template").arg(data.join("template.yaml"));
    for flag in [
        "--functions-port",
        "--redis-rest-port",
        "--qstash-port",
        "--mailbox-port",
        "--objects-port",
    ] {
        if !more.contains(&flag) {
            command.args([flag, "0"]);
        }
    }
    command
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn wait_for<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "waited in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Returns the ports in the variables of `file`.
fn ports(file: &Path) -> Vec<u16> {
    let variables = std::fs::read_to_string(file).unwrap();
    let ports = variables.lines().filter_map(|line| {
        let (_, rest) = line.split_once("127.0.0.1:")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    ports.collect()
}

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Starts a cloud and waits for its addresses. Returns it with every port that it listens on.
fn start(data: &Path) -> (Child, Vec<u16>) {
    let mut child = up(data, &[]).spawn().unwrap();
    let mut guide = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    while !guide.contains("Logs") {
        let mut bytes = [0; 512];
        let read = stdout.read(&mut bytes).unwrap();
        assert!(read > 0, "it ended after {guide:?}");
        guide.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    let (_, redis) = guide.split_once("redis-cli -p ").unwrap();
    let mut ports = ports(&env_file(data));
    ports.push(redis.lines().next().unwrap().parse().unwrap());
    assert!(ports.iter().all(|port| listens(*port)), "{ports:?}");
    assert!(ports.len() >= 8, "{ports:?}");
    (child, ports)
}

#[tokio::test]
async fn environment_names_the_running_parts() {
    let data = folder();
    let cloud = Cloud::start(settings(data.path())).await.unwrap();
    let variables = cloud.environment();
    assert_eq!(variables["UPSTASH_REDIS_REST_URL"], cloud.redis().url());
    assert_eq!(variables["QSTASH_URL"], cloud.qstash().url());
    assert_eq!(variables["AWS_ENDPOINT_URL_SESV2"], cloud.mail().ses_url());
    assert_eq!(variables["AWS_ENDPOINT_URL_SNS"], cloud.mail().sns_url());
    assert_eq!(variables["RESEND_URL"], cloud.mail().resend_url());
    assert_eq!(variables["EMAIL_PROVIDER"], "ses");
    assert_eq!(variables["MAILBOX_URL"], cloud.mail().mailbox_url());
    assert_eq!(variables["FUNCTIONS_URL"], cloud.gateway().url());
    let (client, connection) = tokio_postgres::connect(cloud.database_url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
        .query("select * from signtusk.email_ledger", &[])
        .await
        .unwrap();
    cloud.stop().await;
}

/// Receives one POST in place of the functions and returns its first line.
fn first_post(functions: &TcpListener) -> String {
    let (mut stream, _) = functions.accept().unwrap();
    let mut request = String::new();
    while !request.contains("SubscribeURL") {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0, "it ended after {request:?}");
        request.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    request.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn providers_send_events_to_the_functions_only_if_configured() {
    let data = folder();
    let functions = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", functions.local_addr().unwrap());
    let with_events = Settings {
        mail_events: true,
        email_provider: local_mail::Provider::Resend,
        overrides: BTreeMap::from([("FUNCTIONS_URL".to_owned(), url)]),
        ..settings(data.path())
    };
    let silent = Settings {
        mail_events: false,
        ..with_events.clone()
    };
    let cloud = Cloud::start(silent).await.unwrap();
    cloud.stop().await;
    functions.set_nonblocking(true).unwrap();
    assert!(functions.accept().is_err(), "no event was expected");
    functions.set_nonblocking(false).unwrap();
    let cloud = Cloud::start(with_events).await.unwrap();
    assert_eq!(cloud.environment()["EMAIL_PROVIDER"], "resend");
    let line = tokio::task::spawn_blocking(move || first_post(&functions));
    assert_eq!(line.await.unwrap(), "POST /api/mail-events HTTP/1.1");
    cloud.stop().await;
}

#[tokio::test]
async fn env_file_is_private_and_readable_by_a_shell() {
    let data = folder();
    let cloud = Cloud::start(settings(data.path())).await.unwrap();
    let file = env_file(data.path());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for (name, value) in cloud.environment() {
        let script = format!(". \"$1\"; printf %s \"${name}\"");
        let output = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(&String::from_utf8(output.stdout).unwrap(), value, "{name}");
    }
    cloud.stop().await;
}

#[tokio::test]
async fn secrets_are_generated_once() {
    let data = folder();
    let first = Cloud::start(settings(data.path())).await.unwrap();
    let token = first.environment()["API_TOKEN"].clone();
    assert_eq!(token.len(), 64);
    first.stop().await;
    let second = Cloud::start(settings(data.path())).await.unwrap();
    assert_eq!(second.environment()["API_TOKEN"], token);
    let third = Cloud::start(settings(data.path())).await;
    assert!(matches!(third, Err(Error::InUse(_))));
    second.stop().await;
}

#[test]
fn stopped_cloud_leaves_nothing_running() {
    let data = folder();
    let (mut child, ports) = start(data.path());
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
    for port in ports {
        assert!(!listens(port), "port {port} is still listened on");
    }
}

#[test]
fn killed_cloud_leaves_nothing_running() {
    let data = folder();
    let (mut child, ports) = start(data.path());
    child.kill().unwrap();
    child.wait().unwrap();
    for port in ports {
        wait_for(|| (!listens(port)).then_some(()));
    }
}

#[test]
fn killed_cloud_restarts_at_once() {
    let data = folder();
    let (mut child, _) = start(data.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, _) = start(data.path());
    kill(
        Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    assert!(child.wait().unwrap().success());
}

fn failed(output: Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn occupied_port_is_named_with_the_option_to_change() {
    let data = folder();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let message = failed(up(data.path(), &["--qstash-port", &port]).output().unwrap());
    assert!(
        message.contains(&port) && message.contains("--qstash-port"),
        "{message}"
    );
}

#[test]
fn env_command_prints_the_file_or_how_to_create_it() {
    let data = folder();
    let env = || {
        Command::new(env!("CARGO_BIN_EXE_local"))
            .arg("env")
            .arg("--data")
            .arg(data.path())
            .output()
            .unwrap()
    };
    assert!(failed(env()).contains("local up"));
    std::fs::write(env_file(data.path()), "A='b'\n").unwrap();
    assert_eq!(env().stdout, b"A='b'\n");
}
