//! The product under load: real functions and a real media task, the model for load, Meta with its callers.

use super::callers::Callers;
use super::model::{Model, Rhythm};
use super::pinning;
use super::process::Process;
use anyhow::Context;
use harness::testbed::{make_folder, stack_config, start_stack};
use local::{Binaries, Stack, StackConfig, root};
use sim_meta::{Meta, MetaConfig};
use std::collections::BTreeMap;

/// The product under load, running.
pub(super) struct LoadTestbed {
    pub(super) stack: Stack,
    pub(super) meta: Meta,
    pub(super) model: Model,
}

impl LoadTestbed {
    /// Starts everything, the media task on a core of its own. Logs go into `target/<name>`.
    pub(super) async fn start(name: &str, slots: usize, binaries: &Binaries) -> anyhow::Result<Self> {
        let folder = make_folder(&root().join("target").join(name))?;
        let binaries = pinning::with_a_core(binaries, &folder)?;
        let model = Model::start(Rhythm::default()).await?;
        let roots = folder.join("model.pem");
        std::fs::write(&roots, model.pem())?;
        let settings = [("AHOY_SLOTS", slots.to_string()), ("REALTIME_CA_FILE", roots.display().to_string())];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let meta_config = MetaConfig::default();
        let meta = Meta::start(meta_config.clone()).await?;
        let config = StackConfig {
            graph_url: Some(meta.graph_url()),
            realtime_url: Some(model.url()),
            more: BTreeMap::from([("media-task".to_owned(), settings)]),
            ..stack_config(&meta_config, &folder)
        };
        let stack = start_stack(config, &meta, &binaries).await?;
        Ok(Self { stack, meta, model })
    }

    pub(super) fn callers(&self) -> anyhow::Result<Callers<'_>> {
        Callers::none(&self.meta, &self.model)
    }

    pub(super) fn task(&self) -> anyhow::Result<Process> {
        let tasks = self.stack.cloud.tasks();
        let running = tasks.iter().find(|task| task.family == "media-task" && task.exit_code.is_none());
        running.and_then(|task| task.pid).map(Process).context("there is no media task")
    }

    pub(super) async fn stop(self) {
        self.stack.stop().await;
        self.meta.stop().await;
    }
}
