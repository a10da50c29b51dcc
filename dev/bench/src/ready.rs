//! The time until a media task is ready for calls: from the order to start its process to its lease, AWS answering at once.

use super::figure::{Figure, Table};
use anyhow::Context;
use harness::{Testbed, TestbedConfig};
use local::{Binaries, eventually_every, root};
use sim_aws::LastStatus;
use std::fmt;
use std::time::{Duration, Instant};

/// The figure is the median of this many starts.
const STARTS: usize = 5;

/// The limit of the median.
const LIMIT: Duration = Duration::from_millis(300);

/// How often to look for the lease: what is measured is too long by half of this.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A task that is not ready within this never will be.
const READY_WITHIN: Duration = Duration::from_secs(20);

const SERVICE: &str = "media-task";

/// How soon a media task is ready.
#[derive(Debug, Clone)]
pub struct ReadyBench(Figure);

impl ReadyBench {
    /// Measures.
    pub async fn run(binaries: &Binaries) -> anyhow::Result<Self> {
        let config = TestbedConfig::rehearsal(root().join("target/bench-ready"));
        let testbed = Testbed::start(config, binaries).await?;
        let took = measure(&testbed).await;
        testbed.stop().await;
        Ok(Self(Figure::of("media task's process started → its lease says READY", took?, LIMIT)))
    }

    /// Whether the median is within its limit.
    pub fn holds(&self) -> bool {
        self.0.holds()
    }
}

async fn measure(testbed: &Testbed) -> anyhow::Result<Vec<Duration>> {
    let mut took = vec![];
    for _ in 0..STARTS {
        testbed.stack.cloud.scale(SERVICE, 0)?;
        testbed.stack.cloud.tasks_until(all_stopped).await;
        let ordered = Instant::now();
        testbed.stack.cloud.scale(SERVICE, 1)?;
        ready(testbed).await?;
        took.push(ordered.elapsed());
    }
    Ok(took)
}

fn all_stopped(tasks: &[sim_aws::TaskStatus]) -> bool {
    tasks.iter().all(|task| task.last_status == LastStatus::Stopped)
}

/// Those that have stopped gave their leases up, so any lease is the new one's.
async fn ready(testbed: &Testbed) -> anyhow::Result<()> {
    let store = &testbed.stack.store;
    let found = eventually_every(LOOK_EVERY, READY_WITHIN, || async {
        Ok((!store.ready_tasks().await?.is_empty()).then_some(()))
    });
    found.await?.with_context(|| format!("no media task was ready within {READY_WITHIN:?}"))
}

impl fmt::Display for ReadyBench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Table(std::slice::from_ref(&self.0)))
    }
}
