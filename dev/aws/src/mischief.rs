//! What can go wrong in the cloud, by name, at any time while it runs.

use crate::endpoint::Services;
use crate::eventbridge::Delivery;
use std::time::Duration;

/// The ways to make this cloud hurt. Each holds until it is used up, or told otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Mischief<'a> {
    services: &'a Services,
}

impl<'a> Mischief<'a> {
    pub(crate) fn of(services: &'a Services) -> Self {
        Self { services }
    }

    /// So many of the next invocations of a function find no process to run in: 429 for who waits, later for an event.
    ///
    /// # Errors
    /// When there is no such function.
    pub fn throttle_invocations(&self, function: &str, times: usize) -> anyhow::Result<()> {
        self.services.lambda.throttle(function, times)
    }

    /// So many of the next `RunTask` start nothing and answer with this reason in `failures`, such as `RESOURCE:ENI`.
    pub fn fail_run_task(&self, times: usize, reason: &str) {
        self.services.ecs.fail_run_task(times, reason);
    }

    /// From now on, tasks of a service or of its definition take this long to start: 40 s on a bad day of Fargate's.
    ///
    /// # Errors
    /// When there is no such service.
    pub fn start_delay(&self, service: &str, delay: Duration) -> anyhow::Result<()> {
        self.services.ecs.delay_starts(service, delay)
    }

    /// So many of the next tasks of a service or of its definition get no network interface: STOPPED, and never RUNNING.
    ///
    /// # Errors
    /// When there is no such service.
    pub fn tasks_never_start(&self, service: &str, times: usize) -> anyhow::Result<()> {
        self.services.ecs.doom(service, times)
    }

    /// So many of the next attempts to protect a task fail with `DEPLOYMENT_BLOCKED`.
    pub fn refuse_protection(&self, times: usize) {
        self.services.ecs.refuse_protection(times);
    }

    /// How EventBridge delivers the tasks' state changes from now on.
    pub fn deliver_state_changes(&self, delivery: Delivery) {
        self.services.ecs.changes().deliver(delivery);
    }

    /// Turns a function's schedule on or off.
    ///
    /// # Errors
    /// When it has none.
    pub fn enable_schedule(&self, function: &str, enabled: bool) -> anyhow::Result<()> {
        self.services.eventbridge.enable_schedule(function, enabled)
    }
}
