//! The configuration of a cloud: template, functions, services, secrets.

use crate::ecs::LastStatus;
use crate::logs::Logs;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Everything [`Cloud::start`](crate::Cloud::start) needs to know.
#[derive(Debug, Clone)]
pub struct CloudConfig {
    /// The CloudFormation template whose `AWS::DynamoDB::Table` resources become tables.
    pub template: PathBuf,
    /// The file in which the tables are kept; none, and they are gone with the cloud.
    pub tables_in: Option<PathBuf>,
    /// The one ECS cluster. A request that names another gets `ClusterNotFoundException`.
    pub cluster: String,
    /// The Lambda functions. Each starts cold, at its first invocation.
    pub functions: Vec<Function>,
    /// The ECS services, and with them the task definitions `RunTask` knows.
    pub services: Vec<Service>,
    /// Secret id (name or ARN) to its `SecretString`.
    pub secrets: BTreeMap<String, String>,
    /// The functions that EventBridge invokes when tasks change.
    pub rules: Vec<Rule>,
    /// Which functions EventBridge invokes again and again.
    pub schedules: Vec<Schedule>,
    /// The seed of everything random.
    pub seed: u64,
    /// Where the children's logs go.
    pub logs: Logs,
}

impl CloudConfig {
    /// A cloud with the template's tables, cluster `ahoy`, and nothing running yet.
    pub fn new(template: impl Into<PathBuf>) -> Self {
        Self {
            template: template.into(),
            tables_in: None,
            cluster: "ahoy".into(),
            functions: Vec::new(),
            services: Vec::new(),
            secrets: BTreeMap::new(),
            rules: Vec::new(),
            schedules: Vec::new(),
            seed: 0,
            logs: Logs::Discarded,
        }
    }
}

/// A Lambda function: a program that speaks the Runtime API.
#[derive(Debug, Clone)]
pub struct Function {
    /// What `Invoke` calls it.
    pub name: String,
    /// The program, which in AWS is called `bootstrap`.
    pub binary: PathBuf,
    /// Its own settings, beside what AWS gives every function.
    pub env: BTreeMap<String, String>,
    /// How long one invocation may take before the process is killed.
    pub timeout: Duration,
    /// How long to wait before each further attempt at a failed `Event` invocation; empty for none.
    ///
    /// AWS makes two, after one and after two minutes. Too long for a rehearsal.
    pub retry_after: Vec<Duration>,
    /// How long to wait before an `Event` that was throttled is offered again, doubled each further time up to 5 minutes.
    pub throttled_pause: Duration,
    /// How old an `Event` may be when it is tried again (`MaximumEventAgeInSeconds`). An older one is lost.
    pub max_event_age: Duration,
    /// The most invocations at once (`ReservedConcurrentExecutions`); none for as many as come. Further ones are throttled.
    pub reserved_concurrency: Option<usize>,
    /// Whether a process is stopped (SIGSTOP) from the moment it asks for more work until there is some, as Lambda does.
    pub freezes: bool,
}

impl Function {
    /// A function with Lambda's default timeout of 3 s, whose events are tried again after 0.5 s and 1 s.
    pub fn new(name: impl Into<String>, binary: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            binary: binary.into(),
            env: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            retry_after: vec![Duration::from_millis(500), Duration::from_secs(1)],
            throttled_pause: Duration::from_secs(1),
            max_event_age: Duration::from_secs(6 * 60 * 60),
            reserved_concurrency: None,
            freezes: true,
        }
    }
}

/// An ECS service, and the task definition its tasks are made from.
#[derive(Debug, Clone)]
pub struct Service {
    /// The service's name.
    pub name: String,
    /// The family of its task definition, as `RunTask` names it. This is revision 1.
    pub family: String,
    /// The name of the task's one container, as overrides name it.
    pub container: String,
    /// The program in that container.
    pub binary: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its own settings, beside what AWS gives every task.
    pub env: BTreeMap<String, String>,
    /// How many tasks the service keeps.
    pub desired: usize,
    /// How long a task may take to end after SIGTERM before it gets SIGKILL (`StopTimeout`).
    pub stop_timeout: Duration,
    /// How long a task takes to start: image pull and network interface, tens of seconds on Fargate.
    ///
    /// It holds for every task but those the service has when the cloud starts.
    pub start_delay: Duration,
}

impl Service {
    /// A service without tasks yet: family and container have its name, the stop timeout is ECS' default of 30 s.
    pub fn new(name: impl Into<String>, binary: impl Into<PathBuf>) -> Self {
        let name = name.into();
        Self {
            family: name.clone(),
            container: name.clone(),
            name,
            binary: binary.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            desired: 0,
            stop_timeout: Duration::from_secs(30),
            start_delay: Duration::ZERO,
        }
    }
}

/// An EventBridge rule: invokes a function when a task changes its state.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The function to invoke, with an `ECS Task State Change`.
    pub function: String,
    /// Only changes to this status; `None` for every change.
    pub last_status: Option<LastStatus>,
}

impl Rule {
    /// The rule by which a function learns of every task that stopped.
    pub fn when_a_task_stops(function: impl Into<String>) -> Self {
        Self { function: function.into(), last_status: Some(LastStatus::Stopped) }
    }

    pub(crate) fn matches(&self, last_status: LastStatus) -> bool {
        self.last_status.is_none_or(|wanted| wanted == last_status)
    }
}

/// An EventBridge schedule: a function that is invoked again and again, with a `Scheduled Event`.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The function to invoke.
    pub function: String,
    /// The interval; the first invocation comes one interval after the start.
    pub every: Duration,
    /// Whether it is on. [`Cloud::run_schedule`](crate::Cloud::run_schedule) does not mind.
    pub enabled: bool,
}
