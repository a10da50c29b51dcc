//! Measures the wakeup latency of this machine: a thread that does nothing but wake up for every frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_millis(20);

/// So late, a packet is heard as a gap.
const GAP: Duration = Duration::from_millis(40);

/// A run whose own clock is later than this at p99 proves nothing about timing.
const TRUSTED: Duration = Duration::from_millis(3);

/// Ticks until it is asked how late it was.
pub struct WakeupProbe {
    is_over: Arc<AtomicBool>,
    ticking: JoinHandle<Vec<Duration>>,
}

impl WakeupProbe {
    /// Starts it.
    pub fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let ticking =
            spawn(move || std::iter::from_fn(|| (!over.load(Ordering::Relaxed)).then(tick)).collect());
        Self { is_over, ticking }
    }

    /// Stops it. How the machine was disturbed, in words, if another process used it.
    pub fn disturbance(self) -> Option<String> {
        let WakeupLatency { p99, worst } = self.stop();
        (p99 > TRUSTED || worst > GAP).then(|| format!("late by {p99:.1?} at p99, {worst:.1?} at worst"))
    }

    /// Stops it. How late it was itself: any process may be as late on this machine.
    pub fn stop(self) -> WakeupLatency {
        self.is_over.store(true, Ordering::Relaxed);
        let mut late = self.ticking.join().expect("a probe does not panic");
        late.sort_unstable();
        let p99 = late.get(late.len() * 99 / 100).copied().unwrap_or_default();
        WakeupLatency { p99, worst: late.last().copied().unwrap_or_default() }
    }
}

/// How late a probe woke up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WakeupLatency {
    /// All but a hundredth of its ticks were no later.
    pub p99: Duration,
    /// No tick was later.
    pub worst: Duration,
}

fn tick() -> Duration {
    let began = Instant::now();
    sleep(FRAME);
    began.elapsed().saturating_sub(FRAME)
}
