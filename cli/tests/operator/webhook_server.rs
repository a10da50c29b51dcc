//! Serves the real webhook over HTTP, and a webhook that accepts every request without verifying it.

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lambda_http::{Body, RequestExt};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::net::TcpListener;
use webhook::Webhook;

/// Serves the webhook and returns its URL.
pub(crate) async fn start(webhook: Webhook) -> String {
    serve(Router::new().fallback(answer).with_state(Arc::new(webhook))).await
}

/// Serves a webhook that answers every request with 200, and returns its URL.
pub(crate) async fn start_unverified() -> String {
    serve(Router::new().fallback(|| async { StatusCode::OK })).await
}

async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// Converts a request and its reply as Lambda does.
async fn answer(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().into()).unwrap();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let query: HashMap<String, Vec<String>> =
        query.map(|(name, value)| (name.into_owned(), vec![value.into_owned()])).collect();
    let path = parts.uri.path().to_owned();
    let request = lambda_http::http::Request::from_parts(parts, Body::Text(body));
    let reply = webhook.handle(request.with_query_string_parameters(query).with_raw_http_path(&path)).await;
    let (parts, body) = reply.unwrap().into_parts();
    (parts.status, body.to_vec()).into_response()
}
