//! The real Redis and PostgreSQL, as the cloud runs them.
#![expect(
    clippy::unwrap_used,
    reason = "test code outside of test functions, too"
)]

use std::path::Path;

use local::postgres::{Cluster, Error, Passwords, Settings, migrate, run_script};
use local::redis_server::{self, RedisServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::{Client, NoTls};

async fn cluster(folder: &Path, durable: bool) -> Cluster {
    let settings = Settings {
        folder: folder.join("postgres"),
        port: 0,
        durable,
        log: folder.join("postgres.log"),
        passwords: Passwords::new("admin1", "owner1", "functions1"),
    };
    Cluster::start(settings).await.unwrap()
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn count(url: &str, table: &str) -> i64 {
    let sql = format!("select count(*) from {table}");
    client(url).await.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn cluster_migrates_once_and_accepts_its_sample_data_twice() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = cluster(folder.path(), false).await;
    let database = cluster.permanent_database("signtusk").await.unwrap();
    assert_eq!(migrate(&database.owner_url).await.unwrap(), [""; 0]);
    let forget = "delete from public.schema_migrations";
    run_script(&database.owner_url, forget).await.unwrap();
    assert!(!migrate(&database.owner_url).await.unwrap().is_empty());
    for _ in 0..2 {
        run_script(&database.owner_url, include_str!("../seed.sql"))
            .await
            .unwrap();
    }
    assert_eq!(
        count(&database.owner_url, "public.signing_request_signers").await,
        3
    );
    cluster.stop().await;
    assert!(!folder.path().join("postgres").exists());
}

#[tokio::test]
async fn functions_role_owns_nothing_and_visitors_cannot_access_our_tables() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = cluster(folder.path(), false).await;
    let database = cluster.database("one").await.unwrap();
    let functions = client(&database.functions_url).await;
    functions
        .query("select * from signtusk.email_ledger", &[])
        .await
        .unwrap();
    assert!(
        functions
            .batch_execute("drop table signtusk.email_ledger")
            .await
            .is_err()
    );
    assert!(
        functions
            .batch_execute("create table public.mine (id int)")
            .await
            .is_err()
    );
    let owner = client(&database.owner_url).await;
    for visitor in ["anon", "authenticated"] {
        owner
            .batch_execute(&format!("set role {visitor}"))
            .await
            .unwrap();
        assert!(
            owner
                .query("select * from signtusk.email_ledger", &[])
                .await
                .is_err()
        );
        owner.batch_execute("reset role").await.unwrap();
    }
    cluster.stop().await;
}

#[tokio::test]
async fn fresh_database_has_the_tables_and_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = cluster(folder.path(), false).await;
    let first = cluster.database("one").await.unwrap();
    run_script(&first.owner_url, include_str!("../seed.sql"))
        .await
        .unwrap();
    let second = cluster.database("two").await.unwrap();
    assert_eq!(count(&first.owner_url, "public.documents").await, 1);
    assert_eq!(count(&second.owner_url, "public.documents").await, 0);
    // The database is created again although a client is still connected.
    let again = cluster.database("one").await.unwrap();
    assert_eq!(count(&again.owner_url, "public.documents").await, 0);
    assert!(matches!(
        cluster.database("one; drop").await,
        Err(Error::Name(_))
    ));
    cluster.stop().await;
}

#[tokio::test]
async fn durable_cluster_keeps_its_rows_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = cluster(folder.path(), true).await;
    let database = first.permanent_database("signtusk").await.unwrap();
    run_script(&database.owner_url, include_str!("../seed.sql"))
        .await
        .unwrap();
    first.stop().await;
    let second = cluster(folder.path(), true).await;
    let database = second.permanent_database("signtusk").await.unwrap();
    assert_eq!(count(&database.owner_url, "public.documents").await, 1);
    second.stop().await;
}

async fn redis(folder: &Path, durable: bool) -> RedisServer {
    let settings = redis_server::Settings {
        port: 0,
        folder: folder.join("redis"),
        durable,
        log: folder.join("redis.log"),
    };
    RedisServer::start(settings).await.unwrap()
}

async fn ask(server: &RedisServer, command: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream
        .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn durable_redis_keeps_its_keys_and_another_does_not() {
    for (durable, kept) in [(true, "$1\r\nv\r\n"), (false, "$-1\r\n")] {
        let folder = tempfile::tempdir().unwrap();
        let first = redis(folder.path(), durable).await;
        assert_eq!(ask(&first, "SET k v").await, "+OK\r\n+OK\r\n");
        first.stop().await;
        let second = redis(folder.path(), durable).await;
        assert_eq!(ask(&second, "GET k").await, format!("{kept}+OK\r\n"));
        second.stop().await;
    }
}
