//! Thousands of short calls in a row through one media task, and what they leave behind.

use super::load_testbed::LoadTestbed;
use super::process::Process;
use anyhow::Context;
use local::{Binaries, eventually_every};
use std::fmt;
use std::time::Duration;

/// The number of calls open at once.
const AT_ONCE: usize = 40;

/// How long a call lasts once there is sound.
const LASTS: Duration = Duration::from_millis(1_500);

/// After this many calls everything has been used once: memory is compared with that point. Memory before it is shown, and
/// has no limit.
const WARM: usize = 200;

/// A heartbeat may be under way at any sample: this many more sockets or files than at the start are no leak.
const FILES: usize = 4;

/// The threads that blocking calls (resolver, files) may need at once, which also come and go.
const THREADS: usize = 4;

/// Memory may grow by this share, or by [`MEMORY`]: the allocator's, and the memory of calls that were over lately.
const SHARE: f64 = 0.10;
/// See [`SHARE`]. Bytes.
const MEMORY: f64 = 3.0 * 1_048_576.0;

/// How long idle connections may take to close. The AWS clients' pool (hyper-util) looks every 90 s for connections that were idle for 90 s,
/// so one may stay for 180 s; the control API's close after a minute. What is open after this is a leak.
const RESTED_WITHIN: Duration = Duration::from_secs(200);

/// The time between two samples.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Soak {
    /// How many calls.
    pub calls: usize,
}

/// What the task had after some calls, all of them over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Calls so far.
    pub calls: usize,
    /// Bytes.
    pub memory: u64,
    /// Open files, sockets included.
    pub files: usize,
    /// Open sockets.
    pub sockets: usize,
    /// Threads.
    pub threads: usize,
}

/// The measurements during the run.
#[derive(Debug, Clone)]
pub struct SoakReport {
    /// In their order.
    pub samples: Vec<Sample>,
}

impl Soak {
    /// Makes the calls.
    pub async fn run(&self, binaries: &Binaries) -> anyhow::Result<SoakReport> {
        let testbed = LoadTestbed::start("soak", 2 * AT_ONCE, binaries).await?;
        let report = self.soak(&testbed).await;
        testbed.stop().await;
        report
    }

    async fn soak(&self, testbed: &LoadTestbed) -> anyhow::Result<SoakReport> {
        let task = testbed.task()?;
        let mut callers = testbed.callers()?;
        let mut report = SoakReport { samples: vec![Sample::of(task, 0)?] };
        let (mut made, mut sampled) = (0, 0);
        while made < self.calls {
            let now = AT_ONCE.min(self.calls - made);
            callers.grow(now).await?;
            tokio::time::sleep(LASTS).await;
            callers.is_complete()?;
            callers.leave().await?;
            made += now;
            if made - sampled >= WARM.min(self.calls / 4) || made == self.calls {
                sampled = made;
                report.samples.push(Sample::of(task, made)?);
            }
        }
        report.samples.push(report.rested(task, made).await?);
        Ok(report)
    }
}

impl SoakReport {
    /// Returns the leaks, in words.
    pub fn left_behind(&self) -> Vec<String> {
        let [start, warm, .., rested] = self.samples.as_slice() else {
            return vec!["no call was made".to_owned()];
        };
        let mut left = vec![];
        let mut compare = |what: &str, then: (&Sample, usize), now: usize, more: usize| {
            if now > then.1 + more {
                left.push(format!(
                    "{what}: {now} after {} calls and a rest, {} after {}",
                    rested.calls, then.1, then.0.calls
                ));
            }
        };
        compare("sockets", (start, start.sockets), rested.sockets, FILES);
        compare("files", (start, start.files), rested.files, FILES);
        compare("threads", (start, start.threads), rested.threads, THREADS);
        if rested.calls >= WARM {
            let may = (warm.memory as f64 * SHARE).max(MEMORY) as usize;
            compare("bytes of memory", (warm, warm.memory as usize), rested.memory as usize, may);
        }
        left
    }

    /// A sample once the task has as few sockets as at the start, or has had the time to.
    async fn rested(&self, task: Process, calls: usize) -> anyhow::Result<Sample> {
        let start = self.samples.first().copied().context("there was a sample before the first call")?;
        let rested = eventually_every(LOOK_EVERY, RESTED_WITHIN, || async {
            let sample = Sample::of(task, calls)?;
            let is_rested = sample.sockets <= start.sockets + FILES && sample.files <= start.files + FILES;
            Ok(is_rested.then_some(sample))
        });
        rested.await?.map_or_else(|| Sample::of(task, calls), Ok)
    }
}

impl Sample {
    fn of(task: Process, calls: usize) -> anyhow::Result<Self> {
        let (files, sockets) = (task.files()?, task.sockets()?);
        Ok(Self { calls, memory: task.memory()?, files, sockets, threads: task.threads()? })
    }
}

impl fmt::Display for SoakReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| calls | MiB | files | sockets | threads |")?;
        writeln!(f, "|---:|---:|---:|---:|---:|")?;
        for Sample { calls, memory, files, sockets, threads } in &self.samples {
            let mib = *memory as f64 / 1_048_576.0;
            writeln!(f, "| {calls} | {mib:.1} | {files} | {sockets} | {threads} |")?;
        }
        writeln!(f, "The last line is after a rest, in which idle connections close.")?;
        if self.samples.last().is_some_and(|rested| rested.calls < WARM) {
            writeln!(
                f,
                "Judged: sockets, files, threads. The memory of fewer than {WARM} calls is shown, not judged."
            )?;
        }
        self.left_behind().iter().try_for_each(|left| writeln!(f, "  LEFT BEHIND: {left}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Sample = Sample { calls: 0, memory: 50_000_000, files: 20, sockets: 10, threads: 8 };

    #[test]
    fn sockets_files_and_threads_of_few_calls_are_left_behind() {
        let rested = Sample { calls: 20, files: 45, sockets: 30, threads: 28, ..START };

        let left = report(rested).left_behind();

        assert_eq!(left.len(), 3, "{left:?}");
        assert_eq!(report(Sample { calls: 20, files: 24, sockets: 14, ..START }).left_behind(), [""; 0]);
    }

    #[test]
    fn memory_is_judged_from_two_hundred_calls_on() {
        let grown = |calls| report(Sample { calls, memory: 80_000_000, ..START });

        assert_eq!(grown(WARM - 1).left_behind(), [""; 0]);
        assert!(grown(WARM - 1).to_string().contains("not judged"));
        assert_eq!(grown(WARM).left_behind().len(), 1);
        assert!(!grown(WARM).to_string().contains("not judged"));
    }

    #[test]
    fn a_soak_of_no_call_shows_nothing() {
        assert_eq!(SoakReport { samples: vec![START, START] }.left_behind(), ["no call was made"]);
    }

    fn report(rested: Sample) -> SoakReport {
        SoakReport { samples: vec![START, Sample { calls: rested.calls / 2, ..START }, rested] }
    }
}
