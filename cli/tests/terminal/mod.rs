//! Runs `ahoy` against an emulated DynamoDB, or without AWS.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use store::Store;
use tokio::net::TcpListener;
use tokio::process::Command;

pub(crate) struct Terminal {
    environment: BTreeMap<&'static str, String>,
}

/// A command's exit code and output.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Terminal {
    /// Starts DynamoDB with an empty table `ahoy`.
    pub(crate) async fn new() -> Self {
        let database = dynoxide::Database::memory().unwrap();
        database.create_table(serde_json::from_value(table()).unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        Self::at(url)
    }

    /// Points AWS requests at a port that nothing listens on.
    pub(crate) fn without_aws() -> Self {
        Self::at("http://127.0.0.1:1".to_owned())
    }

    /// Removes an environment variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.insert(name, value.to_owned());
        self
    }

    pub(crate) async fn ahoy(&self, arguments: &[&str]) -> CommandOutput {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ahoy"));
        command.args(arguments).env_clear().envs(&self.environment).stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        CommandOutput { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub(crate) fn store(&self) -> Store {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.environment["AWS_ENDPOINT_URL"])
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .build();
        Store::new(aws_sdk_dynamodb::Client::from_conf(config), "ahoy")
    }

    fn at(url: String) -> Self {
        let environment = [
            ("AWS_ENDPOINT_URL", url),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            // Without it the SDK asks the instance metadata service, which this machine does not have.
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("HOME", env!("CARGO_TARGET_TMPDIR").to_owned()),
        ];
        Self { environment: environment.into() }
    }
}

/// Writes a file and returns its path.
pub(crate) fn file(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Returns a minimal agent file with `more` appended.
pub(crate) fn agent(name: &str, more: &str) -> String {
    format!(
        "name = \"{name}\"\nlanguage = \"en\"\ninstructions = \"You answer the telephone.\"\n\
         greeting.say = \"Hello.\"\n{more}\n"
    )
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
