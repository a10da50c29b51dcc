//! A simulated business that is set up for calls: every check of `ahoy doctor` passes.

use crate::sip_server::SipServer;
use crate::webhook_server;
use serde_json::{Value, json};
use service::time::now_ms;
use sim_aws::{Cloud, CloudConfig, Function};
use sim_meta::{BusinessRecords, Meta, MetaConfig};
use sim_openai::Realtime;
use sim_openai::sip::WebhookEndpoint;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use store::lease::Lease;
use store::{Store, StoredAgent};
use switchboard::intake::{IntakeSettings, KnownNumbers};
use tokio::process::Command;
use webhook::{Settings, SipSettings, Webhook};

pub(crate) const NUMBER: &str = "220000000000002";

/// Secrets that must never be printed.
const SECRETS: [&str; 8] = [
    "an access token",
    "an app secret",
    "a verify token",
    "sk-healthy",
    "the door key",
    WEBHOOK_SECRET,
    TRUNK_KEY,
    "sk-admin",
];

/// What signs OpenAI's events.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";

pub(crate) const TRUNK_KEY: &str = "key-of-the-trunk";

/// The name of the telephone number.
pub(crate) const DIALLED: &str = "malta";

pub(crate) struct Business {
    pub(crate) meta: Meta,
    pub(crate) cloud: Cloud,
    pub(crate) store: Store,
    pub(crate) webhook_url: String,
    pub(crate) model: Realtime,
    initial: BusinessRecords,
    environment: BTreeMap<String, String>,
    _sip_server: Option<SipServer>,
}

/// The SIP line that a business starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    None,
    /// As the template makes it.
    New,
    /// Set up.
    Whole,
}

/// A command's exit code and output.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Business {
    /// Starts a business whose checks all pass.
    pub(crate) async fn healthy() -> Self {
        Self::with_model(|_| {}).await
    }

    /// Starts such a business with a SIP line, whose checks all pass, too.
    pub(crate) async fn with_sip_line() -> Self {
        Self::start(|_| {}, Line::Whole).await
    }

    /// Starts a business whose SIP line was deployed, and not set up; with a changed configuration of the simulated OpenAI.
    pub(crate) async fn with_new_sip_line(change: impl FnOnce(&mut sim_openai::Config)) -> Self {
        Self::start(change, Line::New).await
    }

    /// Starts such a business with a changed configuration of the simulated OpenAI.
    pub(crate) async fn with_model(change: impl FnOnce(&mut sim_openai::Config)) -> Self {
        Self::start(change, Line::None).await
    }

    async fn start(change: impl FnOnce(&mut sim_openai::Config), line: Line) -> Self {
        let meta = Meta::start(MetaConfig::default()).await.unwrap();
        let mut model = sim_openai::Config::new("sk-healthy");
        model.model = Some("gpt-realtime-2.1".to_owned());
        model.sip.takes_http_webhooks = true;
        change(&mut model);
        let model = Realtime::start(model).await.unwrap();
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
        let mut cloud = CloudConfig::new(template);
        cloud.secrets = secrets();
        cloud.secrets.extend(line.secret().map(|secret| ("line".to_owned(), secret.to_string())));
        // No function is invoked.
        let program = env!("CARGO_BIN_EXE_ahoy");
        let call_control =
            Function { reserved_concurrency: Some(50), ..Function::new("call-control", program) };
        let open = Function {
            env: BTreeMap::from([("AHOY_SIP_OPEN".to_owned(), "yes".to_owned())]),
            ..Function::new("open-webhook", program)
        };
        let closed = Function::new("ahoy-webhook", program);
        cloud.functions = vec![call_control, Function::new("unprotected", program), closed, open];
        let cloud = Cloud::start(cloud).await.unwrap();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), "ahoy");
        let intake =
            IntakeSettings { numbers: KnownNumbers::WithAgents, ring_budget: Duration::from_secs(25) };
        let settings = Settings {
            table: "ahoy".to_owned(),
            meta_secret: "meta".to_owned(),
            mark_secret: None,
            sip: line.settings(),
            call_control: "call-control".to_owned(),
            intake,
        };
        let webhook = Webhook::connect(&cloud.sdk_config(), settings).await.unwrap();
        let webhook_url = webhook_server::start(webhook).await;
        meta.change_records(|records| records.subscribe(&webhook_url));
        let mut environment = cloud.environment();
        environment.extend(
            [
                ("GRAPH_URL", meta.graph_url()),
                ("REALTIME_URL", model.url()),
                ("WEBHOOK_URL", webhook_url.clone()),
                ("META_SECRET", "meta".to_owned()),
                ("MEDIA_SECRET", "media".to_owned()),
                ("CALL_CONTROL", "call-control".to_owned()),
                ("HOME", env!("CARGO_TARGET_TMPDIR").to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let sip_server = if line == Line::None { None } else { Some(SipServer::start("localhost").await) };
        if let Some(server) = &sip_server {
            environment.insert("LINE_SECRET".to_owned(), "line".to_owned());
            environment.insert("SIP_SERVER".to_owned(), server.address());
            environment.insert("SSL_CERT_FILE".to_owned(), server.certificate());
        }
        let initial = meta.records();
        let business =
            Self { meta, cloud, store, webhook_url, model, initial, environment, _sip_server: sip_server };
        business.put_agent().await;
        if line == Line::Whole {
            let endpoint = WebhookEndpoint::on_loopback(business.openai_webhook(), WEBHOOK_SECRET);
            business.model.trunk().add_endpoint(endpoint).unwrap();
            business.store.assign(&DIALLED.into(), "shop").await.unwrap();
        }
        business
    }

    /// Where OpenAI's events go.
    pub(crate) fn openai_webhook(&self) -> String {
        self.webhook_url.replace("/webhook", "/openai")
    }

    /// Returns what a secret holds now.
    pub(crate) async fn secret(&self, id: &str) -> Value {
        let client = aws_sdk_secretsmanager::Client::new(&self.cloud.sdk_config());
        let secret = client.get_secret_value().secret_id(id).send().await.unwrap();
        serde_json::from_str(secret.secret_string().unwrap()).unwrap()
    }

    /// Resets Meta's records to their initial state.
    pub(crate) fn reset(&self) {
        self.meta.change_records(|records| *records = self.initial.clone());
    }

    /// Runs `ahoy`.
    pub(crate) async fn ahoy(&self, arguments: &[&str]) -> CommandOutput {
        self.ahoy_with(&[], arguments).await
    }

    /// Returns the command line, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ahoy"));
        command.args(arguments).env_clear().envs(&self.environment);
        command
    }

    /// Runs `ahoy` with changed environment variables; an empty value removes one.
    pub(crate) async fn ahoy_with(&self, settings: &[(&str, &str)], arguments: &[&str]) -> CommandOutput {
        let mut command = Command::from(self.command(arguments));
        for (name, value) in settings {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        let output = command.stdin(Stdio::null()).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let output =
            CommandOutput { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        for secret in SECRETS {
            assert!(!output.out.contains(secret) && !output.err.contains(secret), "{secret} was printed");
        }
        output
    }

    /// Runs `ahoy doctor --json`.
    pub(crate) async fn doctor(&self, settings: &[(&str, &str)], arguments: &[&str]) -> DoctorReport {
        let output = self.ahoy_with(settings, &[&["doctor", "--json"], arguments].concat()).await;
        let report: Value = serde_json::from_str(&output.out).unwrap_or_else(|_| panic!("{output:?}"));
        DoctorReport { code: output.code, report }
    }

    /// Writes a media task's lease that ends at `until_ms`, in ms since 1970.
    pub(crate) async fn keep_warm(&self, until_ms: u64) {
        let lease = Lease::new(&"warm".into(), "127.0.0.1:1", &"00".repeat(32), "1", 8, now_ms());
        let lease = Lease { until_ms, ..lease };
        self.store.renew(&lease).await.unwrap();
    }

    async fn put_agent(&self) {
        let text = "name = \"shop\"\nlanguage = \"en\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n[caps]\ndollars_a_day = 5.0\n";
        self.store.put_agent(&StoredAgent::new("shop", text, 1)).await.unwrap();
        self.store.assign(&NUMBER.into(), "shop").await.unwrap();
        self.keep_warm(u64::MAX / 2).await;
    }
}

/// The doctor's exit code and JSON report.
pub(crate) struct DoctorReport {
    pub(crate) code: Option<i32>,
    pub(crate) report: Value,
}

impl DoctorReport {
    /// Returns the names of the checks with this finding.
    pub(crate) fn with_finding(&self, finding: &str) -> Vec<&str> {
        let checks = self.report["checks"].as_array().unwrap().iter();
        checks
            .filter(|check| check["finding"] == finding)
            .map(|check| check["name"].as_str().unwrap())
            .collect()
    }

    pub(crate) fn check(&self, name: &str) -> &Value {
        let mut checks = self.report["checks"].as_array().unwrap().iter();
        checks.find(|check| check["name"] == name).unwrap()
    }
}

impl Line {
    fn secret(self) -> Option<Value> {
        match self {
            Self::None => None,
            Self::New => Some(json!({ "openai_webhook_secret": "", "sip_trunk_key": "" })),
            Self::Whole => {
                Some(json!({ "openai_webhook_secret": WEBHOOK_SECRET, "sip_trunk_key": TRUNK_KEY }))
            }
        }
    }

    fn settings(self) -> Option<SipSettings> {
        (self != Self::None).then(|| SipSettings { secret: "line".to_owned(), is_open: false })
    }
}

fn secrets() -> BTreeMap<String, String> {
    let meta = json!({ "access_token": "an access token", "app_secret": "an app secret", "verify_token": "a verify token" });
    let media = json!({ "openai_api_key": "sk-healthy", "door_key": "the door key", "previous_door_key": "the key before" });
    let marks = json!({ "mark_key": "the pseudonym key", "made_at_ms": service::time::now_ms() });
    let secrets = [("meta", meta), ("media", media), ("marks", marks)];
    secrets.map(|(name, secret)| (name.to_owned(), secret.to_string())).into()
}
