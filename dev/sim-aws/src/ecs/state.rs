//! The state of the cluster: its services, and every task there ever was.

use super::input::RunTask;
use super::start_throttle::StartThrottle;
use super::task::Task;
use crate::config::Service;
use crate::identity::short_name;
use anyhow::Context;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

#[derive(Debug)]
pub(super) struct State {
    pub(super) services: Vec<ServiceState>,
    pub(super) tasks: Vec<Task>,
    /// What `RunTask` did under each client token.
    pub(super) tokens: BTreeMap<String, AnsweredRequest>,
    pub(super) faults: EcsFaults,
}

/// A request that was answered under a client token, with tasks or with a failure. Exceptions are not remembered.
#[derive(Debug, Clone)]
pub(super) struct AnsweredRequest {
    pub(super) request: RunTask,
    pub(super) tasks: Vec<String>,
    pub(super) failure: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct EcsFaults {
    /// How many of the next `RunTask` start nothing, and the reason.
    pub(crate) run_task: (usize, String),
    /// How many of the next attempts to protect a task fail, and the reason.
    pub(crate) protection: (usize, String),
    /// How the agents fail when they are asked about protection, and how often from now on.
    pub(crate) agent: Option<(usize, AgentFault)>,
    /// How many of the next requests for a task's metadata fail.
    pub(crate) metadata: usize,
    /// When a deployment blocks protection.
    pub(crate) rule: ProtectionRule,
}

/// When `UpdateTaskProtection` fails with `DEPLOYMENT_BLOCKED`: AWS says "more protected tasks than the desired count", and
/// not whether it counts the task that asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProtectionRule {
    /// When there were more of them before the request.
    #[default]
    Before,
    /// When there would be more of them after it.
    After,
}

/// What an ECS agent does when it is asked about protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentFault {
    /// It does as asked, and takes this long.
    Slow(Duration),
    /// It passes on that ECS throttles it: a 400 with `ThrottlingException`.
    Throttled,
    /// It waits for ECS, in vain, and says so after this long: a 504. Nothing is changed.
    TimesOut(Duration),
    /// It fails with a 500.
    Fails,
    /// It answers what is no JSON.
    Garbles,
}

#[derive(Debug)]
pub(super) struct ServiceState {
    /// What it runs now, and how many of that.
    pub(super) config: Service,
    /// The revision of its task definition that it runs now.
    pub(super) revision: usize,
    /// Every revision of its task definition, from 1 on.
    pub(super) definitions: Vec<Service>,
    pub(super) start_throttle: StartThrottle,
    /// How many of its next tasks never start.
    pub(super) failing_starts: usize,
    pub(super) created: SystemTime,
    /// The revision that a deployment under way replaces.
    pub(super) source: Option<Source>,
}

/// The revision that a deployment replaces, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) revision: usize,
    /// How many of its tasks made room for those of the new revision.
    pub(super) replaced: usize,
}

impl ServiceState {
    /// Registers a further revision, and runs it from now on. One whose own deployment is not over is replaced by nothing:
    /// the last revision that was deployed is.
    pub(super) fn deploy(&mut self, definition: Service) {
        let replaced = self.source.map_or(self.revision, |source| source.revision);
        self.definitions.push(definition);
        self.run(self.definitions.len());
        self.source = Some(Source { revision: replaced, replaced: 0 });
    }

    /// Runs a revision that is registered from now on, as a rollback does: the one that failed gets no further tasks.
    pub(super) fn run(&mut self, revision: usize) {
        self.source = None;
        let desired = self.config.desired;
        self.config = Service { desired, ..self.definitions[revision - 1].clone() };
        self.revision = revision;
    }
}

impl State {
    pub(super) fn new(services: Vec<Service>) -> Self {
        let created = SystemTime::now();
        let service = |config: Service| ServiceState {
            definitions: vec![config.clone()],
            config,
            revision: 1,
            start_throttle: StartThrottle::default(),
            failing_starts: 0,
            created,
            source: None,
        };
        Self {
            services: services.into_iter().map(service).collect(),
            tasks: Vec::new(),
            tokens: BTreeMap::new(),
            faults: EcsFaults::default(),
        }
    }

    /// Whether too many tasks of a task's service are protected for this one to be.
    pub(super) fn blocks_protection(&self, name: &str, now: SystemTime) -> bool {
        let Some(task) = self.task(name) else { return false };
        let Some(service) = task.service.as_deref().and_then(|service| self.service(service)) else {
            return false;
        };
        let protected = self.tasks_of(&service.config.name).filter(|task| task.is_protected(now));
        let before = protected.count();
        let counted = match self.faults.rule {
            ProtectionRule::Before => before,
            ProtectionRule::After => before + usize::from(!task.is_protected(now)),
        };
        counted > service.config.desired
    }

    pub(super) fn task(&self, id_or_arn: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == short_name(id_or_arn))
    }

    pub(super) fn task_mut(&mut self, id_or_arn: &str) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.id == short_name(id_or_arn))
    }

    pub(super) fn service(&self, name_or_arn: &str) -> Option<&ServiceState> {
        self.services.iter().find(|service| service.config.name == short_name(name_or_arn))
    }

    pub(super) fn service_mut(&mut self, name_or_arn: &str) -> Option<&mut ServiceState> {
        self.services.iter_mut().find(|service| service.config.name == short_name(name_or_arn))
    }

    /// The same; an error when there is no such service.
    pub(super) fn known_service(&mut self, name: &str) -> anyhow::Result<&mut ServiceState> {
        self.service_mut(name).with_context(|| format!("there is no service {name}"))
    }

    /// Takes one of the failing starts of a family, if any is left.
    pub(super) fn take_failing_start(&mut self, family: &str) -> bool {
        let service = self.services.iter_mut().find(|service| service.config.family == family);
        service.is_some_and(|service| {
            service.failing_starts.checked_sub(1).map(|left| service.failing_starts = left).is_some()
        })
    }

    /// A task definition by `family`, which is its latest revision, by `family:revision`, or by ARN.
    pub(super) fn definition(&self, name_or_arn: &str) -> Option<(usize, &Service)> {
        let name = name_or_arn.rsplit_once('/').map_or(name_or_arn, |(_, name)| name);
        let (family, revision) = match name.split_once(':') {
            Some((family, revision)) => (family, Some(revision.parse().ok()?)),
            None => (name, None),
        };
        let service = self.services.iter().find(|service| service.config.family == family)?;
        let revision: usize = revision.unwrap_or(service.definitions.len());
        Some((revision, service.definitions.get(revision.checked_sub(1)?)?))
    }

    pub(super) fn definition_of(&self, task: &Task) -> &Service {
        let definition = self.definition(&format!("{}:{}", task.family, task.revision));
        definition.expect("definitions are never removed").1
    }

    pub(super) fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Task> {
        self.tasks.iter().filter(move |task| task.service.as_deref() == Some(service))
    }
}
