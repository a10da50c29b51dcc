//! Requests to a server on this machine that gives each connection the same reply.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use api_client::{ApiClient, NoReply, Reply, send};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_reply_of_any_status_is_returned() {
    let reply = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nwait";

    let received = ask(reply).await.unwrap();

    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(received, Reply { status: 429, retry_after, body: b"wait".to_vec() });
    assert!(!received.is_success());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let moved = format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");

    assert_eq!(ask(&moved).await.unwrap().status, 302);
}

#[tokio::test]
async fn a_reply_of_more_than_a_mebibyte_is_refused() {
    let of = |size: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{}", "x".repeat(size));

    assert_eq!(ask(&of(1024 * 1024)).await.unwrap().body.len(), 1024 * 1024);
    let reason = "the reply is larger than 1 MiB".to_owned();
    assert_eq!(ask(&of(1024 * 1024 + 1)).await, Err(NoReply::Unanswered { reason }));
}

#[tokio::test]
async fn an_error_does_not_name_the_url() {
    let Err(NoReply::Unanswered { reason: cut }) =
        ask("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await
    else {
        panic!("half a reply is none");
    };
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let Err(NoReply::Unreached { reason: refused }) = get(&format!("http://{closed}")).await else {
        panic!("nothing listens there");
    };

    assert!(!format!("{cut} {refused}").contains("secret-id"), "{cut}; {refused}");
}

async fn ask(reply: &str) -> Result<Reply, NoReply> {
    get(&server(reply).await).await
}

async fn get(url: &str) -> Result<Reply, NoReply> {
    let client = ApiClient::new(url, Duration::from_secs(5)).unwrap();
    send(client.http().get(client.url("calls/secret-id")), &"key".into()).await
}

/// Starts a server, and returns its URL.
async fn server(reply: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, reply) = (listener.local_addr().unwrap(), reply.to_owned());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![];
            while !request.ends_with(b"\r\n\r\n")
                && stream.read_buf(&mut request).await.is_ok_and(|read| read > 0)
            {}
            // A client that has read enough closes the connection.
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    format!("http://{address}")
}
