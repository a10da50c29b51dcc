//! The product with its simulated surroundings: Meta with its callers, the model, and the business's own system.

use crate::saved_calls;
use crate::stored_calls::StoredCalls;
use crate::telephone::TelephoneLine;
use anyhow::Context;
use local::{Binaries, Stack, StackConfig};
use secrecy::SecretString;
use serde_json::{Map, Value};
use sim_aws::Logs;
use sim_business::Business;
use sim_meta::{CallerConfig, Meta, MetaConfig};
use sim_openai::Realtime;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

/// The business's name for the usual caller, whose profile has another.
pub const CUSTOMER: &str = "Amina";

/// The agent of a rehearsal. `{shop}` stands for the business's URL.
pub const AGENT: &str = include_str!("../agent.toml");

/// What makes an agent know its callers. `{shop}` stands for the business's URL.
const KNOWS_CALLERS: &str = include_str!("../knows-callers.toml");

/// What makes an agent that knows its callers have fields extracted from transcripts.
const EXTRACTS: &str = include_str!("../extracts.toml");

/// The model's key in a rehearsal.
pub const MODEL_KEY: &str = "sk-rehearsal";

/// The configuration of a testbed. [`TestbedConfig::in_folder`] has the defaults.
#[derive(Debug, Clone)]
pub struct TestbedConfig {
    /// Meta, with its injected faults.
    pub meta: MetaConfig,
    /// The model, with its injected faults. Its key must be [`MODEL_KEY`].
    pub model: sim_openai::Config,
    /// The model's URL, if it is not the one simulated here.
    pub model_url: Option<String>,
    /// The SIP line; `None`: there is none.
    pub telephone: Option<TelephoneLine>,
    /// What goes wrong at the business.
    pub business_faults: Vec<sim_business::Fault>,
    /// An agent file's text; `{shop}` in it stands for the business's URL.
    pub agent: String,
    /// How many media tasks are kept.
    pub tasks: usize,
    /// How long a call may ring before the product refuses it; `None`: the product's own time.
    pub ring_seconds: Option<u64>,
    /// More settings of one program, by its name.
    pub more: BTreeMap<String, BTreeMap<String, String>>,
    /// The folder of recordings and logs.
    pub folder: PathBuf,
}

/// The product with its simulated surroundings, running.
pub struct Testbed {
    /// The product.
    pub stack: Stack,
    /// What the table holds of calls.
    pub calls: StoredCalls,
    /// Meta, and the callers' phones.
    pub meta: Meta,
    /// The model.
    pub model: Realtime,
    /// The business's own system.
    pub business: Business,
    /// The folder of recordings and logs.
    pub folder: PathBuf,
}

impl TestbedConfig {
    /// One media task with the rehearsal's agent, and nothing goes wrong.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            meta: MetaConfig::default(),
            model: sim_openai::Config::new(MODEL_KEY),
            model_url: None,
            telephone: None,
            business_faults: vec![],
            agent: AGENT.to_owned(),
            tasks: 1,
            ring_seconds: None,
            more: BTreeMap::new(),
            folder,
        }
    }

    /// Has the agent ask the business who is calling, greet by name, and tell the outcome. The model says the exact words that it is
    /// asked for.
    #[must_use]
    pub fn knowing_callers(mut self) -> Self {
        let by_name = self.agent.replacen("Hello, this is", "Hello {{customer_name|there}}, this is", 1);
        assert_ne!(by_name, self.agent, "the agent's greeting is another one");
        self.agent = by_name + KNOWS_CALLERS;
        self.model.script = self.model.script.saying_exact_words();
        self
    }

    /// Has a text model extract a summary and two fields from each transcript, for the outcome.
    #[must_use]
    pub fn extracting(mut self) -> Self {
        self.agent += EXTRACTS;
        self
    }

    /// Whether the agent asks the business who is calling.
    pub(crate) fn knows_callers(&self) -> bool {
        self.agent.contains("[lookup]")
    }
}

impl Testbed {
    /// Starts the product and the simulators around it.
    pub async fn start(config: TestbedConfig, binaries: &Binaries) -> anyhow::Result<Self> {
        let folder = make_folder(&config.folder)?;
        let meta = Meta::start(config.meta.clone()).await?;
        let model = Realtime::start(config.model).await?;
        let business = Business::start().await?;
        business.set_faults(&config.business_faults);
        let (number, known) = customer();
        business.add_customer(&number, known);
        let agent = folder.join("agent.toml");
        let agent_text = config.agent.replace("{shop}", &business.url());
        std::fs::write(&agent, &agent_text)?;
        let tool_key = (sim_business::KEY_NAME.to_owned(), SecretString::from(sim_business::KEY));
        let stack = StackConfig {
            control_api_key: Some(saved_calls::control_api_key(&folder)?),
            graph_url: Some(meta.graph_url()),
            realtime_url: Some(config.model_url.unwrap_or_else(|| model.url())),
            ring_seconds: config.ring_seconds,
            sip: config.telephone.as_ref().map(|line| line.settings(&model)),
            tasks: config.tasks,
            more: config.more,
            agent: Some(agent.display().to_string()),
            tool_secrets: BTreeMap::from([tool_key]),
            ..stack_config(&config.meta, &folder)
        };
        let stack = start_stack(stack, &meta, binaries).await?;
        if config.telephone.is_some() {
            TelephoneLine::connect(&stack, &model, &agent_text).await?;
        }
        let calls = StoredCalls::of(&stack.store);
        Ok(Self { stack, calls, meta, model, business, folder })
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.stack.stop().await;
        self.meta.stop().await;
        self.model.stop().await;
    }
}

/// Returns the number of a phone that is set up no other way, and what the business knows of its owner.
fn customer() -> (String, Map<String, Value>) {
    let number = CallerConfig::default().number.expect("the usual caller shows a number");
    (number, Map::from_iter([("customer_name".to_owned(), CUSTOMER.into())]))
}

/// Makes a folder for recordings and logs: its absolute path.
pub fn make_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.canonicalize()?)
}

/// One media task on loopback with the built-in agent, known to this Meta; its logs are files in `folder`.
pub fn stack_config(meta: &MetaConfig, folder: &Path) -> StackConfig {
    StackConfig {
        app_secret: meta.app_secret.clone().into(),
        verify_token: meta.verify_token.clone().into(),
        access_token: meta.access_token.clone().into(),
        openai_api_key: MODEL_KEY.into(),
        control_api_key: None,
        tool_secrets: BTreeMap::new(),
        graph_url: None,
        realtime_url: None,
        realtime_model: None,
        numbers: vec![meta.phone_number_id.clone()],
        tasks: 1,
        sip: None,
        ring_seconds: None,
        more: BTreeMap::new(),
        agent: None,
        bind_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        public_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        logs: Logs::Files(folder.join("logs")),
    }
}

/// Starts the product, and has Meta send its webhooks there.
pub async fn start_stack(config: StackConfig, meta: &Meta, binaries: &Binaries) -> anyhow::Result<Stack> {
    let stack = Stack::start(config, binaries).await?;
    meta.set_webhook_url(format!("{}webhook", stack.cloud.function_url("webhook")));
    meta.verify_webhook().await?;
    Ok(stack)
}
