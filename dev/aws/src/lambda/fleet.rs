//! The processes of one function: as many as invocations at once, the idle ones kept.

use super::outcome::Outcome;
use super::sandbox::{self, Invocation, Sandbox};
use crate::config::Function;
use crate::process::Process;
use crate::processes::Processes;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// One function and its processes.
#[derive(Debug)]
pub(super) struct Fleet {
    function: Function,
    processes: Arc<Processes>,
    sandboxes: Mutex<Sandboxes>,
}

#[derive(Debug, Default)]
struct Sandboxes {
    idle: Vec<Sandbox>,
    /// Every process that may still run, idle or busy.
    running: Vec<Process>,
}

impl Fleet {
    /// A function without a process yet.
    ///
    /// # Errors
    /// When its program does not exist.
    pub(super) fn new(function: Function, processes: Arc<Processes>) -> anyhow::Result<Self> {
        sandbox::program(&function, &sandbox::what(&function)).ensure_exists()?;
        Ok(Self { function, processes, sandboxes: Mutex::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.function.name
    }

    pub(super) fn retry_after(&self) -> &[Duration] {
        &self.function.retry_after
    }

    /// Invokes the function, in an idle process or a new one.
    ///
    /// It runs to its end even when who asked has gone, as in Lambda.
    pub(super) async fn invoke(self: &Arc<Self>, invocation: Invocation) -> Outcome {
        let fleet = self.clone();
        let running = tokio::spawn(async move { fleet.run(&invocation).await });
        running.await.expect("an invocation does not panic")
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

    /// The process used last, since Lambda lets the others grow cold. A frozen one thaws at its [`Desk`](super::runtime::Desk).
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
        self.sandboxes.lock().expect("nobody panics while holding the sandboxes")
    }
}
