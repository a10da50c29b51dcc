//! What Meta's cloud knows: the calls, the messages, who watches, and what is to go wrong.

use crate::chance::Chance;
use crate::clock::Clock;
use crate::journal::Journal;
use crate::line::Line;
use crate::webhook::delivery::Postman;
use crate::webhook::json;
use crate::{Action, MetaConfig, Mischief, Seen};
use serde_json::Value;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A future that can be kept in a hook.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

type Hook = Arc<dyn Fn(Action) -> BoxFuture<()> + Send + Sync>;

/// Shared by Graph, the calls and the handle.
pub(crate) struct Cloud {
    pub(crate) config: MetaConfig,
    pub(crate) clock: Clock,
    pub(crate) journal: Arc<Journal>,
    pub(crate) postman: Postman,
    chance: Mutex<Chance>,
    lines: Mutex<HashMap<String, Arc<Line>>>,
    messages: Mutex<Vec<Value>>,
    hook: Mutex<Option<Hook>>,
    mischief_done: AtomicBool,
}

impl Cloud {
    /// A cloud without calls.
    ///
    /// # Errors
    /// When there can be no HTTP client.
    pub(crate) fn new(config: MetaConfig) -> anyhow::Result<Cloud> {
        Ok(Cloud {
            postman: Postman::new(&config)?,
            chance: Mutex::new(Chance::seeded(config.seed)),
            config,
            clock: Clock::starting_now(),
            journal: Arc::default(),
            lines: Mutex::default(),
            messages: Mutex::default(),
            hook: Mutex::default(),
            mischief_done: AtomicBool::new(false),
        })
    }

    /// Whether this is what goes wrong.
    pub(crate) fn does(&self, mischief: Mischief) -> bool {
        self.config.mischief == Some(mischief)
    }

    /// Whether this goes wrong now; it does not again.
    pub(crate) fn does_once(&self, mischief: Mischief) -> bool {
        self.does(mischief) && !self.mischief_done.swap(true, Ordering::Relaxed)
    }

    /// A stream of chances for one call.
    pub(crate) fn chance(&self) -> Chance {
        lock(&self.chance).fork()
    }

    /// A webhook's bytes.
    pub(crate) fn write(&self, notice: &Value) -> String {
        json::write(notice, &mut self.chance())
    }

    /// As long as Graph takes to reply.
    pub(crate) async fn delay(&self) {
        let slow = self.does(Mischief::GraphSlow).then_some(self.config.timers.slow_graph);
        let delay = self.config.graph_delay + slow.unwrap_or_default();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    pub(crate) fn add_line(&self, line: Arc<Line>) {
        lock(&self.lines).insert(line.id.clone(), line);
    }

    /// A call by its id, ended ones too.
    pub(crate) fn line(&self, call: &str) -> Option<Arc<Line>> {
        lock(&self.lines).get(call).cloned()
    }

    /// The id of the newest call of a number or user id; empty when there is none.
    pub(crate) fn call_of(&self, user: &str) -> String {
        let lines = lock(&self.lines);
        let theirs = lines
            .values()
            .filter(|line| line.caller.number.as_deref() == Some(user) || line.caller.user_id == user);
        theirs.max_by_key(|line| line.began).map(|line| line.id.clone()).unwrap_or_default()
    }

    /// Tells what happened; to a call's own report too, if it is a call's.
    pub(crate) fn tell(&self, call: String, what: Seen) {
        match self.line(&call) {
            Some(line) => line.see(what),
            None => self.journal.tell(&call, Instant::now(), what),
        }
    }

    /// Keeps a message; its new id.
    pub(crate) fn remember_message(&self, message: Value) -> String {
        lock(&self.messages).push(message);
        format!("wamid.{}", self.chance().letters(40))
    }

    pub(crate) fn messages(&self) -> Vec<Value> {
        lock(&self.messages).clone()
    }

    pub(crate) fn set_hook(&self, hook: Hook) {
        *lock(&self.hook) = Some(hook);
    }

    /// Lets the hook see an action that took effect, and waits for it.
    pub(crate) async fn tell_hook(&self, action: Action) {
        let hook = lock(&self.hook).clone();
        if let Some(hook) = hook {
            hook(action).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
