//! The AWS that a function uses: an in-memory DynamoDB, a secret, and Lambda invocations that are only counted.

use super::APP_SECRET;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::items::Item;
use tokio::net::TcpListener;

pub(super) const TABLE: &str = "ahoy";

/// AWS on loopback, for the lifetime of the test's runtime.
#[derive(Clone)]
pub(crate) struct Cloud {
    address: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    engine: String,
    http: reqwest::Client,
    requests: Mutex<Vec<String>>,
    invoked: Mutex<Vec<String>>,
    faults: Mutex<Vec<(String, Value)>>,
    changed_keys: Mutex<Vec<(String, Value)>>,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let engine = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Inner { engine: format!("http://{}/", engine.local_addr().unwrap()), ..Inner::default() };
        let database = dynoxide::Database::memory().unwrap();
        database.create_table(serde_json::from_value(table()).unwrap()).unwrap();
        tokio::spawn(dynoxide::server::serve_on(engine, database));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cloud =
            Self { address: format!("http://{}", listener.local_addr().unwrap()), inner: Arc::new(inner) };
        let router = Router::new().fallback(answer).with_state(cloud.inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        cloud
    }

    /// Returns a configuration without retries, so that a test sees how the product handles each failure.
    pub(crate) fn sdk_config(&self) -> SdkConfig {
        let key = Credentials::new("test", "test", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.address)
            .credentials_provider(SharedCredentialsProvider::new(key))
            .retry_config(RetryConfig::disabled())
            .build()
    }

    /// Answers the next requests of this operation with these errors: `{"__type": …}`. `GetSecretValue marks` stands for the requests for
    /// that secret.
    pub(crate) fn fail(&self, operation: &str, errors: impl IntoIterator<Item = Value>) {
        let errors = errors.into_iter().map(|error| (operation.to_owned(), error));
        self.inner.faults.lock().unwrap().extend(errors);
    }

    /// Changes a key in every secret.
    pub(crate) fn change_key(&self, name: &str, value: Value) {
        self.inner.changed_keys.lock().unwrap().push((name.to_owned(), value));
    }

    /// Returns the operations requested since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.inner.requests.lock().unwrap())
    }

    /// Returns the functions invoked so far.
    pub(crate) fn invoked(&self) -> Vec<String> {
        self.inner.invoked.lock().unwrap().clone()
    }

    pub(crate) fn forget_requests(&self) {
        self.requests();
    }

    /// Returns every item of the table with the keys `pk` and `sk`, bytes as text.
    pub(crate) async fn items(&self) -> Vec<Value> {
        let client = aws_sdk_dynamodb::Client::new(&self.sdk_config());
        let pages = client.scan().table_name(TABLE).into_paginator().items().send();
        let items = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        items.into_iter().map(|item| serde_dynamo::from_item(readable(item)).unwrap()).collect()
    }

    /// Overwrites an attribute of a call's state with a text.
    pub(crate) async fn set_text(&self, pk: String, name: &str, text: &str) {
        let update = aws_sdk_dynamodb::Client::new(&self.sdk_config()).update_item().table_name(TABLE);
        update
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S("STATE".into()))
            .update_expression("SET #name = :text")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":text", AttributeValue::S(text.into()))
            .send()
            .await
            .unwrap();
    }

    /// Returns the events in the table, sorted.
    pub(crate) async fn events(&self) -> Vec<String> {
        let items = self.items().await;
        let mut events: Vec<_> =
            items.iter().filter_map(|item| Some(item.get("event")?.as_str()?.to_owned())).collect();
        events.sort();
        events
    }
}

fn readable(mut item: Item) -> Item {
    for value in item.values_mut() {
        if let AttributeValue::B(bytes) = value {
            *value = AttributeValue::S(String::from_utf8_lossy(bytes.as_ref()).into_owned());
        }
    }
    item
}

fn table() -> Value {
    let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
    let text = |name| json!({"AttributeName": name, "AttributeType": "S"});
    json!({"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [text("pk"), text("sk"), text("gsi1pk"), text("gsi1sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{"IndexName": "gsi1", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [key("gsi1pk", "HASH"), key("gsi1sk", "RANGE")]}]})
}

async fn answer(State(cloud): State<Arc<Inner>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().filter(|name| !name.is_empty()).unwrap_or("Invoke");
    cloud.requests.lock().unwrap().push(operation.to_owned());
    let secret = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let secret = secret["SecretId"].as_str().map(|id| format!("{operation} {id}"));
    if let Some(error) = cloud.fault(operation).or_else(|| cloud.fault(&secret?)) {
        let headers = [("content-type", "application/x-amz-json-1.0")];
        return (StatusCode::BAD_REQUEST, headers, error.to_string()).into_response();
    }
    match operation {
        "Invoke" => {
            let functions = ["call-control", "outbox"];
            let function = functions
                .iter()
                .find(|name| uri.path() == format!("/2015-03-31/functions/{name}/invocations"));
            cloud.invoked.lock().unwrap().push((*function.unwrap()).to_owned());
            StatusCode::ACCEPTED.into_response()
        }
        "GetSecretValue" => {
            let mut secret = json!({"app_secret": APP_SECRET, "previous_app_secret": "older", "verify_token": "token", "mark_key": "marks",
                "access_token": "graph", "door_key": "door",
                "openai_webhook_secret": "whsec_YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm", "openai_webhook_secret_old": "whsec_YWhveS1vbGQtLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm",
                "sip_trunk_key": "trunk key", "sip_trunk_key_old": "older trunk key"});
            for (name, value) in cloud.changed_keys.lock().unwrap().iter() {
                secret[name] = value.clone();
            }
            json!({"Name": "meta", "SecretString": secret.to_string()}).to_string().into_response()
        }
        _ => cloud.forward(&headers, body).await,
    }
}

impl Inner {
    fn fault(&self, operation: &str) -> Option<Value> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(name, _)| name == operation)?;
        Some(faults.remove(at).1)
    }

    async fn forward(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let mut headers = headers.clone();
        headers.remove("host");
        let reply = self.http.post(&self.engine).headers(headers).body(body).send().await.unwrap();
        let status = StatusCode::from_u16(reply.status().as_u16()).unwrap();
        (status, reply.bytes().await.unwrap()).into_response()
    }
}
