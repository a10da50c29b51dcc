//! A Lambda function that does what the test that invokes it orders.
//!
//! - `{"ask": "127.0.0.1:port"}` makes it call the test, say `<request id> <pid>`, and do as the reply says: `ok`, `fail`,
//!   `exit` or nothing at all.
//! - `{"linger": "127.0.0.1:port"}` makes it call the test and answer at once; what the test says afterwards it says
//!   back, as far as it gets to run.
//! - `{"put": ["a", "b"]}` makes it put these items into the table, one after the other.
//!
//! The event of a URL is answered by path; every other event is sent back. With `TELL` set it sends every event there.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Error> {
    if std::env::var_os("EXIT_AT_START").is_some() {
        std::process::exit(4);
    }
    run(service_fn(answer)).await
}

async fn answer(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    if let Ok(test) = std::env::var("TELL") {
        TcpStream::connect(test).await?.write_all(format!("{event}\n").as_bytes()).await?;
    }
    if let Some(test) = event["ask"].as_str() {
        return obey(test, &context.request_id).await;
    }
    if let Some(test) = event["linger"].as_str() {
        tokio::spawn(echo(TcpStream::connect(test).await?));
        return Ok(json!({ "pid": std::process::id() }));
    }
    if let Some(keys) = event["put"].as_array() {
        return put(keys).await;
    }
    match event["rawPath"].as_str() {
        Some("/binary") => Ok(json!({
            "statusCode": 201,
            "headers": {"content-type": "application/octet-stream"},
            "body": "/wA=",
            "isBase64Encoded": true,
        })),
        Some("/fail") => Err("told to fail".into()),
        Some(_) | None => Ok(event),
    }
}

async fn put(keys: &[Value]) -> Result<Value, Error> {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let client = aws_sdk_dynamodb::Client::new(&config);
    for key in keys.iter().filter_map(Value::as_str) {
        let put = client.put_item().table_name("CallsTable").item("pk", AttributeValue::S(key.into()));
        put.item("sk", AttributeValue::S("-".into())).send().await?;
    }
    Ok(json!({ "put": keys }))
}

async fn echo(test: TcpStream) -> std::io::Result<()> {
    let (heard, mut say) = test.into_split();
    let mut heard = BufReader::new(heard).lines();
    while let Some(line) = heard.next_line().await? {
        say.write_all(format!("{line}\n").as_bytes()).await?;
    }
    Ok(())
}

async fn obey(test: &str, request_id: &str) -> Result<Value, Error> {
    let pid = std::process::id();
    let mut test = BufReader::new(TcpStream::connect(test).await?);
    test.write_all(format!("{request_id} {pid}\n").as_bytes()).await?;
    let mut order = String::new();
    test.read_line(&mut order).await?;
    match order.trim() {
        "ok" => Ok(json!({ "pid": pid })),
        "exit" => std::process::exit(3),
        _ => Err(format!("told to {}", order.trim()).into()),
    }
}
