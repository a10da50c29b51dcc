//! Lambda: functions that start cold, handle one invocation at a time in each process, and are retried when they fail.

mod event;
mod events;
mod invoke;
mod limits;
mod outcome;
mod queue;
mod reply;
mod runtime;
mod sandbox;
mod sandbox_pool;
mod url;
mod url_config;

use crate::config::Function;
use crate::identity::{arn, short_name};
use crate::listening::{self, ANY_PORT};
use crate::processes::Processes;
use crate::refusal::Refusal;
use anyhow::Context;
use sandbox::Invocation;
use sandbox_pool::SandboxPool;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

pub use events::Events;
pub(crate) use invoke::invoke;

/// All functions of the cloud, and their URLs.
#[derive(Debug)]
pub(crate) struct Lambda {
    functions: BTreeMap<String, Arc<SandboxPool>>,
    urls: BTreeMap<String, SocketAddr>,
    processes: Arc<Processes>,
    concurrency: AtomicUsize,
    /// Addresses of functions that run elsewhere, by their names.
    elsewhere: Mutex<BTreeMap<String, String>>,
}

/// How many invocations at once an account may have, once AWS has raised it from what new accounts get.
const CONCURRENCY: usize = 1_000;

impl Lambda {
    /// Gives every function a URL. No process starts before the first invocation.
    pub(crate) async fn start(functions: Vec<Function>, processes: Arc<Processes>) -> anyhow::Result<Self> {
        let concurrency = CONCURRENCY.into();
        let (urls, elsewhere) = (BTreeMap::new(), Mutex::default());
        let mut lambda = Self { functions: BTreeMap::new(), urls, processes, concurrency, elsewhere };
        for function in functions {
            let name = function.name.clone();
            let pool = SandboxPool::new(function, lambda.processes.clone())?;
            lambda.functions.insert(name.clone(), Arc::new(pool));
            let url = lambda.listen_at(&name, ANY_PORT).await?;
            lambda.urls.insert(name, url);
        }
        Ok(lambda)
    }

    pub(crate) async fn listen_at(&self, name: &str, address: SocketAddr) -> anyhow::Result<SocketAddr> {
        let pool = self.known(name)?.clone();
        let listener = listening::bind(address).await?;
        let address = listening::address(&listener);
        listening::serve(listener, url::router(pool), self.processes.over());
        Ok(address)
    }

    pub(crate) fn url(&self, name: &str) -> Option<SocketAddr> {
        self.urls.get(name).copied()
    }

    /// Kills every process of a function, and returns when they are gone.
    pub(crate) async fn kill(&self, name: &str) -> anyhow::Result<()> {
        self.known(name)?.kill().await;
        Ok(())
    }

    /// Whether there is a function of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// Throttles the next `times` invocations of a function.
    pub(crate) fn throttle(&self, name: &str, times: usize) -> anyhow::Result<()> {
        self.known(name)?.throttle(times);
        Ok(())
    }

    /// What `GetAccountSettings` says of the account's concurrency. Nothing is throttled for it.
    pub(crate) fn set_concurrency(&self, quota: usize) {
        self.concurrency.store(quota, Ordering::Relaxed);
    }

    pub(crate) fn account_settings(&self) -> Value {
        let quota = self.concurrency.load(Ordering::Relaxed);
        let reserved: usize =
            self.functions.values().filter_map(|pool| pool.function().reserved_concurrency).sum();
        let unreserved = quota.saturating_sub(reserved);
        let limits = serde_json::json!({"TotalCodeSize": 80_530_636_800_u64, "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800, "ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": unreserved});
        let usage = serde_json::json!({"TotalCodeSize": 0, "FunctionCount": self.functions.len()});
        serde_json::json!({"AccountLimit": limits, "AccountUsage": usage})
    }

    /// `GetFunctionConcurrency`: an empty object when nothing is reserved.
    pub(crate) fn function_concurrency(&self, name: &str) -> Result<Value, Refusal> {
        let Some(pool) = self.pool(name) else {
            let message = format!("Function not found: {name}");
            return Err(Refusal::new("ResourceNotFoundException", message).with_status(404));
        };
        let reserved = pool.function().reserved_concurrency;
        Ok(reserved.map_or_else(
            || serde_json::json!({}),
            |most| serde_json::json!({"ReservedConcurrentExecutions": most}),
        ))
    }

    /// `GetFunctionConfiguration`, as far as it says how the function is set.
    pub(crate) fn function_configuration(&self, name: &str) -> Result<Value, Refusal> {
        let Some(pool) = self.pool(name) else {
            let message = format!("Function not found: {name}");
            return Err(Refusal::new("ResourceNotFoundException", message).with_status(404));
        };
        let function = pool.function();
        let arn = arn("lambda", &format!("function:{}", function.name));
        Ok(
            serde_json::json!({"FunctionName": function.name, "FunctionArn": arn, "Runtime": "provided.al2023",
            "Handler": "bootstrap", "Timeout": function.timeout.as_secs(), "Environment": {"Variables": function.env}}),
        )
    }

    /// How a function's events fare.
    pub(crate) fn events(&self, name: &str) -> anyhow::Result<watch::Receiver<Events>> {
        Ok(self.known(name)?.events())
    }

    /// Delivers an event, and tells whether the function handled it.
    pub(crate) async fn deliver(&self, name: &str, event: &Value) -> anyhow::Result<bool> {
        let pool = self.known(name)?.clone();
        Ok(queue::deliver(pool, Invocation::new(event.to_string().into())).await)
    }

    /// The pids of a function's processes, oldest first.
    pub(crate) fn pids(&self, name: &str) -> Vec<u32> {
        self.pool(name).map(|pool| pool.pids()).unwrap_or_default()
    }

    /// How many of a function's invocations are under way.
    pub(crate) fn invocations_under_way(&self, name: &str) -> usize {
        self.pool(name).map(|pool| pool.busy()).unwrap_or_default()
    }

    fn known(&self, name: &str) -> anyhow::Result<&Arc<SandboxPool>> {
        self.pool(name).with_context(|| format!("there is no function {name}"))
    }

    /// A function by its name, its ARN, or `account:function:name`.
    fn pool(&self, name_or_arn: &str) -> Option<&Arc<SandboxPool>> {
        let name = name_or_arn.rsplit_once(":function:").map_or(name_or_arn, |(_, name)| name);
        self.functions.get(short_name(name))
    }
}
