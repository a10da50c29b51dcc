//! The product with a crowd around it: real functions and a real media task, a model for load, Meta's cloud.

use super::crowd::Crowd;
use super::pinning;
use super::process::Process;
use crate::binaries::{Binaries, root};
use crate::stack::{Stack, StackConfig};
use crate::stage::MODEL_KEY;
use anyhow::Context;
use load::{Model, Rhythm};
use secrecy::SecretString;
use sim_aws::Logs;
use sim_meta::{Meta, MetaConfig};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// What a stage for load is.
pub(super) struct LoadStage {
    pub(super) stack: Stack,
    pub(super) meta: Meta,
    pub(super) model: Model,
}

impl LoadStage {
    /// Starts everything, the media task on a core of its own. Logs go into `target/<name>`.
    ///
    /// # Errors
    /// When something cannot be started.
    pub(super) async fn set(name: &str, slots: usize, binaries: &Binaries) -> anyhow::Result<Self> {
        let folder = root().join("target").join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let binaries = pinning::with_a_core(binaries, &folder)?;
        let meta = MetaConfig::default();
        let model = Model::start(Rhythm::default()).await?;
        let roots = folder.join("model.pem");
        std::fs::write(&roots, model.pem())?;
        let settings = [("AHOY_SLOTS", slots.to_string()), ("REALTIME_CA_FILE", roots.display().to_string())];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let secret = |text: &str| SecretString::from(text);
        let config = StackConfig {
            app_secret: secret(&meta.app_secret),
            verify_token: secret(&meta.verify_token),
            access_token: secret(&meta.access_token),
            openai_api_key: secret(MODEL_KEY),
            graph_url: None,
            realtime_url: Some(model.url()),
            realtime_model: None,
            numbers: vec![meta.phone_number_id.clone()],
            ring_seconds: None,
            tasks: 1,
            more: BTreeMap::from([("media-task".to_owned(), settings)]),
            agent: None,
            door_key: None,
            tool_secrets: BTreeMap::new(),
            bind_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            public_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            logs: Logs::Files(folder.join("logs")),
        };
        let meta = Meta::start(meta).await?;
        let config = StackConfig { graph_url: Some(meta.graph_url()), ..config };
        let stack = Stack::start(config, &binaries).await?;
        meta.set_webhook_url(format!("{}webhook", stack.cloud.function_url("webhook")));
        meta.verify_webhook().await?;
        Ok(Self { stack, meta, model })
    }

    /// No callers yet.
    ///
    /// # Errors
    /// When there is no codec.
    pub(super) fn crowd(&self) -> anyhow::Result<Crowd<'_>> {
        Crowd::empty(&self.meta, &self.model)
    }

    /// The media task's process.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn task(&self) -> anyhow::Result<Process> {
        let tasks = self.stack.cloud.tasks();
        let running = tasks.iter().find(|task| task.family == "media-task" && task.exit_code.is_none());
        running.and_then(|task| task.pid).map(Process).context("there is no media task")
    }

    /// Ends everything.
    pub(super) async fn strike(self) {
        self.stack.stop().await;
        self.meta.stop().await;
    }
}
