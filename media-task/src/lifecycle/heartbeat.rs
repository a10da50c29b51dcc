//! The heartbeat: every few seconds renews the task's lease and its task protection, ticks overdue calls, and applies the drain policy.

use super::drain_policy::{DrainDecision, DrainPolicy};
use super::ecs::Task;
use super::health::Liveness;
use super::overdue_ticks;
use super::task_protection::TaskProtection;
use crate::active_calls::Calls;
use call::CallRef;
use internal_api::client::CallControl;
use service::metrics;
use service::time::now_ms;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use store::Store;
use store::lease::{HEARTBEAT, Lease};
use tokio::sync::watch;
use tokio::time::Interval;

/// The heartbeat of this task, and what it needs.
pub(crate) struct Heartbeat {
    /// The calls of this task.
    pub calls: Arc<Calls>,
    /// The table with the leases and the overdue calls.
    pub store: Store,
    /// Ticks overdue calls.
    pub call_control: CallControl,
    /// This task, as ECS knows it.
    pub task: Task,
    /// The task protection; `None` for a task of no service, which ECS does not protect.
    pub protection: Option<Arc<TaskProtection>>,
    /// Decides when the task drains and when it exits.
    pub drain_policy: DrainPolicy,
    /// The address of the control API, for the lease.
    pub control_api: SocketAddr,
    /// Hex SHA-256 of the control API's certificate, for the lease.
    pub pin: String,
    /// Notes each turn of the loop, for health checks.
    pub liveness: Liveness,
    /// When the process started; `None` once the task is ready.
    pub starting: Option<Instant>,
}

impl Heartbeat {
    /// Beats every few seconds, and renews the lease whenever a call comes or goes, until the task is drained.
    ///
    /// A failure of DynamoDB or ECS never touches a call: the next heartbeat tries again.
    pub(crate) async fn run(mut self) {
        let mut interval = tokio::time::interval(HEARTBEAT);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut changes = self.calls.changes();
        // Lambda is invoked by a task of its own: it may be slow, and a lease that lapses meanwhile would cost calls.
        let (overdue, due) = watch::channel(vec![]);
        tokio::spawn(overdue_ticks::run(self.call_control.clone(), due));
        while !self.is_drained() {
            let due = next_due(&mut interval, &mut changes, self.protection.as_deref()).await;
            self.liveness.note_heartbeat(Instant::now());
            match due {
                Due::Heartbeat => {
                    self.renew_lease().await;
                    self.update_protection();
                    self.tick_overdue(&overdue).await;
                    self.flush_metrics();
                    self.apply_drain_policy().await;
                }
                Due::LeaseRenewal => self.renew_lease().await,
                Due::DrainReview => self.apply_drain_policy().await,
            }
        }
    }

    /// Whether the task takes no more calls and has none; its service then starts another task.
    fn is_drained(&self) -> bool {
        self.calls.is_leaving() && self.calls.used() == 0
    }

    /// Renews the lease, with the task's free slots. Gives it up while the task drains without calls, so that ECS's stop loses none.
    async fn renew_lease(&mut self) {
        let renewed = if self.calls.is_aside() && self.calls.used() == 0 {
            self.store.delete_lease(&self.task.id).await
        } else {
            self.store.renew(&self.lease()).await
        };
        match (renewed, self.starting) {
            (Ok(()), Some(since)) => {
                self.starting = None;
                let (after_ms, slots) = (since.elapsed().as_millis() as u64, self.calls.slots());
                tracing::info!(task = %self.task.id, door = %self.control_api, slots, after_ms, "Ready for calls");
            }
            (Ok(()), None) => {}
            (Err(error), _) => {
                tracing::warn!(
                    task = %self.task.id,
                    "lease renewal failed; retry with the next heartbeat: {error:#}"
                );
            }
        }
    }

    fn lease(&self) -> Lease {
        let (task, address, slots) = (&self.task, self.control_api.to_string(), self.calls.slots() as u64);
        let lease = Lease::new(&task.id, &address, &self.pin, &task.revision, slots, now_ms());
        let lease = lease.using(self.calls.used_slots() as u64).serving(&self.calls.lines());
        if self.calls.is_ready() { lease } else { lease.closed() }
    }

    /// Flushes metrics, with the slots in use if the task takes calls: the free slots of a draining task must not make the service
    /// look as if it had room.
    fn flush_metrics(&self) {
        if self.calls.is_ready() {
            metrics::note_slots(self.calls.used_slots(), self.calls.slots());
        }
        metrics::flush();
    }

    /// Updates the protection in the background, since the ECS agent may be slow. A task that takes no calls because ECS refuses
    /// protection keeps requesting it.
    fn update_protection(&self) {
        let Some(protection) = self.protection.clone() else { return };
        let calls = self.calls.clone();
        tokio::spawn(async move {
            protection.update(|| calls.used() > 0 || calls.is_unprotected()).await;
        });
    }

    async fn tick_overdue(&self, overdue: &watch::Sender<Vec<CallRef>>) {
        match self.store.due(now_ms()).await {
            Ok(due) => drop(overdue.send_replace(due)),
            Err(error) => {
                tracing::warn!("query of overdue calls failed; retry with the next heartbeat: {error:#}")
            }
        }
    }

    async fn apply_drain_policy(&mut self) {
        let ready = match self.store.ready_tasks().await {
            Ok(ready) => ready,
            Err(error) => {
                return tracing::warn!("query of ready tasks failed; drain policy not applied: {error:#}");
            }
        };
        let (used, is_draining) = (self.calls.used(), self.calls.is_aside());
        let standing = self.protection.as_ref().map(|protection| protection.status()).unwrap_or_default();
        let decision =
            self.drain_policy.decide(used, is_draining, standing, &ready, Instant::now(), now_ms());
        match decision {
            DrainDecision::Serve | DrainDecision::Drain | DrainDecision::AwaitProtection => {
                let aside = decision == DrainDecision::Drain;
                if self.calls.stand_aside(aside) {
                    tracing::info!(used, aside, "drain state changed: newer tasks came or went");
                }
                let unprotected = decision == DrainDecision::AwaitProtection;
                if self.calls.stand_unprotected(unprotected) {
                    tracing::info!(
                        used,
                        unprotected,
                        "new calls paused or resumed: ECS refused or granted task protection"
                    );
                }
            }
            DrainDecision::Exit => {
                tracing::info!(?standing, "task exits: it has no calls and takes no more");
                self.calls.drain();
            }
        }
    }
}

/// What the loop does next.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    /// A whole heartbeat.
    Heartbeat,
    /// Only the lease's renewal: a call came or went.
    LeaseRenewal,
    /// Only the drain policy: the status of task protection has changed.
    DrainReview,
}

/// Returns what is due next. A heartbeat precedes the others, since it does their work too.
async fn next_due<T>(
    interval: &mut Interval,
    changes: &mut watch::Receiver<T>,
    protection: Option<&TaskProtection>,
) -> Due {
    tokio::select! {
        biased;
        _ = interval.tick() => Due::Heartbeat,
        Ok(()) = changes.changed() => Due::LeaseRenewal,
        () = protection_status_changed(protection) => Due::DrainReview,
    }
}

/// Returns once ECS begins or ceases to refuse task protection; never without protection.
async fn protection_status_changed(protection: Option<&TaskProtection>) {
    match protection {
        Some(protection) => protection.status_changed().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_due_heartbeat_precedes_a_lease_renewal() {
        let mut intervals: Vec<_> = (0..32).map(|_| tokio::time::interval(HEARTBEAT)).collect();
        // After this the first tick of every interval is due.
        tokio::time::sleep(Duration::from_millis(10)).await;

        for interval in &mut intervals {
            let (calls, mut changes) = watch::channel(0);
            calls.send_replace(1);

            assert_eq!(next_due(interval, &mut changes, None).await, Due::Heartbeat);
            assert_eq!(next_due(interval, &mut changes, None).await, Due::LeaseRenewal);
        }
    }
}
