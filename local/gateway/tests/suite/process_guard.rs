//! Instances end with the gateway, even if it is killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::client::get;
use crate::harness::{binaries, example, is_alive, template, until};

#[tokio::test]
async fn instances_do_not_outlive_a_killed_gateway() {
    let folder = binaries();
    let mut gateway = Command::new(example("standalone"))
        .arg(template())
        .arg(folder.path())
        .arg("127.0.0.1:0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(gateway.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let url = url.trim().to_owned();
    let idle: u32 = get(&url, "/echo?do=pid").await.text().parse().unwrap();
    // Busy for longer than this test takes: its runtime would only notice afterwards.
    let busy: u32 = get(&url, "/patient?do=pid").await.text().parse().unwrap();
    let call = tokio::spawn(async move { get(&url, "/patient?do=sleep&ms=60000").await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(is_alive(idle) && is_alive(busy));
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    until("both are dead", || !is_alive(idle) && !is_alive(busy)).await;
    call.abort();
}
