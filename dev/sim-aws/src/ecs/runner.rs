//! Runs one task from PROVISIONING to STOPPED: starts its process, and ends it when asked to.

use super::Ecs;
use super::program::{program, what};
use super::task::StopCode;
use crate::config::Service;
use crate::process::Process;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// What ECS says of a task that never got its network interface.
const NO_NETWORK: &str = "Timeout waiting for network interface provisioning to complete.";

impl Ecs {
    /// Runs a task that was entered before, after the delay Fargate takes.
    pub(super) async fn run(self: Arc<Self>, id: String, delay: Duration) {
        let (asked_to_stop, config) = self.look(|state| {
            let task = state.task(&id).expect("tasks are never removed");
            let config = state.definition_of(task).clone();
            (task.asked_to_stop.clone(), config)
        });
        let exit = match self.provision(&id, &config, delay, &asked_to_stop).await {
            Some(process) => Some(watch_over(&process, &asked_to_stop, config.stop_timeout).await),
            None => None,
        };
        self.end(&id, exit);
    }

    /// The task's process; none when it was stopped before it had one, or when it cannot start.
    async fn provision(
        &self,
        id: &str,
        config: &Service,
        delay: Duration,
        asked_to_stop: &CancellationToken,
    ) -> Option<Process> {
        tokio::select! {
            biased;
            () = asked_to_stop.cancelled() => return None,
            () = self.processes.closing() => return None,
            () = sleep(delay) => {}
        }
        if self.fails_to_start(id, config) {
            return None;
        }
        let environment = self.look(|state| {
            let task = state.task(id).expect("tasks are never removed");
            let mut environment = config.env.clone();
            environment.extend(task.overrides.clone());
            environment.extend(self.task_environment(task));
            environment
        });
        let started = self.processes.start(program(config, &what(config)), &environment);
        if let Ok(process) = &started {
            self.processes.kill_points().begin(process);
        }
        self.change(|state| {
            let task = state.task_mut(id).expect("tasks are never removed");
            match started {
                Ok(process) => {
                    task.has_started(process.clone(), SystemTime::now());
                    Some(process)
                }
                Err(error) => {
                    let reason = format!("CannotStartContainerError: {error:#}");
                    tracing::warn!(task.id = id, reason, "A task failed to start");
                    task.ask_to_stop(StopCode::TaskFailedToStart, &reason);
                    None
                }
            }
        })
    }

    /// Stops a task that was to get no network interface, as happens to some on Fargate.
    fn fails_to_start(&self, id: &str, config: &Service) -> bool {
        self.change(|state| {
            let failing_starts = state.take_failing_start(&config.family);
            if failing_starts {
                let task = state.task_mut(id).expect("tasks are never removed");
                task.ask_to_stop(StopCode::TaskFailedToStart, NO_NETWORK);
            }
            failing_starts
        })
    }

    fn end(&self, id: &str, exit: Option<ExitStatus>) {
        let now = SystemTime::now();
        self.change(|state| {
            let task = state.task_mut(id).expect("tasks are never removed");
            task.has_stopped(exit, now);
            let died = matches!(
                task.stop,
                Some((StopCode::EssentialContainerExited | StopCode::TaskFailedToStart, _))
            );
            let lived = task.started.and_then(|started| now.duration_since(started).ok()).unwrap_or_default();
            let service = task.service.clone();
            let service = service.and_then(|service| state.service_mut(&service));
            if let Some(service) = service.filter(|_| died) {
                service.start_throttle.lost(lived, now);
            }
        });
        tracing::debug!(task.id = id, "A task stopped");
    }
}

/// Waits for the process to end; asked to stop it, sends SIGTERM, and SIGKILL when that takes too long.
async fn watch_over(process: &Process, asked_to_stop: &CancellationToken, patience: Duration) -> ExitStatus {
    tokio::select! {
        status = process.exited() => return status,
        () = asked_to_stop.cancelled() => process.stop(),
    }
    match timeout(patience, process.exited()).await {
        Ok(status) => status,
        Err(_) => {
            process.kill();
            process.exited().await
        }
    }
}
