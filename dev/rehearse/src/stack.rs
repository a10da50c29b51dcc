//! The product on this machine: its functions and media tasks as processes, AWS played on loopback.

use crate::binaries::{Binaries, root};
use anyhow::Context;
use aws_sdk_dynamodb::types::AttributeValue;
use journal::{CallSummary, JournalEntry, TranscriptLine};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sim_aws::{Cloud, CloudConfig, Function, Logs, Rule, Schedule, Service};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use store::Store;
use store::keys;
use switchboard::call_store::LoadedCall;
use switchboard::{CallStore, StoredCall};

/// How often the schedule runs the reaper.
const REAP_EVERY: Duration = Duration::from_secs(60);

/// How often to look whether a media task is ready. DynamoDB sends no notification.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Within this a media task is ready, or never.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A media task writes a call's summary within this, or never.
const SUMMED_UP_WITHIN: Duration = Duration::from_secs(5);

/// A function may wait for several replies of Graph, 8 s each.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(25);

/// How long a media task may take to stop, as in template.yaml: the longest that Fargate allows.
const STOP_TIMEOUT: Duration = Duration::from_secs(120);

/// The product's settings.
#[derive(Debug, Clone)]
pub struct StackConfig {
    /// Signs webhooks.
    pub app_secret: SecretString,
    /// Known to Meta's challenge.
    pub verify_token: SecretString,
    /// Meta's access token.
    pub access_token: SecretString,
    /// The model's key.
    pub openai_api_key: SecretString,
    /// Seals requests at doors and marks users; `None`: one that only this stack's processes know.
    pub door_key: Option<SecretString>,
    /// What agent files name: keys of tools.
    pub tool_secrets: BTreeMap<String, SecretString>,
    /// Where Graph is; `None`: Meta's.
    pub graph_url: Option<String>,
    /// Where the model is; `None`: OpenAI's.
    pub realtime_url: Option<String>,
    /// The model; `None`: the product's default.
    pub realtime_model: Option<String>,
    /// Our numbers' ids.
    pub numbers: Vec<String>,
    /// How many media tasks are kept.
    pub tasks: usize,
    /// How long a call may ring; `None`: the product's default.
    pub ring_seconds: Option<u64>,
    /// More settings of one program, by its name.
    pub more: BTreeMap<String, BTreeMap<String, String>>,
    /// The agent file; `None`: the built-in agent.
    pub agent: Option<String>,
    /// What media sockets bind.
    pub bind_ip: IpAddr,
    /// What answers advertise.
    pub public_ip: IpAddr,
    /// Where the processes' logs go.
    pub logs: Logs,
}

/// The table, as template.yaml calls it by default.
pub(crate) const TABLE: &str = "ahoy";

/// The product, running.
#[derive(Debug)]
pub struct Stack {
    /// The cloud it runs in.
    pub cloud: Cloud,
    /// Its table.
    pub ledger: Store,
    /// What its secrets held in the beginning, by their names.
    pub secrets: BTreeMap<String, Value>,
}

impl Stack {
    /// Starts the product and waits until a media task is ready for calls.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(config: StackConfig, binaries: &Binaries) -> anyhow::Result<Self> {
        let table = TABLE;
        let mut cloud = CloudConfig::new(root().join("template.yaml"));
        cloud.functions = functions(&config, binaries, table);
        cloud.services = vec![media_service(&config, binaries, table)];
        let secrets = secrets(&config);
        cloud.secrets = secrets.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        cloud.rules = vec![Rule::when_a_task_stops("call-control")];
        cloud.schedules = vec![Schedule { function: "reaper".into(), every: REAP_EVERY, enabled: true }];
        cloud.logs = config.logs.clone();
        let cloud = Cloud::start(cloud).await?;
        let name = cloud.table_name("Table").context("template.yaml has no table")?;
        anyhow::ensure!(name == table, "template.yaml calls its table {name}, and not {table}");
        let ledger = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), table);
        let stack = Self { cloud, ledger, secrets };
        stack.ready().await?;
        Ok(stack)
    }

    /// What is stored of a call.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn call(&self, call_ref: &str) -> anyhow::Result<Option<StoredCall>> {
        let store = CallStore::new(self.ledger.client.clone(), &self.ledger.table);
        Ok(match store.load(call_ref).await? {
            LoadedCall::Found(record) => Some(*record),
            LoadedCall::Missing | LoadedCall::EndOnly => None,
        })
    }

    /// The journal of a call, in order.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn journal(&self, call_ref: &str) -> anyhow::Result<Vec<JournalEntry>> {
        self.stored(call_ref, keys::EVENTS).await
    }

    /// Who said what in a call, in order.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn lines(&self, call_ref: &str) -> anyhow::Result<Vec<TranscriptLine>> {
        self.stored(call_ref, keys::LINES).await
    }

    /// What a caller left for people.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn left(&self, call_ref: &str) -> anyhow::Result<Vec<Value>> {
        self.stored(call_ref, keys::LEFT).await
    }

    /// A call in short, once its media task has written that; `None` if it does not within some seconds.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn summary(&self, call_ref: &str) -> anyhow::Result<Option<CallSummary>> {
        let deadline = Instant::now() + SUMMED_UP_WITHIN;
        loop {
            let found = self.stored(call_ref, keys::SUMMARY).await?.pop();
            if found.is_some() || Instant::now() >= deadline {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What is stored of a call under sort keys that begin like this, in their order.
    async fn stored<T: DeserializeOwned>(&self, call_ref: &str, prefix: &str) -> anyhow::Result<Vec<T>> {
        let query = self.ledger.client.query().table_name(&self.ledger.table).consistent_read(true);
        let found = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", AttributeValue::S(keys::call(call_ref)))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .send()
            .await?;
        found.items.unwrap_or_default().into_iter().map(store::items::from_item).collect()
    }

    /// Waits until what is stored of a call is as wished.
    ///
    /// # Errors
    /// When it is not within `patience`, or the table cannot be read.
    pub async fn call_until(
        &self,
        call_ref: &str,
        patience: Duration,
        wished: impl Fn(&StoredCall) -> bool,
    ) -> anyhow::Result<StoredCall> {
        let looking = async {
            let mut look = tokio::time::interval(LOOK_EVERY);
            loop {
                look.tick().await;
                if let Some(record) = self.call(call_ref).await?.filter(&wished) {
                    return Ok(record);
                }
            }
        };
        let found = tokio::time::timeout(patience, looking).await;
        found.with_context(|| format!("the call's state was not as expected within {patience:?}"))?
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.cloud.stop().await;
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let looking = async {
            let mut look = tokio::time::interval(LOOK_EVERY);
            loop {
                look.tick().await;
                if !self.ledger.ready_tasks().await?.is_empty() {
                    return anyhow::Ok(());
                }
            }
        };
        let ready = tokio::time::timeout(READY_WITHIN, looking).await;
        ready.with_context(|| {
            format!("no media task was ready within {READY_WITHIN:?}: {}", self.last_words())
        })?
    }

    /// The last line of the media task's log: most likely why it is not there.
    fn last_words(&self) -> String {
        let logs = self.cloud.log_files();
        let log = logs.iter().rev().find(|log| log.program == "media-task");
        let text = log.and_then(|log| std::fs::read_to_string(&log.path).ok()).unwrap_or_default();
        text.lines().last().unwrap_or("it said nothing").to_owned()
    }
}

fn functions(config: &StackConfig, binaries: &Binaries, table: &str) -> Vec<Function> {
    let function = |name: &str, settings: &[(&str, Option<String>)]| {
        let mut function = Function::new(name, binaries.path(name));
        function.env = environment(settings);
        function.env.extend(config.more.get(name).cloned().unwrap_or_default());
        function.timeout = FUNCTION_TIMEOUT;
        function
    };
    let set = |value: &str| Some(value.to_owned());
    let webhook = function(
        "webhook",
        &[
            ("TABLE", set(table)),
            ("META_SECRET", set("meta")),
            ("MARK_SECRET", set("marks")),
            ("CALL_CONTROL", set("call-control")),
            ("AHOY_NUMBERS", Some(config.numbers.join(","))),
            ("AHOY_RING_SECONDS", config.ring_seconds.map(|seconds| seconds.to_string())),
        ],
    );
    let call_control = function(
        "call-control",
        &[
            ("TABLE", set(table)),
            ("META_SECRET", set("meta")),
            ("MEDIA_SECRET", set("media")),
            ("MARK_SECRET", set("marks")),
            ("GRAPH_URL", config.graph_url.clone()),
            ("AHOY_AGENT", config.agent.clone()),
            ("CLUSTER", set("ahoy")),
            ("TASK_FAMILY", set("media-task")),
            ("SUBNETS", set("subnet-local")),
            ("SECURITY_GROUPS", set("sg-local")),
        ],
    );
    let reaper = function("reaper", &[("TABLE", set(table)), ("CALL_CONTROL", set("call-control"))]);
    vec![webhook, call_control, reaper]
}

fn media_service(config: &StackConfig, binaries: &Binaries, table: &str) -> Service {
    let set = |value: &str| Some(value.to_owned());
    let mut service = Service::new("media-task", binaries.path("media-task"));
    service.desired = config.tasks;
    service.env = environment(&[
        ("TABLE", set(table)),
        ("MEDIA_SECRET", set("media")),
        ("CALL_CONTROL", set("call-control")),
        ("REALTIME_URL", config.realtime_url.clone()),
        ("REALTIME_MODEL", config.realtime_model.clone()),
        ("AHOY_AGENT", config.agent.clone()),
        ("AHOY_BIND_IP", Some(config.bind_ip.to_string())),
        ("AHOY_PUBLIC_IP", Some(config.public_ip.to_string())),
        ("AHOY_DOOR_IP", set("127.0.0.1")),
        ("AHOY_DOOR_PORT", set("0")),
    ]);
    service.env.extend(config.more.get("media-task").cloned().unwrap_or_default());
    // ECS and the task must mean the same.
    let told = service.env.get("AHOY_STOP_TIMEOUT_S").and_then(|seconds| seconds.parse().ok());
    service.stop_timeout = told.map_or(STOP_TIMEOUT, Duration::from_secs);
    service
}

fn environment(settings: &[(&str, Option<String>)]) -> BTreeMap<String, String> {
    let set = settings.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
    set.collect()
}

fn secrets(config: &StackConfig) -> BTreeMap<String, Value> {
    let meta = json!({
        "app_secret": config.app_secret.expose_secret(),
        "verify_token": config.verify_token.expose_secret(),
        "access_token": config.access_token.expose_secret(),
    });
    let tools = config.tool_secrets.iter().map(|(name, secret)| (name, secret.expose_secret()));
    let door_key = config.door_key.as_ref().map_or_else(fresh_key, |key| key.expose_secret().to_owned());
    // As `make secrets` makes it of a new stack.
    let marks = json!({ "mark_key": door_key, "made_at_ms": 0 });
    let media = json!({
        "tool_secrets": tools.collect::<BTreeMap<_, _>>(),
        "door_key": door_key,
        "openai_api_key": config.openai_api_key.expose_secret(),
    });
    let secrets = [("meta", meta), ("media", media), ("marks", marks)];
    secrets.map(|(name, secret)| (name.to_owned(), secret)).into()
}

/// A key that no one else knows.
pub fn fresh_key() -> String {
    std::iter::repeat_with(random).take(4).collect()
}

fn random() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
