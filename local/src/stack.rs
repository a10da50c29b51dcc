//! The product on this machine: its functions and media tasks as processes, AWS played on loopback.

use crate::binaries::{Binaries, root};
use crate::eventually;
use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sim_aws::{Cloud, CloudConfig, Function, Logs, Rule, Schedule, Service};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use store::Store;

/// How often the schedules run the reaper and the outbox.
const ROUND_EVERY: Duration = Duration::from_secs(60);

/// Within this a media task is ready, or never.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A function may wait for several replies of Graph, 8 s each.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(25);

/// How long the outbox may take, as in template.yaml.
const OUTBOX_TIMEOUT: Duration = Duration::from_secs(90);

/// How many invocations of it there are at once, and how old an event for it may be, as in template.yaml, where no event is tried again.
const OUTBOX_CONCURRENCY: usize = 2;
const OUTBOX_EVENT_AGE: Duration = Duration::from_secs(60);

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
    /// Signs control API requests and makes pseudonyms; `None`: a key that only this stack's processes know.
    pub control_api_key: Option<SecretString>,
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
    /// The SIP line; `None`: there is none.
    pub sip: Option<SipConfig>,
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

/// The SIP line's settings.
#[derive(Debug, Clone)]
pub struct SipConfig {
    /// Signs OpenAI's events.
    pub webhook_secret: SecretString,
    /// The key that the trunk's edge adds to each call; empty: none.
    pub trunk_key: SecretString,
    /// Where OpenAI's requests about calls are; `None`: OpenAI's.
    pub openai_url: Option<String>,
}

/// The table, as template.yaml calls it by default.
pub const TABLE: &str = "ahoy";

/// The product, running.
#[derive(Debug)]
pub struct Stack {
    /// The cloud it runs in.
    pub cloud: Cloud,
    /// Its table.
    pub store: Store,
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
        let each_minute =
            |function: &str| Schedule { function: function.into(), every: ROUND_EVERY, enabled: true };
        cloud.schedules = ["reaper", "outbox"].map(each_minute).into();
        cloud.logs = config.logs.clone();
        let cloud = Cloud::start(cloud).await?;
        let name = cloud.table_name("Table").context("template.yaml has no table")?;
        anyhow::ensure!(name == table, "template.yaml calls its table {name}, and not {table}");
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), table);
        let stack = Self { cloud, store, secrets };
        stack.ready().await?;
        Ok(stack)
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.cloud.stop().await;
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let ready = eventually(READY_WITHIN, || async {
            Ok((!self.store.ready_tasks().await?.is_empty()).then_some(()))
        });
        ready.await?.with_context(|| {
            format!("no media task was ready within {READY_WITHIN:?}: {}", self.last_words())
        })
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
            ("LINE_SECRET", config.sip.as_ref().map(|_| "line".to_owned())),
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
            ("OPENAI_URL", config.sip.as_ref().and_then(|sip| sip.openai_url.clone())),
            ("REALTIME_MODEL", config.realtime_model.clone()),
            ("AHOY_LINES", config.sip.as_ref().map(|_| "sip".to_owned())),
            ("AHOY_AGENT", config.agent.clone()),
            ("OUTBOX_FUNCTION", set("outbox")),
            ("CLUSTER", set("ahoy")),
            ("TASK_FAMILY", set("media-task")),
            ("SUBNETS", set("subnet-local")),
            ("SECURITY_GROUPS", set("sg-local")),
        ],
    );
    let reaper = function("reaper", &[("TABLE", set(table)), ("CALL_CONTROL", set("call-control"))]);
    let mut outbox = function(
        "outbox",
        &[
            ("TABLE", set(table)),
            ("MEDIA_SECRET", set("media")),
            ("OPENAI_URL", config.realtime_url.as_deref().map(openai_url)),
            ("AHOY_AGENT", config.agent.clone()),
        ],
    );
    outbox.timeout = OUTBOX_TIMEOUT;
    outbox.reserved_concurrency = Some(OUTBOX_CONCURRENCY);
    outbox.max_event_age = OUTBOX_EVENT_AGE;
    outbox.retry_after = vec![];
    vec![webhook, call_control, reaper, outbox]
}

/// Returns where OpenAI's other requests go, by where its Realtime API is.
fn openai_url(realtime_url: &str) -> String {
    let base = realtime_url.split("/v1/").next().unwrap_or_default();
    base.replacen("ws", "http", 1)
}

fn media_service(config: &StackConfig, binaries: &Binaries, table: &str) -> Service {
    let set = |value: &str| Some(value.to_owned());
    let mut service = Service::new("media-task", binaries.path("media-task"));
    service.desired = config.tasks;
    service.env = environment(&[
        ("TABLE", set(table)),
        ("MEDIA_SECRET", set("media")),
        ("CALL_CONTROL", set("call-control")),
        ("OUTBOX_FUNCTION", set("outbox")),
        ("REALTIME_URL", config.realtime_url.clone()),
        ("REALTIME_MODEL", config.realtime_model.clone()),
        ("AHOY_LINES", config.sip.as_ref().map(|_| "sip".to_owned())),
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
    let key = config.control_api_key.as_ref().map_or_else(fresh_key, |key| key.expose_secret().to_owned());
    // As `make secrets` makes it of a new stack.
    let marks = json!({ "mark_key": key, "made_at_ms": 0 });
    let media = json!({
        "tool_secrets": tools.collect::<BTreeMap<_, _>>(),
        "door_key": key,
        "openai_api_key": config.openai_api_key.expose_secret(),
    });
    let line = config.sip.as_ref().map(|sip| {
        json!({
            "openai_webhook_secret": sip.webhook_secret.expose_secret(),
            "sip_trunk_key": sip.trunk_key.expose_secret(),
        })
    });
    let secrets = [("meta", meta), ("media", media), ("marks", marks)].into_iter();
    let secrets = secrets.chain(line.map(|line| ("line", line)));
    secrets.map(|(name, secret)| (name.to_owned(), secret)).collect()
}

/// A key that no one else knows.
pub fn fresh_key() -> String {
    std::iter::repeat_with(random).take(4).collect()
}

fn random() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
