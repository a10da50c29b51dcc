//! Tests the WebSocket connection against a server on loopback.

use super::*;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

#[tokio::test]
#[allow(clippy::result_large_err, reason = "the signature is tungstenite's")]
async fn the_key_and_the_safety_identifier_are_sent_in_headers() {
    let (mut endpoint, listener) = endpoint().await;
    endpoint.auth = Auth::ApiKey;
    endpoint.safety_identifier = Some("f00d".into());
    endpoint.headers = vec![("x-tenant".into(), "7".to_owned().into())];
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client connects");
        let mut seen = None;
        let look = |request: &Request, response: Response| {
            seen = Some((request.uri().to_string(), request.headers().clone()));
            Ok(response)
        };
        tokio_tungstenite::accept_hdr_async(stream, look).await.expect("it is a WebSocket");
        seen.expect("it was looked at")
    });

    let _connection = Connection::open(&endpoint).await.expect("it is there");

    let (uri, headers) = server.await.expect("it does not panic");
    assert_eq!(uri, "/v1/realtime?model=gpt-realtime-2.1");
    let sent =
        ["api-key", "openai-safety-identifier", "x-tenant"].map(|name| headers[name].to_str().unwrap());
    assert_eq!(sent, ["secret", "f00d", "7"]);
    assert!(!headers.contains_key("authorization") && !headers.contains_key("openai-beta"));
}

#[tokio::test]
async fn a_connection_without_pongs_is_lost() {
    for answers in [true, false] {
        let (endpoint, listener) = endpoint().await;
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a client connects");
            let mut socket = tokio_tungstenite::accept_async(stream).await.expect("it is a WebSocket");
            if answers {
                // Reading from the socket answers a ping.
                let ping = socket.next().await.expect("it pings").expect("it is whole");
                assert!(ping.is_ping());
                socket.send(Message::text("{\"type\":\"session.created\"}")).await.expect("it listens");
            }
            socket
        });
        let mut connection = Connection::open(&endpoint).await.expect("it is there");
        (connection.ping, connection.due) = (Duration::from_millis(50), Instant::now());

        let next = connection.next().await;

        assert_eq!(matches!(next, Ok(ServerEvent::SessionCreated { .. })), answers, "{next:?}");
        assert_eq!(matches!(next, Err(ConnectionError::Silent)), !answers, "{next:?}");
        drop(server.await);
    }
}

#[tokio::test]
async fn a_close_is_reported_with_its_code() {
    let (endpoint, listener) = endpoint().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client connects");
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("it is a WebSocket");
        let frame = CloseFrame { code: 4000.into(), reason: "invalid_request_error.missing_model".into() };
        socket.close(Some(frame)).await.expect("it listens");
    });
    let mut connection = Connection::open(&endpoint).await.expect("it is there");

    let down = ConnectionLoss::from(connection.next().await.expect_err("it is closed"));

    assert_eq!(
        down,
        ConnectionLoss::Closed { code: Some(4000), reason: "invalid_request_error.missing_model".into() }
    );
}

#[tokio::test]
async fn the_first_event_or_close_shows_whether_the_key_is_refused() {
    let error = r#"{"type":"error","error":{"type":"invalid_request_error","code":"invalid_api_key"}}"#;
    let created = r#"{"type":"session.created","session":{}}"#;
    for (says, code, is_refused) in
        [(Some(error), 3000, true), (None, 3000, true), (Some(created), 1000, false), (None, 1011, false)]
    {
        let (endpoint, listener) = endpoint().await;
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a client connects");
            let mut socket = tokio_tungstenite::accept_async(stream).await.expect("it is a WebSocket");
            if let Some(says) = says {
                socket.send(Message::text(says)).await.expect("it listens");
            }
            let frame = CloseFrame { code: code.into(), reason: "".into() };
            socket.close(Some(frame)).await.expect("it listens");
        });
        let mut connection = Connection::open(&endpoint).await.expect("any key is let in");

        let first = connection.wait_for_first_event().await;

        let is_about_the_key = first.as_ref().err().is_some_and(ConnectionError::is_about_the_key);
        assert_eq!((is_about_the_key, first.is_ok()), (is_refused, says == Some(created)), "{says:?} {code}");
        if first.is_ok() {
            assert!(matches!(connection.next().await, Ok(ServerEvent::SessionCreated { .. })));
        }
    }
}

#[tokio::test]
async fn a_sideband_names_its_call_and_no_model() {
    let (endpoint, _listener) = endpoint().await;
    let sideband = Endpoint { call: Some("rtc_1".to_owned().into()), ..endpoint.clone() };

    let queries =
        [endpoint, sideband].map(|endpoint| endpoint.address().map(|url| url.query().map(str::to_owned)));

    let [session, sideband] = queries.map(|query| query.expect("it is a URL").unwrap_or_default());
    assert_eq!((session.as_str(), sideband.as_str()), ("model=gpt-realtime-2.1", "call_id=rtc_1"));
}

async fn endpoint() -> (Endpoint, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has ports");
    let port = listener.local_addr().expect("it is bound").port();
    let endpoint = Endpoint {
        url: format!("ws://127.0.0.1:{port}/v1/realtime"),
        model: MODEL.into(),
        key: "secret".to_owned().into(),
        auth: Auth::default(),
        safety_identifier: None,
        call: None,
        headers: vec![],
        trust: TrustedRoots::default(),
    };
    (endpoint, listener)
}
