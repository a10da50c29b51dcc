//! The product with a simulated world around it: Meta with its callers, the model, and the business's own system.

use crate::binaries::Binaries;
use crate::saved_calls;
use crate::shop::{self, Shop};
use crate::stack::{Stack, StackConfig};
use anyhow::Context;
use secrecy::SecretString;
use sim_aws::Logs;
use sim_meta::{Meta, MetaConfig};
use sim_openai::Realtime;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// Who answers in a rehearsal. `{shop}` is where the shop's system is.
pub const AGENT: &str = include_str!("../agent.toml");

/// The model's key in a rehearsal.
pub const MODEL_KEY: &str = "sk-rehearsal";

/// What a stage is set with.
#[derive(Debug, Clone)]
pub struct StageConfig {
    /// Meta, and what goes wrong there.
    pub meta: MetaConfig,
    /// The model, and what goes wrong there. Its key must be [`MODEL_KEY`].
    pub model: sim_openai::Config,
    /// Where the model is, if not the one simulated here.
    pub model_url: Option<String>,
    /// Who answers: an agent file's text; `{shop}` in it is where the shop's system is.
    pub agent: String,
    /// How many media tasks are kept.
    pub tasks: usize,
    /// How long a call may ring before the product refuses it; `None`: the product's own time.
    pub ring_seconds: Option<u64>,
    /// More settings of one program, by its name.
    pub more: BTreeMap<String, BTreeMap<String, String>>,
    /// Where recordings and logs go.
    pub folder: PathBuf,
}

/// The product, and the world around it.
pub struct Stage {
    /// The product.
    pub stack: Stack,
    /// Meta, and the callers' phones.
    pub meta: Meta,
    /// The model.
    pub model: Realtime,
    /// The business's own system.
    pub shop: Shop,
    /// Where recordings and logs go.
    pub folder: PathBuf,
}

impl Stage {
    /// Starts the product and the simulators around it.
    ///
    /// # Errors
    /// When something cannot be started.
    pub async fn set(config: StageConfig, binaries: &Binaries) -> anyhow::Result<Self> {
        let folder = config.folder;
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let meta = Meta::start(config.meta.clone()).await?;
        let model = Realtime::start(config.model).await?;
        let shop = Shop::open().await?;
        let agent = folder.join("agent.toml");
        std::fs::write(&agent, config.agent.replace("{shop}", &shop.url()))?;
        let stack = StackConfig {
            app_secret: SecretString::from(config.meta.app_secret),
            verify_token: SecretString::from(config.meta.verify_token),
            access_token: SecretString::from(config.meta.access_token),
            openai_api_key: SecretString::from(MODEL_KEY),
            door_key: Some(saved_calls::control_api_key(&folder)?),
            graph_url: Some(meta.graph_url()),
            realtime_url: Some(config.model_url.unwrap_or_else(|| model.url())),
            realtime_model: None,
            numbers: vec![config.meta.phone_number_id],
            ring_seconds: config.ring_seconds,
            tasks: config.tasks,
            more: config.more,
            agent: Some(agent.display().to_string()),
            tool_secrets: BTreeMap::from([(shop::KEY_NAME.to_owned(), SecretString::from(shop::KEY))]),
            bind_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            public_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            logs: Logs::Files(folder.join("logs")),
        };
        let stack = Stack::start(stack, binaries).await?;
        meta.set_webhook_url(format!("{}webhook", stack.cloud.function_url("webhook")));
        meta.verify_webhook().await?;
        Ok(Self { stack, meta, model, shop, folder })
    }

    /// Ends everything.
    pub async fn strike(self) {
        self.stack.stop().await;
        self.meta.stop().await;
        self.model.stop().await;
    }
}
