//! A cloud for a test, and the connections by which the test controls its functions and tasks.

#![allow(dead_code, reason = "every test file uses its own part")]

pub(crate) mod ecs;

use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;
use sim_aws::{Cloud, CloudConfig, Function, Service};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The template of the tests: one table, among resources whose tags only CloudFormation understands.
pub(crate) fn template() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/support/template.yaml")
}

/// A program of `examples/`, which are built beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(|deps| deps.parent()).unwrap();
    built.join("examples").join(name)
}

/// A function that does as the test says, and is tried again soon.
pub(crate) fn function(name: &str) -> Function {
    let retry_after = vec![Duration::from_millis(1), Duration::from_millis(1)];
    Function { timeout: Duration::from_secs(20), retry_after, ..Function::new(name, example("function")) }
}

/// A service whose tasks call the test.
pub(crate) fn service(desired: usize, strings: &Strings) -> Service {
    let env = BTreeMap::from([("REPORT_TO".to_owned(), strings.address())]);
    Service { desired, env, container: "media".into(), ..Service::new("media-task", example("task")) }
}

/// Waits, but not for ever: what does not happen must fail the test, not hang it.
pub(crate) async fn soon<T>(happening: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), happening).await.expect("it should have happened by now")
}

/// A cloud of one function, `puppet`.
pub(crate) async fn cloud_of(function: Function) -> Cloud {
    let config = CloudConfig { functions: vec![function], ..CloudConfig::new(template()) };
    Cloud::start(config).await.unwrap()
}

/// A cloud of one service, `media-task`.
pub(crate) async fn cloud_of_tasks(service: Service) -> Cloud {
    let config = CloudConfig { services: vec![service], ..CloudConfig::new(template()) };
    Cloud::start(config).await.unwrap()
}

/// So many tasks that do as the test says.
pub(crate) async fn tasks(desired: usize) -> (Cloud, Strings) {
    let strings = Strings::new().await;
    (cloud_of_tasks(service(desired, &strings)).await, strings)
}

/// A task that runs, and the settings it was started with. No other could call the test.
pub(crate) async fn one_task() -> (Cloud, Value) {
    let (cloud, strings) = tasks(1).await;
    (cloud, strings.puppet().await.settings().await)
}

/// Invokes the function `puppet` and waits for its reply.
pub(crate) async fn invoke(cloud: &Cloud, event: Value) -> InvokeOutput {
    let client = aws_sdk_lambda::Client::new(&cloud.sdk_config());
    let invoke = client.invoke().function_name("puppet").payload(Blob::new(event.to_string()));
    invoke.send().await.unwrap()
}

/// What a function replied.
pub(crate) fn payload(output: &InvokeOutput) -> Value {
    serde_json::from_slice(output.payload().unwrap().as_ref()).unwrap()
}

/// The keys of what is in the table, in order.
pub(crate) async fn keys(cloud: &Cloud) -> Vec<String> {
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let found = client.scan().table_name("CallsTable").send().await.unwrap();
    let mut keys: Vec<_> = found.items().iter().map(|item| item["pk"].as_s().unwrap().clone()).collect();
    keys.sort();
    keys
}

/// Resolves once a process is stopped. The kernel notifies only its parent, so this polls.
pub(crate) async fn frozen(pid: u32) {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    loop {
        look.tick().await;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // The name in parentheses may hold anything; the state follows it.
        if stat.rsplit_once(") ").unwrap().1.starts_with('T') {
            return;
        }
    }
}

/// Where functions and tasks call the test.
pub(crate) struct Strings(TcpListener);

/// One call of a function or task.
pub(crate) struct Puppet {
    stream: BufReader<TcpStream>,
}

impl Strings {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    pub(crate) async fn puppet(&self) -> Puppet {
        Puppet { stream: BufReader::new(soon(self.0.accept()).await.unwrap().0) }
    }
}

impl Puppet {
    /// What it says next; empty once it is gone.
    pub(crate) async fn says(&mut self) -> String {
        let mut line = String::new();
        // A killed process resets its connection: then it is gone, too.
        let _ = soon(self.stream.read_line(&mut line)).await;
        line.trim().to_owned()
    }

    /// Whether it says nothing for a tenth of a second.
    pub(crate) async fn is_silent(&mut self) -> bool {
        let mut line = String::new();
        tokio::time::timeout(Duration::from_millis(100), self.stream.read_line(&mut line)).await.is_err()
    }

    /// What a task says first: its settings.
    pub(crate) async fn settings(&mut self) -> Value {
        serde_json::from_str(&self.says().await).unwrap()
    }

    pub(crate) async fn order(&mut self, order: &str) {
        self.stream.write_all(format!("{order}\n").as_bytes()).await.unwrap();
    }
}
