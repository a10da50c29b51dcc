//! The cloud as a rehearsal holds it: starts it, queries it, injects faults, stops it.

use crate::client;
use crate::config::{CloudConfig, Service};
use crate::dynamodb::DynamoDb;
use crate::ecs::{Ecs, TaskStatus};
use crate::endpoint::{self, Services};
use crate::environment::{self, ACCESS_KEY_ID, Environment};
use crate::eventbridge::{EventBridge, StateChanges};
use crate::fault_injector::FaultInjector;
use crate::kill_points::{KillMoment, KillPoint, Step};
use crate::lambda::{Events, Lambda};
use crate::listening::{self, ANY_PORT};
use crate::logs::LogFile;
use crate::process::Ending;
use crate::processes::Processes;
use crate::refusal::Refusal;
use crate::requests::Requests;
use crate::rights::Rights;
use crate::secrets::Secrets;
use anyhow::Context;
use aws_config::SdkConfig;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::DropGuard;

/// AWS on loopback. Dropping it kills every child; [`Cloud::stop`] lets them end first.
#[derive(Debug)]
pub struct Cloud {
    environment: Environment,
    services: Arc<Services>,
    processes: Arc<Processes>,
    _over: DropGuard,
}

impl Cloud {
    /// Creates the tables, starts the services' tasks and listens.
    ///
    /// When it returns every task has a process; whether that process is ready is for the product to say.
    pub async fn start(config: CloudConfig) -> anyhow::Result<Self> {
        let ending = Ending::default();
        let over = ending.over.clone();
        let guard = over.clone().drop_guard();
        let listener = listening::bind(ANY_PORT).await?;
        let address = listening::address(&listener);
        let environment = environment::pointing_at(address);
        let processes = Arc::new(Processes::new(environment.clone(), config.logs, ending));
        let rights = rights_of(&config.template)?;
        let dynamodb =
            DynamoDb::start(&config.template, config.tables_in.as_deref(), config.seed, over.clone()).await?;
        let lambda = Arc::new(Lambda::start(config.functions, processes.clone()).await?);
        let (changes, published) = StateChanges::new();
        let eventbridge =
            EventBridge::start(config.rules, config.schedules, lambda.clone(), published, over.clone())?;
        let ecs = Ecs::start(config.cluster, config.services, address, processes.clone(), changes)?;
        let secrets = Secrets::new(config.secrets);
        let (kill_points, requests) = (processes.kill_points().clone(), Requests::default());
        let services =
            Services { dynamodb, ecs, eventbridge, lambda, secrets, requests, rights, kill_points };
        let services = Arc::new(services);
        listening::serve(listener, endpoint::router(services.clone()), over);
        services.ecs.settled().await;
        Ok(Self { environment, services, processes, _over: guard })
    }

    /// The address of every service, `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        self.environment["AWS_ENDPOINT_URL"].clone()
    }

    /// Returns the settings of every child, by which another program speaks to this cloud and to nothing else.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.environment.clone()
    }

    /// The same for a client in this process: give it to `aws_sdk_…::Client::new`.
    pub fn sdk_config(&self) -> SdkConfig {
        client::configuration(&self.environment)
    }

    /// The same for a client that the cloud takes for a program of this name: faults are injected into its requests as into those of children.
    pub fn sdk_config_as(&self, name: &str) -> SdkConfig {
        let mut environment = self.environment();
        environment.insert(ACCESS_KEY_ID.to_owned(), name.to_owned());
        client::configuration(&environment)
    }

    /// Injects faults while the cloud runs.
    pub fn faults(&self) -> FaultInjector<'_> {
        FaultInjector::of(&self.services)
    }

    /// Invokes a scheduled function now, and returns when it has handled that.
    ///
    /// # Errors
    /// When it has no schedule, or fails at every attempt.
    pub async fn run_schedule(&self, function: &str) -> anyhow::Result<()> {
        self.services.eventbridge.run_schedule(function).await
    }

    /// The name of a table by its key in the template.
    pub fn table_name(&self, logical_id: &str) -> Option<&str> {
        self.services.dynamodb.table_name(logical_id)
    }

    /// A function's URL, `http://127.0.0.1:port/`. Every path under it reaches the function as `rawPath`.
    ///
    /// # Panics
    /// When there is no such function.
    pub fn function_url(&self, name: &str) -> String {
        let address = self.services.lambda.url(name);
        format!("http://{}/", address.unwrap_or_else(|| panic!("there is no function {name}")))
    }

    /// Gives a function one more URL, at an address that is known outside.
    pub async fn listen_at(&self, function: &str, address: SocketAddr) -> anyhow::Result<SocketAddr> {
        self.services.lambda.listen_at(function, address).await
    }

    /// Kills every process of a function, and returns when they are gone.
    ///
    /// What they were doing fails: a caller that waits gets a `FunctionError`, an event is tried again in a new process.
    pub async fn kill_function(&self, name: &str) -> anyhow::Result<()> {
        self.services.lambda.kill(name).await
    }

    /// Kills a function's process at a step of its own work, the next time one gets there.
    ///
    /// Say `kill_function_after("webhook", Step::Request(2), KillMoment::Arrived)`: it dies after its second request to AWS of
    /// an invocation arrived, and before that request has any effect. With it dies what it asked of others meanwhile.
    pub fn kill_function_after(
        &self,
        name: &str,
        step: Step,
        moment: KillMoment,
    ) -> anyhow::Result<KillPoint> {
        anyhow::ensure!(self.services.lambda.has(name), "there is no function {name}");
        Ok(self.processes.kill_points().set(name, step, moment))
    }

    /// The same for a task, by the family of its definition: the first that gets there dies.
    pub fn kill_task_after(&self, family: &str, step: Step, moment: KillMoment) -> anyhow::Result<KillPoint> {
        anyhow::ensure!(self.services.ecs.has_family(family), "there is no task definition {family}");
        Ok(self.processes.kill_points().set(family, step, moment))
    }

    /// Returns the counts of a function's events so far.
    pub fn events(&self, function: &str) -> anyhow::Result<Events> {
        Ok(*self.services.lambda.events(function)?.borrow())
    }

    /// Waits until the counts of a function's events satisfy `wished`, and returns them.
    pub async fn events_until(
        &self,
        function: &str,
        wished: impl FnMut(&Events) -> bool,
    ) -> anyhow::Result<Events> {
        let mut events = self.services.lambda.events(function)?;
        Ok(*events.wait_for(wished).await.context("the function is gone")?)
    }

    /// The pids of a function's processes, oldest first; none before its first invocation.
    pub fn function_pids(&self, name: &str) -> Vec<u32> {
        self.services.lambda.pids(name)
    }

    /// How many invocations of a function are under way.
    pub fn invocations_under_way(&self, name: &str) -> usize {
        self.services.lambda.invocations_under_way(name)
    }

    /// Every task there ever was, oldest first.
    pub fn tasks(&self) -> Vec<TaskStatus> {
        self.services.ecs.tasks()
    }

    /// Waits until the tasks satisfy `wished`, and returns them.
    pub async fn tasks_until(&self, wished: impl Fn(&[TaskStatus]) -> bool) -> Vec<TaskStatus> {
        self.services.ecs.until(wished).await
    }

    /// Kills a task's process, as a crash would, and returns when the task is STOPPED.
    ///
    /// # Errors
    /// When there is no such task, or it has no process yet.
    pub async fn kill_task(&self, id_or_arn: &str) -> anyhow::Result<()> {
        self.services.ecs.kill(id_or_arn).await
    }

    /// Asks a task to stop: SIGTERM, then SIGKILL after its stop timeout. Returns at once.
    pub fn stop_task(&self, id_or_arn: &str) -> anyhow::Result<()> {
        self.services.ecs.stop(id_or_arn, "Task stopped by the rehearsal")
    }

    /// Interrupts a task, as Fargate Spot does when it wants the machine back: as [`Cloud::stop_task`], whether or not it
    /// is protected.
    pub fn interrupt_spot(&self, id_or_arn: &str) -> anyhow::Result<()> {
        self.services.ecs.interrupt_spot(id_or_arn)
    }

    /// Registers a further revision of a service's task definition, changed so, and has the service run it: new tasks
    /// start beside the old ones, and replace those that are not protected. Returns at once.
    pub fn deploy(&self, service: &str, change: impl FnOnce(&mut Service)) -> anyhow::Result<()> {
        self.services.ecs.deploy(service, change)
    }

    /// Has a service run an earlier revision of its task definition again, as a rollback does. Returns at once.
    pub fn roll_back(&self, service: &str, revision: usize) -> anyhow::Result<()> {
        self.services.ecs.roll_back(service, revision)
    }

    /// Sets how many tasks a service keeps. Protected tasks survive.
    pub fn scale(&self, service: &str, desired: usize) -> anyhow::Result<()> {
        self.services.ecs.scale(service, desired)
    }

    /// Gives a secret a new value; the one before becomes `AWSPREVIOUS`.
    pub fn rotate_secret(&self, id: &str, value: impl Into<String>) {
        self.services.secrets.rotate(id, value.into());
    }

    /// Returns the values of a secret: the current one, and the one before, if there is one. None without such a secret.
    pub fn secret_values(&self, id: &str) -> Vec<String> {
        self.services.secrets.values(id)
    }

    /// Registers a function that runs elsewhere: Lambda shows its URL, and it cannot be invoked here.
    pub fn put_function_elsewhere(&self, name: &str, url: &str) {
        self.services.lambda.put_elsewhere(name, url);
    }

    /// What Lambda says of the account's concurrency, at first 1,000. Nothing is throttled for it.
    pub fn set_concurrency_quota(&self, quota: usize) {
        self.services.lambda.set_concurrency(quota);
    }

    /// How often each `service.Action` was called, such as `dynamodb.PutItem`; refused calls included.
    pub fn requests(&self) -> BTreeMap<String, usize> {
        self.services.requests.counts()
    }

    /// What programs may do by the template, and what they have made use of so far.
    pub fn rights(&self) -> &Rights {
        &self.services.rights
    }

    /// Refuses the next `times` calls of a `service.Action`.
    pub fn refuse_next(&self, action: &str, times: usize, refusal: Refusal) {
        self.services.requests.refuse_next(action, times, refusal);
    }

    /// The logs of the children so far, in the order they started.
    pub fn log_files(&self) -> Vec<LogFile> {
        self.processes.log_files()
    }

    /// Asks every child to end, waits briefly, and kills the rest.
    pub async fn stop(self) {
        self.processes.end().await;
    }
}

fn rights_of(template: &Path) -> anyhow::Result<Rights> {
    let text = std::fs::read_to_string(template);
    let text = text.with_context(|| format!("cannot read the template {}", template.display()))?;
    Rights::of(&text).with_context(|| format!("in {}", template.display()))
}
