//! The simulator's replies about models, over plain HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use sim_openai::{Config, Realtime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_model_is_listed_for_the_key() {
    let config = Config {
        model: Some("gpt-realtime-2.1".to_owned()),
        shutdown_date: Some("2027-07-01".to_owned()),
        ..Config::new("sk-test")
    };
    let realtime = Realtime::start(config).await.unwrap();

    let (status, known) = ask(&realtime, "gpt-realtime-2.1", "sk-test").await;
    let (gone, refusal) = ask(&realtime, "gpt-none", "sk-test").await;
    let (closed, stranger) = ask(&realtime, "gpt-realtime-2.1", "sk-other").await;

    assert_eq!(status, 200);
    assert_eq!(known["id"], "gpt-realtime-2.1");
    assert_eq!(known["shutdown_date"], "2027-07-01");
    assert_eq!((gone, &refusal["error"]["code"]), (404, &"model_not_found".into()));
    assert_eq!((closed, &stranger["error"]["code"]), (401, &"invalid_api_key".into()));
    assert!(realtime.sessions().is_empty());
}

async fn ask(realtime: &Realtime, model: &str, key: &str) -> (u16, Value) {
    let url = realtime.url();
    let address = url.trim_start_matches("ws://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /v1/models/{model} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}
