//! Measures lateness: how late frames are sent, in all calls of this process together. It is the one sign of overload that
//! callers hear.
//!
//! Every call writes fifty times a second, so there is no lock and no allocation: relaxed counters, one set per second. Two calls
//! that start a new second's set at once can lose a count or two, which does not move a percentile.

use audio::LoadLevel;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How many seconds the load level is measured over.
const WINDOW_SECONDS: u32 = 5;

/// How many seconds are kept: the measured ones, the one that has just begun, and room for late writers.
const BUCKETS: usize = 8;

/// Lateness is counted per millisecond; the last counter holds this and more.
const MAX_LATENESS_MS: usize = 31;

/// The fewest frames that a percentile is taken of: a second of one call.
const MIN_FRAMES: u32 = 50;

/// The percentile that counts, in permille: one frame in a hundred may be later.
const PERCENTILE_PERMILLE: u32 = 990;

/// The p99 lateness, in ms, from which the machine is busy. A timer alone is 1 ms late, so an idle process has 1 or 2.
const BUSY_MS: usize = 4;

/// The p99 lateness, in ms, from which the machine is overloaded unless an operator sets another: what a hundred calls must stay
/// under, and half a frame, from which a caller's jitter buffer begins to grow.
pub(crate) const OVERLOADED_MS: usize = 10;

/// Counts how late this process sends frames, and derives its load level.
#[derive(Debug)]
pub(crate) struct LatenessMeter {
    started_at: Instant,
    overloaded_ms: usize,
    buckets: [SecondBucket; BUCKETS],
    /// The last load level, which the next one depends on.
    load_level: AtomicU8,
}

/// The frames of one second, counted by lateness.
#[derive(Debug, Default)]
struct SecondBucket {
    /// Which second, counted from one; zero if nothing was written.
    second: AtomicU32,
    counts: [AtomicU32; MAX_LATENESS_MS + 1],
}

impl LatenessMeter {
    /// Creates a meter without frames. `overloaded_ms` is the p99 lateness from which the process is overloaded.
    pub(crate) fn new(now: Instant, overloaded_ms: usize) -> Self {
        Self {
            started_at: now,
            overloaded_ms,
            buckets: Default::default(),
            load_level: AtomicU8::new(LoadLevel::Calm as u8),
        }
    }

    /// Notes that a frame was sent at `now`, `late` after it was due. The first frame of a second also updates the load level.
    pub(crate) fn note_late(&self, late: Duration, now: Instant) {
        let second = self.second(now);
        let bucket = &self.buckets[second as usize % BUCKETS];
        let current = bucket.second.load(Relaxed);
        if current != second && bucket.second.compare_exchange(current, second, Relaxed, Relaxed).is_ok() {
            bucket.counts.iter().for_each(|count| count.store(0, Relaxed));
            self.load_level(now);
        }
        bucket.counts[(late.as_millis() as usize).min(MAX_LATENESS_MS)].fetch_add(1, Relaxed);
    }

    /// Returns the load level over the last five seconds. The worst of them is left out: a single hiccup of the machine, which
    /// makes three frames of a call late, is no load.
    pub(crate) fn load_level(&self, now: Instant) -> LoadLevel {
        let load_level = match self.p99(now) {
            None => LoadLevel::Calm,
            Some(late) => self.next_level(self.last_load_level(), late),
        };
        self.load_level.store(load_level as u8, Relaxed);
        load_level
    }

    /// Returns the p99 lateness in ms, without the worst second; `None` if hardly any frames were sent.
    fn p99(&self, now: Instant) -> Option<usize> {
        let this = self.second(now);
        let is_recent = |bucket: &&SecondBucket| {
            let second = bucket.second.load(Relaxed);
            second > 0 && second <= this && this - second <= WINDOW_SECONDS
        };
        let mut seconds = [[0; MAX_LATENESS_MS + 1]; BUCKETS];
        let mut kept = 0;
        for bucket in self.buckets.iter().filter(is_recent) {
            seconds[kept] = std::array::from_fn(|n| bucket.counts[n].load(Relaxed));
            kept += 1;
        }
        let seconds = &seconds[..kept];
        let worst = (0..kept).max_by_key(|&n| percentile(&seconds[n]))?;
        let mut all = [0; MAX_LATENESS_MS + 1];
        for (_, second) in seconds.iter().enumerate().filter(|(n, _)| *n != worst) {
            all.iter_mut().zip(second).for_each(|(all, count)| *all += count);
        }
        percentile(&all).filter(|_| all.iter().sum::<u32>() >= MIN_FRAMES)
    }

    /// Returns the load level after `last` at this p99 lateness, in ms. A level is left only once lateness is a quarter below its
    /// limit: one call more or less must not flip it.
    fn next_level(&self, last: LoadLevel, late: usize) -> LoadLevel {
        let reached = |load_level: LoadLevel, limit: usize| {
            late >= if last >= load_level { (3 * limit).div_ceil(4) } else { limit }
        };
        match (reached(LoadLevel::Overloaded, self.overloaded_ms), reached(LoadLevel::Busy, BUSY_MS)) {
            (true, _) => LoadLevel::Overloaded,
            (false, true) => LoadLevel::Busy,
            (false, false) => LoadLevel::Calm,
        }
    }

    fn second(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.started_at).as_secs() as u32 + 1
    }

    /// Returns the load level computed last: within the last second, while frames are sent.
    pub(crate) fn last_load_level(&self) -> LoadLevel {
        let last = self.load_level.load(Relaxed);
        let levels = [LoadLevel::Calm, LoadLevel::Busy, LoadLevel::Overloaded];
        levels.into_iter().find(|load_level| *load_level as u8 == last).unwrap_or_default()
    }
}

fn percentile(counts: &[u32; MAX_LATENESS_MS + 1]) -> Option<usize> {
    let all: u32 = counts.iter().sum();
    let mut seen = 0;
    counts.iter().position(|count| {
        seen += count;
        all > 0 && u64::from(seen) * 1_000 >= u64::from(all) * u64::from(PERCENTILE_PERMILLE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_calls_is_calm() {
        let (meter, started_at) = meter();

        assert_eq!(meter.load_level(started_at + s(3)), LoadLevel::Calm);
    }

    #[test]
    fn lasting_lateness_raises_the_load_level() {
        for (late, load_level) in [(3, LoadLevel::Calm), (4, LoadLevel::Busy), (10, LoadLevel::Overloaded)] {
            let (meter, started_at) = meter();

            send(&meter, started_at, 0..150, |_| ms(late));

            assert_eq!(meter.load_level(started_at + s(3)), load_level, "{late} ms");
        }
    }

    #[test]
    fn one_late_frame_in_a_hundred_does_not_count() {
        let (meter, started_at) = meter();

        send(&meter, started_at, 0..250, |n| ms(if n % 100 == 0 { 30 } else { 1 }));

        assert_eq!(meter.load_level(started_at + s(5)), LoadLevel::Calm);
    }

    #[test]
    fn a_single_hiccup_of_the_machine_does_not_count() {
        let (meter, started_at) = meter();

        send(&meter, started_at, 0..250, |n| {
            ms(if (100..105).contains(&n) { 100 - 20 * (n - 100) } else { 1 })
        });

        assert_eq!(meter.load_level(started_at + s(5)), LoadLevel::Calm);
    }

    #[test]
    fn the_load_level_falls_once_lateness_is_well_below_its_limit() {
        let (meter, started_at) = meter();
        let at = |from: u64, late| {
            send(&meter, started_at, from * 50..(from + 8) * 50, |_| ms(late));
            meter.load_level(started_at + s(from + 8))
        };

        assert_eq!(at(0, 12), LoadLevel::Overloaded);
        assert_eq!(at(8, 8), LoadLevel::Overloaded);
        assert_eq!(at(16, 4), LoadLevel::Busy);
        assert_eq!(at(24, 3), LoadLevel::Busy);
        assert_eq!(at(32, 2), LoadLevel::Calm);
        assert_eq!(at(40, 3), LoadLevel::Calm);
    }

    #[test]
    fn an_overloaded_process_is_calm_soon_after_its_calls_end() {
        let (meter, started_at) = meter();
        send(&meter, started_at, 0..250, |_| ms(20));
        assert_eq!(meter.load_level(started_at + s(5)), LoadLevel::Overloaded);

        assert_eq!(meter.load_level(started_at + s(11)), LoadLevel::Calm);
    }

    #[test]
    fn calls_on_many_threads_count_as_one_process() {
        let (meter, started_at) = meter();

        std::thread::scope(|scope| {
            for call in 0..4 {
                let meter = &meter;
                scope.spawn(move || send(meter, started_at, 0..150, |_| ms(if call == 0 { 15 } else { 1 })));
            }
        });

        assert_eq!(meter.load_level(started_at + s(3)), LoadLevel::Overloaded);
    }

    /// Sends these frames of a call, each `late` by its number.
    fn send(
        meter: &LatenessMeter,
        started_at: Instant,
        frames: std::ops::Range<u64>,
        late: impl Fn(u64) -> Duration,
    ) {
        for n in frames {
            meter.note_late(late(n), started_at + ms(20 * n));
        }
    }

    fn meter() -> (LatenessMeter, Instant) {
        let started_at = Instant::now();
        (LatenessMeter::new(started_at, OVERLOADED_MS), started_at)
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }
}
