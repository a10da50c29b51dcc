//! ECS: services that keep their tasks, tasks that are real processes, and the agent of each task.

mod agent;
mod api;
mod input;
mod last_status;
mod metadata;
mod program;
mod protection;
mod run_task;
mod runner;
mod service_scheduler;
mod shapes;
mod start_throttle;
mod state;
mod state_change;
mod task;

use crate::config::Service;
use crate::environment::Environment;
use crate::eventbridge::StateChanges;
use crate::processes::Processes;
use anyhow::{Context, bail};
use program::{program, what};
use state::{EcsFaults, State};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use task::{StopCode, Task};
use tokio::sync::watch;

pub(crate) use agent::router;
pub use last_status::LastStatus;
pub use state::{AgentFault, ProtectionRule};
pub(crate) use state_change::StateChange;
pub use task::TaskStatus;

/// The one cluster, its services and its tasks.
#[derive(Debug)]
pub(crate) struct Ecs {
    cluster: String,
    address: SocketAddr,
    processes: Arc<Processes>,
    state: Mutex<State>,
    /// How things stand after every change; waiters wait for this.
    standing: watch::Sender<Vec<TaskStatus>>,
    /// Receives every change of a task's state.
    changes: Arc<StateChanges>,
}

impl Ecs {
    /// A cluster with its services, which start their tasks at once. `address` is where tasks ask about themselves.
    pub(crate) fn start(
        cluster: String,
        services: Vec<Service>,
        address: SocketAddr,
        processes: Arc<Processes>,
        changes: Arc<StateChanges>,
    ) -> anyhow::Result<Arc<Self>> {
        for service in &services {
            program(service, &what(service)).ensure_exists()?;
        }
        let names: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
        let state = Mutex::new(State::new(services));
        let standing = watch::Sender::default();
        let ecs = Arc::new(Self { cluster, address, processes, state, standing, changes });
        for name in names {
            ecs.start_warm(&name);
            tokio::spawn(ecs.clone().schedule(name));
        }
        Ok(ecs)
    }

    /// Resolves when no task is on its way up any more.
    pub(crate) async fn settled(&self) {
        self.until(|tasks| tasks.iter().all(|task| task.last_status != LastStatus::Provisioning)).await;
    }

    /// Waits until the tasks are as wished, and tells how they are then.
    pub(crate) async fn until(&self, wished: impl Fn(&[TaskStatus]) -> bool) -> Vec<TaskStatus> {
        let mut standing = self.standing.subscribe();
        let tasks = standing.wait_for(|tasks| wished(tasks)).await;
        tasks.expect("the sender lives as long as self").clone()
    }

    /// Whether there is a task definition of that family.
    pub(crate) fn has_family(&self, family: &str) -> bool {
        self.look(|state| state.definition(family).is_some())
    }

    pub(crate) fn tasks(&self) -> Vec<TaskStatus> {
        self.look(|state| state.tasks.iter().map(Task::status).collect())
    }

    /// Ends a task's process at once, as a crash would, and returns when it is gone.
    pub(crate) async fn kill(&self, task: &str) -> anyhow::Result<()> {
        let process = self.look(|state| state.task(task).map(|task| task.process.clone()));
        let Some(process) = process.with_context(|| format!("there is no task {task}"))? else {
            bail!("task {task} has no process yet");
        };
        process.kill();
        self.until(|tasks| {
            tasks.iter().all(|status| !status.is(task) || status.last_status == LastStatus::Stopped)
        })
        .await;
        Ok(())
    }

    /// Asks a task to stop, as `StopTask` does.
    pub(crate) fn stop(&self, task: &str, reason: &str) -> anyhow::Result<()> {
        self.ask_to_stop(task, StopCode::UserInitiated, reason)
    }

    /// Takes a task's machine away, as Fargate Spot does: protected or not.
    pub(crate) fn interrupt_spot(&self, task: &str) -> anyhow::Result<()> {
        self.ask_to_stop(task, StopCode::SpotInterruption, "Your Spot Task was interrupted.")
    }

    fn ask_to_stop(&self, task: &str, code: StopCode, reason: &str) -> anyhow::Result<()> {
        self.change(|state| {
            let task = state.task_mut(task).with_context(|| format!("there is no task {task}"))?;
            task.ask_to_stop(code, reason);
            Ok(())
        })
    }

    /// Registers a changed revision of a service's task definition, and has the service run it.
    pub(crate) fn deploy(&self, service: &str, change: impl FnOnce(&mut Service)) -> anyhow::Result<()> {
        self.change(|state| {
            let service = state.known_service(service)?;
            let mut definition = service.config.clone();
            change(&mut definition);
            program(&definition, &what(&definition)).ensure_exists()?;
            service.deploy(definition);
            Ok(())
        })
    }

    /// Has a service run an earlier revision again, as a deployment's rollback does.
    pub(crate) fn roll_back(&self, service: &str, revision: usize) -> anyhow::Result<()> {
        self.change(|state| {
            let service = state.known_service(service)?;
            let is_known = (1..=service.definitions.len()).contains(&revision);
            anyhow::ensure!(is_known, "there is no revision {revision}");
            service.run(revision);
            Ok(())
        })
    }

    /// Sets how many tasks a service keeps, as `UpdateService` does.
    pub(crate) fn scale(&self, service: &str, desired: usize) -> anyhow::Result<()> {
        self.change(|state| {
            state.known_service(service)?.config.desired = desired;
            Ok(())
        })
    }

    /// Returns where the tasks' state changes are published.
    pub(crate) fn changes(&self) -> &StateChanges {
        &self.changes
    }

    /// Sets how long tasks of a service take to start.
    pub(crate) fn delay_starts(&self, service: &str, delay: Duration) -> anyhow::Result<()> {
        self.change(|state| {
            let service = state.known_service(service)?;
            for definition in service.definitions.iter_mut().chain([&mut service.config]) {
                definition.start_delay = delay;
            }
            Ok(())
        })
    }

    /// Keeps the next `times` tasks of a service from starting.
    pub(crate) fn fail_starts(&self, service: &str, times: usize) -> anyhow::Result<()> {
        self.change(|state| {
            state.known_service(service)?.failing_starts = times;
            Ok(())
        })
    }

    pub(crate) fn inject(&self, change: impl FnOnce(&mut EcsFaults)) {
        self.change(|state| change(&mut state.faults));
    }

    fn start_warm(self: &Arc<Self>, service: &str) {
        let (config, desired) = self.look(|state| {
            let service = state.service(service).expect("it was just put in");
            (service.config.clone(), service.config.desired)
        });
        for _ in 0..desired {
            self.launch(Task::of_service(&self.cluster, &config), Duration::ZERO);
        }
    }

    /// Enters a task and starts its process after `delay`.
    fn launch(self: &Arc<Self>, task: Task, delay: Duration) {
        let id = task.id.clone();
        self.change(|state| state.tasks.push(task));
        tokio::spawn(self.clone().run(id, delay));
    }

    /// Returns the settings by which a task's process reaches its agent.
    fn task_environment(&self, task: &Task) -> Environment {
        let (address, container) = (self.address, task.container_id());
        [
            ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE".to_owned()),
            ("ECS_CONTAINER_METADATA_URI_V4", format!("http://{address}/v4/{container}")),
            ("ECS_AGENT_URI", format!("http://{address}/api/{container}")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().expect("no thread panics while holding the cluster"))
    }

    /// Changes the cluster, and publishes the tasks as they are then.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().expect("no thread panics while holding the cluster");
        let result = change(&mut state);
        for task in state.tasks.iter_mut().filter(|task| task.has_news()) {
            task.count_news();
            self.changes.publish(StateChange::of(&self.cluster, task, SystemTime::now()));
        }
        self.standing.send_replace(state.tasks.iter().map(Task::status).collect());
        result
    }
}
