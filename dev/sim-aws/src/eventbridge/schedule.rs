//! Invokes a function every so often, and at once on request.

use crate::clock;
use crate::config::Schedule;
use crate::identity::{ACCOUNT, REGION, arn};
use crate::lambda::Lambda;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct RunningSchedule {
    schedule: Schedule,
    enabled: AtomicBool,
}

pub(super) fn of<'a>(
    schedules: &'a [Arc<RunningSchedule>],
    function: &str,
) -> anyhow::Result<&'a RunningSchedule> {
    let found = schedules.iter().find(|running| running.schedule.function == function);
    found.map(Arc::as_ref).with_context(|| format!("there is no schedule of function {function}"))
}

impl RunningSchedule {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { enabled: AtomicBool::new(schedule.enabled), schedule }
    }

    pub(super) fn enable(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    /// Ticks until the cloud is over. The first time is not at the start, but one period later.
    pub(super) async fn run(self: Arc<Self>, lambda: Arc<Lambda>, over: CancellationToken) {
        let mut due = interval_at(Instant::now() + self.schedule.every, self.schedule.every);
        while over.run_until_cancelled(due.tick()).await.is_some() {
            if self.enabled.load(Ordering::Relaxed) {
                let (running, lambda) = (self.clone(), lambda.clone());
                tokio::spawn(async move { running.fire(&lambda).await });
            }
        }
    }

    /// Invokes the function now, and returns when it has handled that.
    pub(super) async fn fire(&self, lambda: &Lambda) -> anyhow::Result<()> {
        let function = &self.schedule.function;
        let handled = lambda.deliver(function, &self.event()).await?;
        ensure!(handled, "function {function} did not handle what its schedule sent");
        Ok(())
    }

    /// "Scheduled Event" of the EventBridge event reference.
    fn event(&self) -> Value {
        json!({
            "version": "0",
            "id": Uuid::new_v4().to_string(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": clock::iso_seconds(SystemTime::now()),
            "region": REGION,
            "resources": [arn("events", &format!("rule/{}", self.schedule.function))],
            "detail": {},
        })
    }
}
