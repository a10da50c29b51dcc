//! DynamoDB's emulator with an empty table.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};
use store::Store;
use tokio::net::TcpListener;

/// Returns a store in an emulator of its own.
pub(crate) async fn store() -> Store {
    Store::new(emulator().await, "ahoy")
}

/// Returns a client of an emulator that has the table `ahoy`.
pub(crate) async fn emulator() -> Client {
    let database = dynoxide::Database::memory().unwrap();
    database.create_table(serde_json::from_value(table()).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_of(&listener);
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    client
}

/// Returns a client of the emulator on a socket.
pub(crate) fn client_of(listener: &TcpListener) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

fn table() -> Value {
    let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
    let text = |name| json!({"AttributeName": name, "AttributeType": "S"});
    json!({"TableName": "ahoy", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [text("pk"), text("sk"), text("gsi1pk"), text("gsi1sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{"IndexName": "gsi1", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [key("gsi1pk", "HASH"), key("gsi1sk", "RANGE")]}]})
}
