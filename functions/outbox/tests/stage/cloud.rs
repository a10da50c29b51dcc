//! The AWS that the outbox uses: an in-memory DynamoDB, and its secret.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(super) const TABLE: &str = "ahoy";

/// Starts AWS on loopback, for the lifetime of the test's runtime.
pub(super) async fn start() -> SdkConfig {
    let engine = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let engine_url = format!("http://{}/", engine.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    database.create_table(serde_json::from_value(table()).unwrap()).unwrap();
    tokio::spawn(dynoxide::server::serve_on(engine, database));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state((engine_url, reqwest::Client::new()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let key = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(key))
        .retry_config(RetryConfig::disabled())
        .build()
}

fn table() -> Value {
    let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
    let text = |name| json!({"AttributeName": name, "AttributeType": "S"});
    json!({"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [text("pk"), text("sk"), text("gsi1pk"), text("gsi1sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{"IndexName": "gsi1", "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [key("gsi1pk", "HASH"), key("gsi1sk", "RANGE")]}]})
}

async fn answer(
    State((engine, http)): State<(String, reqwest::Client)>,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if target.ends_with("GetSecretValue") {
        let secret = json!({"openai_api_key": "sk-key", "tool_secrets": {"shop": "a secret of the shop"}});
        return json!({"Name": "media", "SecretString": secret.to_string()}).to_string().into_response();
    }
    headers.remove("host");
    let reply = http.post(&engine).headers(headers).body(body).send().await.unwrap();
    let status = StatusCode::from_u16(reply.status().as_u16()).unwrap();
    (status, reply.bytes().await.unwrap()).into_response()
}
