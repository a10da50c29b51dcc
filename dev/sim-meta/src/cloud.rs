//! The state of Meta's cloud: calls, messages, subscribers, injected faults.

use crate::business_records::BusinessRecords;
use crate::clock::Clock;
use crate::journal::Journal;
use crate::shared_call::SharedCall;
use crate::webhook::delivery::WebhookSender;
use crate::webhook::json;
use crate::{Action, InjectedFault, MetaConfig, ObservationKind, wacid};
use fastrand::Rng;
use serde_json::Value;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A future that can be kept in a hook.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

type Hook = Arc<dyn Fn(Action) -> BoxFuture<()> + Send + Sync>;

/// Shared by Graph, the calls and the handle.
pub(crate) struct Cloud {
    pub(crate) config: MetaConfig,
    pub(crate) clock: Clock,
    pub(crate) journal: Arc<Journal>,
    pub(crate) sender: WebhookSender,
    access_token: Mutex<String>,
    records: Mutex<BusinessRecords>,
    rng: Mutex<Rng>,
    calls: Mutex<HashMap<String, Arc<SharedCall>>>,
    messages: Mutex<Vec<Value>>,
    hook: Mutex<Option<Hook>>,
    strays: Mutex<Vec<String>>,
}

impl Cloud {
    pub(crate) fn new(config: MetaConfig) -> anyhow::Result<Cloud> {
        Ok(Cloud {
            sender: WebhookSender::new(&config)?,
            access_token: Mutex::new(config.access_token.clone()),
            records: Mutex::default(),
            rng: Mutex::new(Rng::with_seed(config.seed)),
            config,
            clock: Clock::starting_now(),
            journal: Arc::default(),
            calls: Mutex::default(),
            messages: Mutex::default(),
            hook: Mutex::default(),
            strays: Mutex::default(),
        })
    }

    /// The one access token that Graph takes.
    pub(crate) fn access_token(&self) -> String {
        lock(&self.access_token).clone()
    }

    pub(crate) fn set_access_token(&self, token: String) {
        *lock(&self.access_token) = token;
    }

    /// What is on file about the business.
    pub(crate) fn records(&self) -> BusinessRecords {
        lock(&self.records).clone()
    }

    pub(crate) fn change_records(&self, change: impl FnOnce(&mut BusinessRecords)) {
        change(&mut lock(&self.records));
    }

    /// Returns a generator for one call, so that what one call draws does not depend on what another drew before.
    pub(crate) fn rng(&self) -> Rng {
        lock(&self.rng).fork()
    }

    /// A webhook's bytes.
    pub(crate) fn write(&self, notice: &Value) -> String {
        json::write(notice, &mut self.rng())
    }

    /// As long as Graph takes to reply about a call, or about none.
    pub(crate) async fn delay(&self, call: Option<&SharedCall>) {
        let is_slow = match call {
            Some(call) => call.faults.has(InjectedFault::GraphSlow),
            None => self.config.fault == Some(InjectedFault::GraphSlow),
        };
        self.delay_by(if is_slow { self.config.timers.slow_graph } else { Duration::ZERO }).await;
    }

    /// As long as Graph usually takes, and so much longer.
    pub(crate) async fn delay_by(&self, more: Duration) {
        let delay = self.config.graph_delay + more;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    pub(crate) fn add_call(&self, call: Arc<SharedCall>) {
        lock(&self.calls).insert(call.id.clone(), call);
    }

    /// A call by its id, ended ones too.
    pub(crate) fn call(&self, call: &str) -> Option<Arc<SharedCall>> {
        lock(&self.calls).get(call).cloned()
    }

    /// Every call so far, in the order they began.
    pub(crate) fn calls(&self) -> Vec<Arc<SharedCall>> {
        let mut calls: Vec<_> = lock(&self.calls).values().cloned().collect();
        calls.sort_by_key(|call| call.began);
        calls
    }

    /// Notes that the business acted on a call that is none of its own.
    pub(crate) fn note_stray(&self, call: &str) {
        lock(&self.strays).push(call.to_owned());
    }

    pub(crate) fn strays(&self) -> Vec<String> {
        lock(&self.strays).clone()
    }

    /// The newest call of a number or user id.
    pub(crate) fn call_of(&self, user: &str) -> Option<Arc<SharedCall>> {
        let calls = lock(&self.calls);
        let theirs = calls
            .values()
            .filter(|call| call.caller.number.as_deref() == Some(user) || call.caller.user_id == user);
        theirs.max_by_key(|call| call.began).cloned()
    }

    /// Publishes an observation, and adds it to the report of the call that it belongs to.
    pub(crate) fn observe(&self, call: Option<&SharedCall>, kind: ObservationKind) {
        match call {
            Some(call) => call.observe(kind),
            None => self.journal.publish("", Instant::now(), kind),
        }
    }

    /// Keeps a message to this user; its new id.
    pub(crate) fn remember_message(&self, message: Value, to: &str) -> String {
        lock(&self.messages).push(message);
        let digits: String = to.chars().filter(char::is_ascii_digit).collect();
        wacid::of_message(&digits, &mut self.rng())
    }

    pub(crate) fn messages(&self) -> Vec<Value> {
        lock(&self.messages).clone()
    }

    pub(crate) fn set_hook(&self, hook: Hook) {
        *lock(&self.hook) = Some(hook);
    }

    /// Lets the hook see an action that took effect, and waits for it.
    pub(crate) async fn notify_hook(&self, action: Action) {
        let hook = lock(&self.hook).clone();
        if let Some(hook) = hook {
            hook(action).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
