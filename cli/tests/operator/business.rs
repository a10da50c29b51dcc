//! A business that takes calls: all that `ahoy doctor` looks at, in the best of health.

use crate::front;
use internal_api::lease::Lease;
use serde_json::{Value, json};
use service::time::now_ms;
use sim_aws::{Cloud, CloudConfig, Function};
use sim_meta::{BusinessRecords, Meta, MetaConfig};
use sim_openai::Realtime;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use store::{Store, StoredAgent};
use switchboard::intake::{IntakeSettings, KnownNumbers};
use tokio::process::Command;
use webhook::{Settings, Webhook};

pub const NUMBER: &str = "220000000000002";

/// Whatever must never be shown.
const SECRETS: [&str; 5] =
    ["an access token", "an app secret", "a verify token", "sk-healthy", "the door key"];

pub struct Business {
    pub meta: Meta,
    pub cloud: Cloud,
    pub ledger: Store,
    pub webhook_url: String,
    sound: BusinessRecords,
    environment: BTreeMap<String, String>,
    _model: Realtime,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Business {
    /// Nothing is amiss.
    pub async fn healthy() -> Self {
        Self::with_model(|_| {}).await
    }

    /// Nothing is amiss but what is said of the model.
    pub async fn with_model(change: impl FnOnce(&mut sim_openai::Config)) -> Self {
        let meta = Meta::start(MetaConfig::default()).await.unwrap();
        let mut model = sim_openai::Config::new("sk-healthy");
        model.model = Some("gpt-realtime-2.1".to_owned());
        change(&mut model);
        let model = Realtime::start(model).await.unwrap();
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
        let mut cloud = CloudConfig::new(template);
        cloud.secrets = secrets();
        // Neither is invoked.
        let program = env!("CARGO_BIN_EXE_ahoy");
        let call_control =
            Function { reserved_concurrency: Some(50), ..Function::new("call-control", program) };
        cloud.functions = vec![call_control, Function::new("unprotected", program)];
        let cloud = Cloud::start(cloud).await.unwrap();
        let ledger = Store::new(aws_sdk_dynamodb::Client::new(&cloud.sdk_config()), "ahoy");
        let house =
            IntakeSettings { numbers: KnownNumbers::WithAgents, ring_budget: Duration::from_secs(25) };
        let settings = Settings {
            table: "ahoy".to_owned(),
            meta_secret: "meta".to_owned(),
            mark_secret: None,
            call_control: "call-control".to_owned(),
            intake: house,
        };
        let webhook = Webhook::connect(&cloud.sdk_config(), settings).await.unwrap();
        let webhook_url = front::open(webhook).await;
        meta.change_books(|books| books.subscribe(&webhook_url));
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
        let sound = meta.books();
        let business = Self { meta, cloud, ledger, webhook_url, sound, environment, _model: model };
        business.employ().await;
        business
    }

    /// Everything at Meta is as it was.
    pub fn heal(&self) {
        self.meta.change_books(|books| *books = self.sound.clone());
    }

    /// Runs `ahoy`.
    pub async fn ahoy(&self, arguments: &[&str]) -> Said {
        self.ahoy_with(&[], arguments).await
    }

    /// `ahoy`, to be run wherever.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ahoy"));
        command.args(arguments).env_clear().envs(&self.environment);
        command
    }

    /// Runs `ahoy` with other settings; an empty one is taken away.
    pub async fn ahoy_with(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Said {
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
        let said = Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        for secret in SECRETS {
            assert!(!said.out.contains(secret) && !said.err.contains(secret), "{secret} was shown");
        }
        said
    }

    /// What the doctor finds.
    pub async fn examined(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Found {
        let said = self.ahoy_with(settings, &[&["doctor", "--json"], arguments].concat()).await;
        let told: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
        Found { code: said.code, told }
    }

    /// A media task with room, until then, ms since 1970.
    pub async fn keep_warm(&self, until_ms: u64) {
        let lease = Lease::new("warm", "127.0.0.1:1", &"00".repeat(32), "1", 8, now_ms());
        let lease = Lease { until_ms, ..lease };
        self.ledger.renew(&lease).await.unwrap();
    }

    async fn employ(&self) {
        let text =
            "name = \"shop\"\nlanguage = \"en\"\ninstructions = \"You answer.\"\ngreeting.say = \"Hello.\"\n";
        self.ledger.put_agent(&StoredAgent::new("shop", text, 1)).await.unwrap();
        self.ledger.assign(NUMBER, "shop").await.unwrap();
        self.keep_warm(u64::MAX / 2).await;
    }
}

/// What a doctor found, in JSON.
pub struct Found {
    pub code: Option<i32>,
    pub told: Value,
}

impl Found {
    /// The names of the checks with this finding.
    pub fn that_are(&self, finding: &str) -> Vec<&str> {
        let checks = self.told["checks"].as_array().unwrap().iter();
        checks
            .filter(|check| check["finding"] == finding)
            .map(|check| check["name"].as_str().unwrap())
            .collect()
    }

    /// One check.
    pub fn check(&self, name: &str) -> &Value {
        let mut checks = self.told["checks"].as_array().unwrap().iter();
        checks.find(|check| check["name"] == name).unwrap()
    }
}

fn secrets() -> BTreeMap<String, String> {
    let meta = json!({ "access_token": "an access token", "app_secret": "an app secret", "verify_token": "a verify token" });
    let media = json!({ "openai_api_key": "sk-healthy", "door_key": "the door key", "previous_door_key": "the key before" });
    let marks = json!({ "mark_key": "the key of marks", "made_at_ms": service::time::now_ms() });
    let secrets = [("meta", meta), ("media", media), ("marks", marks)];
    secrets.map(|(name, secret)| (name.to_owned(), secret.to_string())).into()
}
