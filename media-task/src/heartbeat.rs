//! The heartbeat: keeps the lease, keeps the protection, and ticks calls that are overdue.

use crate::calls::Calls;
use crate::ecs::Task;
use ledger::{CallControl, Ledger};
use protocol::keys;
use protocol::lease::{HEARTBEAT, HOLDS, Lease};
use service::metrics;
use service::time::now_ms;
use std::net::SocketAddr;
use std::sync::Arc;

/// What beats.
pub struct Heart {
    /// The calls of this task.
    pub calls: Arc<Calls>,
    /// The table.
    pub ledger: Ledger,
    /// Who is ticked.
    pub control: CallControl,
    /// This task, as ECS knows it.
    pub task: Task,
    /// Where the door is.
    pub door: SocketAddr,
    /// The hash of the door's certificate.
    pub pin: String,
}

impl Heart {
    /// Beats for ever: every few seconds, and whenever a call comes or goes.
    ///
    /// Trouble at DynamoDB or at ECS never touches a call: the beat after this one may succeed.
    pub async fn beat(self) {
        let mut next = tokio::time::interval(HEARTBEAT);
        next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = next.tick() => {
                    self.renew().await;
                    self.keep_protection().await;
                    self.tick_overdue().await;
                    self.measure();
                }
                () = self.calls.changed() => self.renew().await,
                // Calls that are here go on; but none is taken that a deployment might cut.
                () = self.calls.unprotected() => self.calls.drain(),
            }
        }
    }

    /// Says in the registry that this task lives, and what room it has.
    pub async fn renew(&self) {
        if let Err(error) = self.ledger.renew(&self.lease()).await {
            tracing::warn!("The lease is not renewed: {error:#}");
        }
    }

    fn lease(&self) -> Lease {
        let used = self.calls.used() as u64;
        let is_ready = !self.calls.is_draining();
        Lease {
            pk: keys::task(&self.task.id),
            sk: keys::LEASE.to_owned(),
            gsi1pk: is_ready.then(|| keys::READY.to_owned()),
            gsi1sk: is_ready.then(|| keys::sortable(used)),
            task: self.task.id.clone(),
            door: self.door.to_string(),
            pin: self.pin.clone(),
            revision: self.task.revision.clone(),
            slots: self.calls.slots() as u64,
            used,
            until_ms: now_ms() + HOLDS.as_millis() as u64,
            ttl: keys::forget_at(now_ms()),
        }
    }

    /// Says how full this task is, and what happened since the last beat.
    fn measure(&self) {
        metrics::note_slots(self.calls.used(), self.calls.slots());
        metrics::flush();
    }

    async fn keep_protection(&self) {
        if let Err(error) = self.task.protect(self.calls.used() > 0).await {
            tracing::warn!("The protection of this task is not as it should be: {error:#}");
        }
    }

    async fn tick_overdue(&self) {
        let due = match self.ledger.due(now_ms()).await {
            Ok(due) => due,
            Err(error) => return tracing::warn!("Cannot see which calls are overdue: {error:#}"),
        };
        let failed = self.control.tick_all(due).await;
        if failed > 0 {
            tracing::warn!(failed, "Lambda took no order for {failed} overdue calls");
        }
    }
}
