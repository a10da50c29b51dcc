//! Injects faults into the cloud, by name, at any time while it runs.

use crate::dynamodb::{CancellationReason, DynamoDbFaults, Outage};
use crate::ecs::{AgentFault, ProtectionRule};
use crate::endpoint::Services;
use crate::eventbridge::Delivery;
use std::time::Duration;

/// Injects faults. Each holds until it is used up or ended.
///
/// Faults of DynamoDB apply to functions and tasks; [`Cloud::sdk_config`](crate::Cloud::sdk_config) is exempt, so that
/// a test can watch. The SDK tries a refused request again, three times in all, before its caller sees anything.
#[derive(Debug, Clone, Copy)]
pub struct FaultInjector<'a> {
    services: &'a Services,
}

impl<'a> FaultInjector<'a> {
    pub(crate) fn of(services: &'a Services) -> Self {
        Self { services }
    }

    /// DynamoDB throttles the next `times` requests.
    pub fn throttle_dynamodb(&self, times: usize) {
        self.dynamodb().plan().throttles = times;
    }

    /// DynamoDB throttles this share of all requests, from 0 to 1; which ones, the cloud's seed decides.
    pub fn throttle_share_of_dynamodb(&self, share: f64) {
        self.dynamodb().plan().throttled_share = share;
    }

    /// Cancels the next `times` `TransactWriteItems`: `TransactionConflict` at their first item.
    pub fn conflict_transactions(&self, times: usize) {
        self.cancel_transactions(times, CancellationReason::Conflict);
    }

    /// Cancels the next `times` `TransactWriteItems` for their first item, with this reason.
    pub fn cancel_transactions(&self, times: usize, why: CancellationReason) {
        self.dynamodb().plan().cancelled = (times, why);
    }

    /// Cuts the connection of the next `times` requests to DynamoDB after they took effect.
    pub fn lose_dynamodb_replies(&self, times: usize) {
        self.dynamodb().plan().unanswered = times;
    }

    /// Every request to DynamoDB waits this long before it is carried out; zero ends that.
    pub fn slow_dynamodb(&self, delay: Duration) {
        self.dynamodb().plan().delay = delay;
    }

    /// DynamoDB is unreachable for this duration.
    pub fn dynamodb_outage(&self, kind: Outage, lasts: Duration) {
        self.dynamodb().begin_outage(kind, lasts);
    }

    /// DynamoDB is back before its time.
    pub fn end_dynamodb_outage(&self) {
        self.dynamodb().end_outage();
    }

    /// Throttles the next `times` invocations of a function: 429 for synchronous ones; events come again later.
    pub fn throttle_invocations(&self, function: &str, times: usize) -> anyhow::Result<()> {
        self.services.lambda.throttle(function, times)
    }

    /// The next `times` `RunTask` start nothing and answer with this reason in `failures`, such as `RESOURCE:ENI`.
    pub fn fail_run_task(&self, times: usize, reason: &str) {
        self.services.ecs.inject(|faults| faults.run_task = (times, reason.to_owned()));
    }

    /// From now on, tasks of a service or of its definition take this long to start: 40 s on a bad day of Fargate's.
    pub fn start_delay(&self, service: &str, delay: Duration) -> anyhow::Result<()> {
        self.services.ecs.delay_starts(service, delay)
    }

    /// The next `times` tasks of a service or of its definition get no network interface: STOPPED, never RUNNING.
    pub fn tasks_never_start(&self, service: &str, times: usize) -> anyhow::Result<()> {
        self.services.ecs.fail_starts(service, times)
    }

    /// Fails the next `times` attempts to protect a task with `DEPLOYMENT_BLOCKED`.
    pub fn refuse_protection(&self, times: usize) {
        self.refuse_protection_as(times, "DEPLOYMENT_BLOCKED");
    }

    /// The same with another reason, such as `TASK_NOT_VALID`.
    pub fn refuse_protection_as(&self, times: usize, reason: &str) {
        self.services.ecs.inject(|faults| faults.protection = (times, reason.to_owned()));
    }

    /// By which rule a service's protected tasks block the protection of another one, from now on.
    pub fn block_protection(&self, rule: ProtectionRule) {
        self.services.ecs.inject(|faults| faults.rule = rule);
    }

    /// The ECS agents fail in this way that many times from now on, when they are asked to change a protection.
    pub fn fail_agents(&self, times: usize, fault: AgentFault) {
        self.services.ecs.inject(|faults| faults.agent = Some((times, fault)));
    }

    /// Fails the next `times` requests for a task's metadata with a 500, as may happen while the task boots.
    pub fn fail_metadata(&self, times: usize) {
        self.services.ecs.inject(|faults| faults.metadata = times);
    }

    /// Refuses to store secrets from now on, as for those without the right.
    pub fn refuse_secrets(&self) {
        self.services.secrets.refuse_to_store();
    }

    /// How EventBridge delivers the tasks' state changes from now on.
    pub fn deliver_state_changes(&self, delivery: Delivery) {
        self.services.ecs.changes().deliver(delivery);
    }

    /// Turns a function's schedule on or off.
    pub fn enable_schedule(&self, function: &str, enabled: bool) -> anyhow::Result<()> {
        self.services.eventbridge.enable_schedule(function, enabled)
    }

    fn dynamodb(&self) -> &'a DynamoDbFaults {
        self.services.dynamodb.faults()
    }
}
