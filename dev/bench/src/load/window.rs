//! One window of measurement: counters are reset, time passes, counters are read.

use super::callers::Callers;
use super::model::{Model, SessionCounters};
use super::process::Process;
use anyhow::ensure;
use sim_meta::PacketCounts;
use std::time::{Duration, Instant};

/// An effect that follows later is not counted as one of its cause.
const LONGEST_DELAY: Duration = Duration::from_millis(500);

/// A window in which the callers were later than this at p99 is void.
const TRUSTED: Duration = Duration::from_millis(3);

/// What was measured, all calls together.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) lasted: Duration,
    /// How long the media task's threads ran in it.
    pub(super) ran: Duration,
    /// The media task's memory at its end, bytes.
    pub(super) memory: u64,
    pub(super) packets: u64,
    pub(super) lost: u64,
    pub(super) gaps: u64,
    pub(super) longest_gap: Duration,
    /// Sorted, as the others.
    pub(super) lateness: Vec<Duration>,
    pub(super) own_lateness: Vec<Duration>,
    pub(super) uplink: Vec<Duration>,
    pub(super) downlink: Vec<Duration>,
    pub(super) appends: u64,
    /// Unexpected client events at the model.
    pub(super) surprises: u64,
}

impl Window {
    pub(super) async fn measure(
        length: Duration,
        callers: &Callers<'_>,
        model: &Model,
        task: Process,
    ) -> anyhow::Result<Self> {
        let _before = count(callers, model);
        let (began, ran) = (Instant::now(), task.ran()?);
        tokio::time::sleep(length).await;
        let (lasted, ran) = (began.elapsed(), task.ran()?.since(&ran));
        let memory = task.memory()?;
        let (counted, heard) = count(callers, model);
        callers.is_complete()?;
        ensure!(!heard.iter().any(|heard| heard.is_over), "a session with the model ended by itself");
        Ok(Self { lasted, ran, memory, ..Self::of(counted, &heard) })
    }

    /// A percentile of sorted values; zero where there are none.
    pub(super) fn percentile(sorted: &[Duration], share: usize) -> Duration {
        sorted.get((sorted.len().saturating_sub(1)) * share / 100).copied().unwrap_or_default()
    }

    /// Whether the callers themselves were too late for this window to count.
    pub(super) fn is_void(&self) -> bool {
        Self::percentile(&self.own_lateness, 99) > TRUSTED
    }

    fn of(counted: Vec<PacketCounts>, heard: &[SessionCounters]) -> Self {
        let mut window = Self {
            lasted: Duration::ZERO,
            ran: Duration::ZERO,
            memory: 0,
            packets: 0,
            lost: 0,
            gaps: 0,
            longest_gap: Duration::ZERO,
            lateness: vec![],
            own_lateness: vec![],
            uplink: vec![],
            downlink: vec![],
            appends: heard.iter().map(|heard| heard.appends).sum(),
            surprises: heard.iter().map(|heard| heard.surprises).sum(),
        };
        for (counted, heard) in counted.into_iter().zip(heard) {
            window.packets += counted.packets;
            window.lost += counted.lost;
            window.gaps += counted.gaps;
            window.longest_gap = window.longest_gap.max(counted.longest_gap);
            window.lateness.extend(counted.lateness);
            window.own_lateness.extend(counted.own_lateness);
            window.uplink.extend(delays(&counted.onsets, &heard.onsets));
            window.downlink.extend(delays(&heard.replies, &counted.voices));
        }
        for sorted in
            [&mut window.lateness, &mut window.own_lateness, &mut window.uplink, &mut window.downlink]
        {
            sorted.sort_unstable();
        }
        window
    }
}

fn count(callers: &Callers<'_>, model: &Model) -> (Vec<PacketCounts>, Vec<SessionCounters>) {
    (callers.calls.iter().map(sim_meta::Call::take_count).collect(), model.take())
}

/// From each cause to the effect that follows it. What falls out of the window at either end is left out.
fn delays<'a>(causes: &'a [Instant], effects: &'a [Instant]) -> impl Iterator<Item = Duration> + 'a {
    causes.iter().filter_map(|cause| {
        let follows = effects.iter().find(|effect| *effect >= cause)?;
        let delay = follows.duration_since(*cause);
        (delay <= LONGEST_DELAY).then_some(delay)
    })
}
