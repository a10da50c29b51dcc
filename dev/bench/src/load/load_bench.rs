//! CPU, memory and punctuality of the media task, from one call to many.

use super::callers::Callers;
use super::figures::LoadFigures;
use super::load_testbed::LoadTestbed;
use super::table::LoadTable;
use super::window::Window;
use crate::Floor;
use local::Binaries;
use std::time::Duration;

/// How long to wait after the last answer: greetings are still being said.
const SETTLES: Duration = Duration::from_secs(3);

/// How often that is checked; then the windows themselves are found void.
const SETTLES_WITHIN: usize = 10;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct LoadBench {
    /// Numbers of calls at once, ascending.
    pub calls: Vec<usize>,
    /// The number of windows whose median is a figure.
    pub windows: usize,
    /// How long a window is.
    pub length: Duration,
}

impl LoadBench {
    /// Measures. This process must be off the media task's core: [`super::leave_a_core_to_the_task`].
    pub async fn run(&self, binaries: &Binaries) -> anyhow::Result<LoadTable> {
        let floor = Floor::measure()?;
        let most = self.calls.iter().max().copied().unwrap_or_default();
        let testbed = LoadTestbed::start("bench", most, binaries).await?;
        let rows = self.measure(&testbed).await;
        testbed.stop().await;
        Ok(LoadTable { rows: rows?, floor })
    }

    async fn measure(&self, testbed: &LoadTestbed) -> anyhow::Result<Vec<LoadFigures>> {
        let mut callers = testbed.callers()?;
        let mut rows: Vec<LoadFigures> = vec![];
        for calls in &self.calls {
            callers.grow(*calls).await?;
            settle(testbed, &callers).await?;
            let smallest = rows.first().map(|row| (row.calls, row.memory_mib));
            rows.push(self.figures(*calls, testbed, &callers, smallest).await?);
        }
        callers.leave().await?;
        Ok(rows)
    }

    async fn figures(
        &self,
        calls: usize,
        testbed: &LoadTestbed,
        callers: &Callers<'_>,
        smallest: Option<(usize, f64)>,
    ) -> anyhow::Result<LoadFigures> {
        let task = testbed.task()?;
        let (mut counted, mut void) = (vec![], vec![]);
        while counted.len() < self.windows && void.len() < self.windows {
            let window = Window::measure(self.length, callers, &testbed.model, task).await?;
            if window.is_void() { void.push(window) } else { counted.push(window) }
        }
        Ok(LoadFigures::of(calls, &counted, &void, smallest))
    }
}

/// Returns once the callers are on time again: the functions still work for a while after the last call was answered.
async fn settle(testbed: &LoadTestbed, callers: &Callers<'_>) -> anyhow::Result<()> {
    let task = testbed.task()?;
    for _ in 0..SETTLES_WITHIN {
        if !Window::measure(SETTLES, callers, &testbed.model, task).await?.is_void() {
            break;
        }
    }
    Ok(())
}
