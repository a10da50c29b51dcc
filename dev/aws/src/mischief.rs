//! What can go wrong in the cloud, by name, at any time while it runs.

use crate::endpoint::Services;
use crate::eventbridge::Delivery;

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
