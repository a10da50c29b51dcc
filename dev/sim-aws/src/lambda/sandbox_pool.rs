//! The processes of one function: as many as invocations at once, the idle ones kept.

use super::events::Events;
use super::outcome::{Outcome, Throttled};
use super::sandbox::{self, Invocation, Sandbox};
use crate::config::Function;
use crate::process::Process;
use crate::processes::Processes;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

#[derive(Debug)]
pub(super) struct SandboxPool {
    function: Function,
    processes: Arc<Processes>,
    sandboxes: Mutex<Sandboxes>,
    events: watch::Sender<Events>,
}

#[derive(Debug, Default)]
struct Sandboxes {
    idle: Vec<Sandbox>,
    /// Every process that may still run, idle or busy.
    running: Vec<Process>,
    busy: usize,
    /// How many of the next invocations are throttled, whatever the concurrency.
    throttles: usize,
}

/// An invocation's place among those its function may have at once. Dropping it makes room.
#[derive(Debug)]
struct Slot(Arc<SandboxPool>);

impl SandboxPool {
    /// A function without a process yet.
    pub(super) fn new(function: Function, processes: Arc<Processes>) -> anyhow::Result<Self> {
        sandbox::program(&function, &sandbox::what(&function)).ensure_exists()?;
        Ok(Self { function, processes, sandboxes: Mutex::default(), events: watch::Sender::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.function.name
    }

    pub(super) fn function(&self) -> &Function {
        &self.function
    }

    /// Invokes the function, in an idle process or a new one.
    ///
    /// It runs to its end even when who asked has gone, as in Lambda.
    pub(super) async fn invoke(self: &Arc<Self>, invocation: Invocation) -> Result<Outcome, Throttled> {
        let place = self.place()?;
        let running = tokio::spawn(async move { place.0.run(&invocation).await });
        Ok(running.await.expect("an invocation does not panic"))
    }

    pub(super) fn throttle(&self, times: usize) {
        self.lock().throttles = times;
    }

    pub(super) fn count_events(&self, count: impl FnOnce(&mut Events)) {
        self.events.send_modify(count);
    }

    /// How this function's events fare, and will fare.
    pub(super) fn events(&self) -> watch::Receiver<Events> {
        self.events.subscribe()
    }

    /// Whether nothing will be started any more.
    pub(super) fn is_closing(&self) -> bool {
        self.processes.is_closing()
    }

    /// Kills every process, and returns when they are gone.
    pub(super) async fn kill(&self) {
        let running = std::mem::take(&mut self.lock().running);
        for process in &running {
            process.kill();
        }
        for process in &running {
            process.exited().await;
        }
    }

    /// The pids of the processes that run, oldest first.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.lock().running.iter().filter(|process| process.is_alive()).map(Process::pid).collect()
    }

    pub(super) fn busy(&self) -> usize {
        self.lock().busy
    }

    fn place(self: &Arc<Self>) -> Result<Slot, Throttled> {
        let mut sandboxes = self.lock();
        if let Some(left) = sandboxes.throttles.checked_sub(1) {
            sandboxes.throttles = left;
            return Err(Throttled);
        }
        if self.function.reserved_concurrency.is_some_and(|most| sandboxes.busy >= most) {
            return Err(Throttled);
        }
        sandboxes.busy += 1;
        Ok(Slot(self.clone()))
    }

    async fn run(&self, invocation: &Invocation) -> Outcome {
        let sandbox = match self.idle() {
            Some(sandbox) => sandbox,
            None => match self.start().await {
                Ok(sandbox) => sandbox,
                Err(error) => return Outcome::not_started(&invocation.id, &error),
            },
        };
        let outcome = sandbox.run(invocation).await;
        self.rest(sandbox);
        outcome
    }

    /// The process used last, since Lambda lets the others grow cold. A frozen one thaws at its [`RuntimeApi`](super::runtime::RuntimeApi).
    fn idle(&self) -> Option<Sandbox> {
        let idle = &mut self.lock().idle;
        idle.retain(|sandbox| sandbox.process().is_alive());
        idle.pop()
    }

    async fn start(&self) -> anyhow::Result<Sandbox> {
        let sandbox = Sandbox::start(&self.function, &self.processes).await?;
        let running = &mut self.lock().running;
        running.retain(Process::is_alive);
        running.push(sandbox.process().clone());
        Ok(sandbox)
    }

    /// Keeps a process for the next invocation. It freezes once it asks for that.
    fn rest(&self, sandbox: Sandbox) {
        self.lock().idle.push(sandbox);
    }

    fn lock(&self) -> MutexGuard<'_, Sandboxes> {
        self.sandboxes.lock().expect("no thread panics while holding the sandboxes")
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
    }
}
