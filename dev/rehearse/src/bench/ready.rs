//! How soon a media task is ready for calls: from the order to start its process to its lease, AWS answering at once.

use super::figure::{Figure, Table};
use crate::binaries::{Binaries, root};
use crate::call::Rehearsal;
use crate::stage::Stage;
use anyhow::Context;
use sim_aws::LastStatus;
use std::fmt;
use std::time::{Duration, Instant};

/// A figure is the median of so many starts.
const STARTS: usize = 5;

/// So soon it should be ready.
const LIMIT: Duration = Duration::from_millis(300);

/// How often to look for the lease: what is measured is too long by half of this.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A task that is not ready within this never will be.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The service that keeps the media tasks.
const SERVICE: &str = "media-task";

/// How soon a media task is ready.
#[derive(Debug, Clone)]
pub struct ReadyBench(Figure);

impl ReadyBench {
    /// Measures.
    ///
    /// # Errors
    /// When something cannot be started, or a task is never ready.
    pub async fn run(binaries: &Binaries) -> anyhow::Result<Self> {
        let rehearsal = Rehearsal { folder: Some(root().join("target/bench-ready")), ..Rehearsal::default() };
        let stage = rehearsal.set_stage(binaries).await?;
        let took = measure(&stage).await;
        stage.strike().await;
        Ok(Self(Figure::of("media task's process started → its lease says READY", took?, LIMIT)))
    }

    /// Whether the median is within its limit.
    pub fn holds(&self) -> bool {
        self.0.holds()
    }
}

async fn measure(stage: &Stage) -> anyhow::Result<Vec<Duration>> {
    let mut took = vec![];
    for _ in 0..STARTS {
        stage.stack.cloud.scale(SERVICE, 0)?;
        stage.stack.cloud.tasks_until(all_stopped).await;
        let ordered = Instant::now();
        stage.stack.cloud.scale(SERVICE, 1)?;
        ready(stage).await?;
        took.push(ordered.elapsed());
    }
    Ok(took)
}

fn all_stopped(tasks: &[sim_aws::TaskStatus]) -> bool {
    tasks.iter().all(|task| task.last_status == LastStatus::Stopped)
}

/// Those that have stopped gave their leases up, so any lease is the new one's.
async fn ready(stage: &Stage) -> anyhow::Result<()> {
    let looking = async {
        let mut look = tokio::time::interval(LOOK_EVERY);
        while stage.stack.ledger.ready_tasks().await?.is_empty() {
            look.tick().await;
        }
        anyhow::Ok(())
    };
    let found = tokio::time::timeout(READY_WITHIN, looking).await;
    found.with_context(|| format!("no media task was ready within {READY_WITHIN:?}"))?
}

impl fmt::Display for ReadyBench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Table(std::slice::from_ref(&self.0)))
    }
}
