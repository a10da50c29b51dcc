//! The heartbeat: keeps the lease, keeps the protection, ticks calls that are overdue, and sees when this task is to leave.

use crate::active_calls::Calls;
use crate::drain_policy::{DrainDecision, DrainPolicy};
use crate::ecs::Task;
use crate::health::Liveness;
use crate::overdue_ticks;
use crate::task_protection::TaskProtection;
use internal_api::lease::{HEARTBEAT, Lease};
use service::metrics;
use service::time::now_ms;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use store::{CallControl, Store};
use tokio::sync::watch;
use tokio::time::Interval;

/// What beats.
pub struct Heartbeat {
    /// The calls of this task.
    pub calls: Arc<Calls>,
    /// The table.
    pub ledger: Store,
    /// Who is ticked.
    pub control: CallControl,
    /// This task, as ECS knows it.
    pub task: Task,
    /// What keeps ECS from stopping it, if it would.
    pub protection: Option<Arc<TaskProtection>>,
    /// How long it stays.
    pub tenure: DrainPolicy,
    /// Where the door is.
    pub door: SocketAddr,
    /// The hash of the door's certificate.
    pub pin: String,
    /// Notes each heartbeat, and whatever else the loop does, for health checks.
    pub pulse: Liveness,
    /// Since when this task is being started, until it is ready.
    pub starting: Option<Instant>,
}

impl Heartbeat {
    /// Beats every few seconds, and whenever a call comes or goes; until this task has nothing to stay for.
    ///
    /// Trouble at DynamoDB or at ECS never touches a call: the beat after this one may succeed.
    pub async fn beat(mut self) {
        let mut next = tokio::time::interval(HEARTBEAT);
        next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut changes = self.calls.changes();
        // Beside the beat: Lambda may take its time, and a lease that lapses meanwhile would cost calls.
        let (overdue, due) = watch::channel(vec![]);
        tokio::spawn(overdue_ticks::tick(self.control.clone(), due));
        while !self.is_done() {
            let turn = next_due(&mut next, &mut changes, self.protection.as_deref()).await;
            self.pulse.beat(Instant::now());
            match turn {
                Due::Beat => {
                    self.renew().await;
                    self.keep_protection();
                    self.tick_overdue(&overdue).await;
                    self.measure();
                    self.consider_leaving().await;
                }
                Due::Renewal => self.renew().await,
                Due::Review => self.consider_leaving().await,
            }
        }
    }

    /// Whoever takes no call any more, and has none, leaves: a service starts another task.
    fn is_done(&self) -> bool {
        self.calls.is_leaving() && self.calls.used() == 0
    }

    /// Says in the registry that this task lives, and what room it has. One that stands aside and has no calls has no
    /// business there.
    async fn renew(&mut self) {
        let renewed = if self.calls.is_aside() && self.calls.used() == 0 {
            self.ledger.delete_lease(&self.task.id).await
        } else {
            self.ledger.renew(&self.lease()).await
        };
        match (renewed, self.starting) {
            (Ok(()), Some(since)) => {
                self.starting = None;
                let (after_ms, slots) = (since.elapsed().as_millis() as u64, self.calls.slots());
                tracing::info!(task = self.task.id, door = %self.door, slots, after_ms, "Ready for calls");
            }
            (Ok(()), None) => {}
            (Err(error), _) => tracing::warn!("The lease is not as it should be: {error:#}"),
        }
    }

    fn lease(&self) -> Lease {
        let (task, door, slots) = (&self.task, self.door.to_string(), self.calls.slots() as u64);
        let lease = Lease::new(&task.id, &door, &self.pin, &task.revision, slots, now_ms());
        let lease = lease.using(self.calls.used() as u64);
        if self.calls.is_ready() { lease } else { lease.closed() }
    }

    /// Says how full this task is, and what happened since the last beat. One that takes no more calls, however empty, must not
    /// make the service look as if there were room.
    fn measure(&self) {
        if self.calls.is_ready() {
            metrics::note_slots(self.calls.used(), self.calls.slots());
        }
        metrics::flush();
    }

    /// Beside the beat: the agent may take its time, too. A task that takes no calls for want of protection goes on asking.
    fn keep_protection(&self) {
        let Some(protection) = self.protection.clone() else { return };
        let calls = self.calls.clone();
        tokio::spawn(async move {
            protection.keep(|| calls.used() > 0 || calls.is_unprotected()).await;
        });
    }

    async fn tick_overdue(&self, overdue: &watch::Sender<Vec<String>>) {
        match self.ledger.due(now_ms()).await {
            Ok(due) => drop(overdue.send_replace(due)),
            Err(error) => tracing::warn!("Cannot see which calls are overdue: {error:#}"),
        }
    }

    async fn consider_leaving(&mut self) {
        let ready = match self.ledger.ready_tasks().await {
            Ok(ready) => ready,
            Err(error) => return tracing::warn!("Cannot see which other tasks there are: {error:#}"),
        };
        let (used, is_aside) = (self.calls.used(), self.calls.is_aside());
        let standing = self.protection.as_ref().map(|protection| protection.standing()).unwrap_or_default();
        let stay = self.tenure.stay(used, is_aside, standing, &ready, Instant::now(), now_ms());
        match stay {
            DrainDecision::Ready | DrainDecision::Aside | DrainDecision::Unprotected => {
                if self.calls.stand_aside(stay == DrainDecision::Aside) {
                    tracing::info!(used, aside = stay == DrainDecision::Aside, "Newer tasks came or went");
                }
                let unprotected = stay == DrainDecision::Unprotected;
                if self.calls.stand_unprotected(unprotected) {
                    tracing::info!(
                        used,
                        unprotected,
                        "calls are taken only while ECS does not refuse protection"
                    );
                }
            }
            DrainDecision::Over => {
                tracing::info!(?standing, "This task leaves: it has no calls, and waits for none");
                self.calls.drain();
            }
        }
    }
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    /// A whole heartbeat.
    Beat,
    /// To renew the lease: a call came or went.
    Renewal,
    /// To consider leaving: what ECS says of the protection has changed.
    Review,
}

/// Returns what is due next. A heartbeat goes before the others, of which it does the work, too.
async fn next_due<T>(
    next: &mut Interval,
    changes: &mut watch::Receiver<T>,
    protection: Option<&TaskProtection>,
) -> Due {
    tokio::select! {
        biased;
        _ = next.tick() => Due::Beat,
        Ok(()) = changes.changed() => Due::Renewal,
        () = news(protection) => Due::Review,
    }
}

/// Returns when ECS refuses to protect this task, or does so no more.
async fn news(protection: Option<&TaskProtection>) {
    match protection {
        Some(protection) => protection.news().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_heartbeat_that_is_due_goes_before_changes() {
        let mut intervals: Vec<_> = (0..32).map(|_| tokio::time::interval(HEARTBEAT)).collect();
        // The clock of timers has passed their first ticks then.
        tokio::time::sleep(Duration::from_millis(10)).await;

        for next in &mut intervals {
            let (calls, mut changes) = watch::channel(0);
            calls.send_replace(1);

            assert_eq!(next_due(next, &mut changes, None).await, Due::Beat);
            assert_eq!(next_due(next, &mut changes, None).await, Due::Renewal);
        }
    }
}
