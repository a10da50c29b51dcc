//! What the cluster holds: its services and every task there ever was.

use super::keeper::Losses;
use super::run_task::Carried;
use super::task::Task;
use crate::config::Service;
use crate::identity::short_name;
use anyhow::Context;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The cluster's services and tasks.
#[derive(Debug)]
pub(super) struct State {
    pub(super) services: Vec<ServiceState>,
    pub(super) tasks: Vec<Task>,
    /// What `RunTask` did under each client token.
    pub(super) tokens: BTreeMap<String, Carried>,
    pub(super) mishaps: Mishaps,
}

/// What is to go wrong.
#[derive(Debug, Default)]
pub(super) struct Mishaps {
    /// So many of the next `RunTask` start nothing, for this reason.
    pub(super) run_task: (usize, String),
    /// So many of the next attempts to protect a task fail.
    pub(super) protection: usize,
}

/// A service, and how it fares.
#[derive(Debug)]
pub(super) struct ServiceState {
    /// What it runs now, and how many of that.
    pub(super) config: Service,
    /// The revision of its task definition that it runs now.
    pub(super) revision: usize,
    /// Every revision of its task definition, from 1 on.
    pub(super) definitions: Vec<Service>,
    pub(super) losses: Losses,
    /// So many of its next tasks never start.
    pub(super) doomed: usize,
    pub(super) created: SystemTime,
}

impl ServiceState {
    /// Registers a further revision, and runs it from now on.
    pub(super) fn deploy(&mut self, definition: Service) {
        self.definitions.push(definition);
        self.run(self.definitions.len());
    }

    /// Runs a revision that is registered from now on.
    pub(super) fn run(&mut self, revision: usize) {
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
            losses: Losses::default(),
            doomed: 0,
            created,
        };
        Self {
            services: services.into_iter().map(service).collect(),
            tasks: Vec::new(),
            tokens: BTreeMap::new(),
            mishaps: Mishaps::default(),
        }
    }

    /// A task by its id or ARN.
    pub(super) fn task(&self, id_or_arn: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == short_name(id_or_arn))
    }

    pub(super) fn task_mut(&mut self, id_or_arn: &str) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.id == short_name(id_or_arn))
    }

    /// A service by its name or ARN.
    pub(super) fn service(&self, name_or_arn: &str) -> Option<&ServiceState> {
        self.services.iter().find(|service| service.config.name == short_name(name_or_arn))
    }

    pub(super) fn service_mut(&mut self, name_or_arn: &str) -> Option<&mut ServiceState> {
        self.services.iter_mut().find(|service| service.config.name == short_name(name_or_arn))
    }

    /// The same for who has no use for a service that is not there.
    pub(super) fn known_service(&mut self, name: &str) -> anyhow::Result<&mut ServiceState> {
        self.service_mut(name).with_context(|| format!("there is no service {name}"))
    }

    /// Whether the next task of a family is one that never starts. Asking uses that up.
    pub(super) fn dooms(&mut self, family: &str) -> bool {
        let service = self.services.iter_mut().find(|service| service.config.family == family);
        service
            .is_some_and(|service| service.doomed.checked_sub(1).map(|left| service.doomed = left).is_some())
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

    /// The definition a task was made from.
    pub(super) fn definition_of(&self, task: &Task) -> &Service {
        let definition = self.definition(&format!("{}:{}", task.family, task.revision));
        definition.expect("definitions are never removed").1
    }

    pub(super) fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Task> {
        self.tasks.iter().filter(move |task| task.service.as_deref() == Some(service))
    }
}
