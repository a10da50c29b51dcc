//! Posts to a server on this machine.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use futures_util::{StreamExt, stream};
use operator_http::{OperatorHttp, OperatorHttpError, Post, Reply};
use secrecy::SecretString;
use standardwebhooks::Webhook;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const BODY: &str = r#"{"event":"call.ended"}"#;

#[tokio::test]
async fn a_reference_library_verifies_a_post() {
    for (secret, library) in [
        ("a secret of the shop", Webhook::from_bytes(b"a secret of the shop".to_vec())),
        ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", Webhook::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")),
    ] {
        let mut server = Server::start().await;

        let reply = server.post("/ok", Wish { secret, webhook_id: Some("c0ffee:call.ended"), ..WISH }).await;

        assert_eq!(reply.unwrap().status, 200);
        let (headers, body) = server.received();
        library.unwrap().verify(&body, &headers).unwrap();
        assert_eq!(headers["webhook-id"], "c0ffee:call.ended");
        assert_eq!(headers["webhook-timestamp"], headers["x-ahoy-time"]);
        assert_eq!(headers["content-type"], "application/json");
        assert!(headers.contains_key("x-ahoy-signature") && headers.contains_key("x-ahoy-signature-v2"));
    }
}

#[tokio::test]
async fn a_post_without_an_id_has_our_signatures_only() {
    let mut server = Server::start().await;

    server.post("/ok", WISH).await.unwrap();

    let (headers, _) = server.received();
    assert!(headers.contains_key("x-ahoy-signature-v2"));
    assert!(!headers.keys().any(|name| name.as_str().starts_with("webhook-")));
}

#[tokio::test]
async fn a_reply_of_any_status_is_returned() {
    let mut server = Server::start().await;

    let moved = server.post("/moved", WISH).await.unwrap();
    let busy = server.post("/busy", WISH).await.unwrap();

    assert_eq!((moved.status, busy.status), (307, 429));
    assert_eq!(busy.retry_after, Some(Duration::from_secs(7)));
    assert_eq!((busy.body.as_slice(), busy.is_cut), (&b"wait"[..], false));
    assert!(server.received.try_recv().is_err());
}

#[tokio::test]
async fn no_more_of_a_body_is_read_than_asked_for() {
    let server = Server::start().await;

    let cut = server.post("/endless", Wish { largest_reply: 1000, ..WISH }).await.unwrap();
    let unread = server.post("/slow-body", Wish { largest_reply: 0, ..WISH }).await.unwrap();

    assert_eq!((cut.body.len(), cut.is_cut), (1000, true));
    assert_eq!((unread.status, unread.body.len()), (200, 0));
}

#[tokio::test]
async fn a_reply_that_never_ends_times_out() {
    let server = Server::start().await;
    let timeout = Duration::from_millis(200);

    let late = server.post("/slow-body", Wish { timeout, ..WISH }).await;

    assert_eq!(late, Err(OperatorHttpError::Timeout(timeout)));
}

#[tokio::test]
async fn a_host_that_is_not_allowed_gets_no_post() {
    let mut server = Server::start().await;

    let refused = server.post("/ok", Wish { allowed: "shop.example", ..WISH }).await;

    assert_eq!(refused, Err(OperatorHttpError::Host));
    assert!(server.received.try_recv().is_err());
}

#[tokio::test]
async fn neither_an_error_nor_debug_shows_where_a_post_goes() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/secret-path").parse().unwrap();
    let (allowed, key) = (["127.0.0.1".to_owned()], SecretString::from("secret-key"));
    let post = Post {
        url: &url,
        allowed_hosts: &allowed,
        headers: HeaderMap::new(),
        body: b"secret-body".to_vec(),
        key: &key,
        webhook_id: None,
        timeout: Duration::from_secs(5),
        largest_reply: 0,
    };
    let (http, shown) = (OperatorHttp::new().unwrap(), format!("{post:?}"));

    let error = http.post(post).await.unwrap_err();

    assert_eq!(error, OperatorHttpError::Connection);
    assert!(!format!("{shown} {error} {error:?} {http:?}").contains("secret"), "{shown} {error}");
}

#[tokio::test]
async fn a_client_without_reuse_connects_for_each_post() {
    let server = Server { http: OperatorHttp::without_reuse().unwrap(), ..Server::start().await };

    let first = server.post("/port", WISH).await.unwrap();
    let second = server.post("/port", WISH).await.unwrap();

    assert_ne!(first.body, second.body);
}

/// How a test posts.
#[derive(Clone, Copy)]
struct Wish {
    secret: &'static str,
    allowed: &'static str,
    webhook_id: Option<&'static str>,
    timeout: Duration,
    largest_reply: usize,
}

const WISH: Wish = Wish {
    secret: "a secret of the shop",
    allowed: "127.0.0.1",
    webhook_id: None,
    timeout: Duration::from_secs(10),
    largest_reply: 8 * 1024,
};

struct Server {
    address: SocketAddr,
    received: UnboundedReceiver<(HeaderMap, Bytes)>,
    http: OperatorHttp,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (record, received) = unbounded_channel();
        let routes = routes(record).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, received, http: OperatorHttp::new().unwrap() }
    }

    async fn post(&self, path: &str, wish: Wish) -> Result<Reply, OperatorHttpError> {
        let post = Post {
            url: &format!("http://{}{path}", self.address).parse().unwrap(),
            allowed_hosts: &[wish.allowed.to_owned()],
            headers: HeaderMap::new(),
            body: BODY.into(),
            key: &wish.secret.into(),
            webhook_id: wish.webhook_id,
            timeout: wish.timeout,
            largest_reply: wish.largest_reply,
        };
        self.http.post(post).await
    }

    /// Returns the next request that was received at `/ok`.
    fn received(&mut self) -> (HeaderMap, Bytes) {
        self.received.try_recv().expect("the server received a request")
    }
}

fn routes(record: UnboundedSender<(HeaderMap, Bytes)>) -> Router {
    let ok = |State(record): State<UnboundedSender<_>>, headers: HeaderMap, body: Bytes| async move {
        record.send((headers, body)).ok();
    };
    let slow_body = || async {
        let first = stream::iter([Ok::<_, std::io::Error>("{")]);
        Body::from_stream(first.chain(stream::pending()))
    };
    let endless = || async { Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>("more "))) };
    let port = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.port().to_string() };
    let busy = (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")], "wait");
    let moved = (StatusCode::TEMPORARY_REDIRECT, [("location", "/ok")]);
    Router::new()
        .route("/ok", post(ok))
        .route("/moved", post(move || async move { moved.into_response() }))
        .route("/busy", post(move || async move { busy.into_response() }))
        .route("/slow-body", post(slow_body))
        .route("/endless", post(endless))
        .route("/port", post(port))
        .with_state(record)
}
