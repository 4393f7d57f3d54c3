//! A test function whose behaviour each request selects. The query has `do=`: `echo` (the default), `sleep` (`ms=`),
//! `panic`, `fail`, `exit`, `big` (`bytes=`), `print` (`text=`), `env`, `pid`.

use std::collections::BTreeMap;
use std::time::Duration;

use lambda_http::http::StatusCode;
use lambda_http::{Error, IntoResponse, Request, RequestExt, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if variable("REFUSE_TO_START").is_some() {
        return Err("REFUSE_TO_START is set".into());
    }
    run(service_fn(handle)).await
}

#[expect(
    clippy::panic,
    reason = "a panic is one of the things that can be asked for"
)]
async fn handle(request: Request) -> Result<impl IntoResponse, Error> {
    let query = request.query_string_parameters();
    let number = |name: &str| {
        query
            .first(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0_usize)
    };
    let body = match query.first("do").unwrap_or("echo") {
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(number("ms").try_into()?)).await;
            "slept".to_owned()
        }
        "panic" => panic!("asked for"),
        "fail" => return Err("asked for".into()),
        "exit" => std::process::exit(3),
        "big" => "x".repeat(number("bytes")),
        "print" => {
            println!("{}", query.first("text").unwrap_or_default());
            "printed".to_owned()
        }
        "env" => serde_json::to_string(&variables())?,
        "pid" => std::process::id().to_string(),
        _ => echo(&request)?,
    };
    Ok(Response::builder()
        .status(StatusCode::OK)
        .header("content-type", "application/json")
        .body(body)?)
}

fn echo(request: &Request) -> Result<String, Error> {
    let headers: BTreeMap<_, _> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    Ok(serde_json::to_string(&serde_json::json!({
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "path": request.raw_http_path(),
        "parameters": request.path_parameters().iter().collect::<BTreeMap<_, _>>(),
        "headers": headers,
        "body": request.body().as_ref(),
        "context": request.request_context_ref(),
    }))?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests ask what a function's environment is"
)]
fn variables() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

fn variable(name: &str) -> Option<String> {
    variables().remove(name)
}
