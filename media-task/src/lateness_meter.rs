//! How late frames are sent, in all calls of this process together: the one sign of overload that callers hear.
//!
//! Written fifty times a second by every call, so there is no lock and no allocation: relaxed counters, a set of them for
//! each second. Two calls that turn a second's page at once can lose a count or two, which no percentile notices.

use audio::LoadLevel;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// So many seconds are looked back on.
const LOOK_BACK: u32 = 5;

/// Seconds that are kept: those looked back on, the one that has just begun, and room for who is late in writing.
const PAGES: usize = 8;

/// Lateness is counted to the millisecond; the last count is of this and more.
const LONGEST: usize = 31;

/// Of so few frames nothing can be said: a second of one call.
const FEWEST: u32 = 50;

/// One frame in a hundred may be later than what counts.
const PERMILLE: u32 = 990;

/// From so many milliseconds on the machine is busy. A timer alone is 1 ms late, so a process at rest has 1 or 2.
const BUSY: usize = 4;

/// From so many milliseconds on it is overloaded, unless an operator says otherwise: what a hundred calls must stay
/// under, and half a frame, so that a caller's jitter buffer begins to grow for it.
pub const OVERLOADED: usize = 10;

/// How late this process is with the frames it sends.
#[derive(Debug)]
pub struct LatenessMeter {
    began: Instant,
    /// From so many milliseconds on it is overloaded.
    overloaded: usize,
    pages: [Page; PAGES],
    /// The strain last found, on which the next depends.
    strain: AtomicU8,
}

/// The frames of a second, by their lateness.
#[derive(Debug, Default)]
struct Page {
    /// Which second, counted from one; zero when nothing was written.
    second: AtomicU32,
    counts: [AtomicU32; LONGEST + 1],
}

impl LatenessMeter {
    /// Nothing was sent yet. Frames as late as this, in milliseconds, are overload.
    pub fn new(now: Instant, overloaded: usize) -> Self {
        Self {
            began: now,
            overloaded,
            pages: Default::default(),
            strain: AtomicU8::new(LoadLevel::Calm as u8),
        }
    }

    /// Notes that a frame was sent at `now`, so late. Whoever sends the first of a second finds the strain anew.
    pub fn note_late(&self, late: Duration, now: Instant) {
        let second = self.second(now);
        let page = &self.pages[second as usize % PAGES];
        let written = page.second.load(Relaxed);
        if written != second && page.second.compare_exchange(written, second, Relaxed, Relaxed).is_ok() {
            page.counts.iter().for_each(|count| count.store(0, Relaxed));
            self.strain(now);
        }
        page.counts[(late.as_millis() as usize).min(LONGEST)].fetch_add(1, Relaxed);
    }

    /// How hard the machine is pressed, by the last five seconds. The worst of them is left out: a single hiccup of the
    /// machine's, of which one call has three late frames, is no load.
    pub fn strain(&self, now: Instant) -> LoadLevel {
        let strain = match self.p99(now) {
            None => LoadLevel::Calm,
            Some(late) => self.after(self.last_strain(), late),
        };
        self.strain.store(strain as u8, Relaxed);
        strain
    }

    /// So late, in milliseconds, all but one in a hundred frames were at most, the worst second left out; none when there
    /// were hardly any.
    fn p99(&self, now: Instant) -> Option<usize> {
        let this = self.second(now);
        let is_recent = |page: &&Page| {
            let second = page.second.load(Relaxed);
            second > 0 && second <= this && this - second <= LOOK_BACK
        };
        let mut seconds = [[0; LONGEST + 1]; PAGES];
        let mut kept = 0;
        for page in self.pages.iter().filter(is_recent) {
            seconds[kept] = std::array::from_fn(|n| page.counts[n].load(Relaxed));
            kept += 1;
        }
        let seconds = &seconds[..kept];
        let worst = (0..kept).max_by_key(|&n| percentile(&seconds[n]))?;
        let mut all = [0; LONGEST + 1];
        for (_, second) in seconds.iter().enumerate().filter(|(n, _)| *n != worst) {
            all.iter_mut().zip(second).for_each(|(all, count)| *all += count);
        }
        percentile(&all).filter(|_| all.iter().sum::<u32>() >= FEWEST)
    }

    /// What follows on a strain when frames are so late, ms. What was reached is left only once lateness is well below
    /// its limit, by a quarter: a call more or less must not flip it.
    fn after(&self, last: LoadLevel, late: usize) -> LoadLevel {
        let reached = |strain: LoadLevel, limit: usize| {
            late >= if last >= strain { (3 * limit).div_ceil(4) } else { limit }
        };
        match (reached(LoadLevel::Overloaded, self.overloaded), reached(LoadLevel::Busy, BUSY)) {
            (true, _) => LoadLevel::Overloaded,
            (false, true) => LoadLevel::Busy,
            (false, false) => LoadLevel::Calm,
        }
    }

    fn second(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.began).as_secs() as u32 + 1
    }

    /// The strain that was found last: within the last second, while frames are sent.
    pub fn last_strain(&self) -> LoadLevel {
        let last = self.strain.load(Relaxed);
        let strains = [LoadLevel::Calm, LoadLevel::Busy, LoadLevel::Overloaded];
        strains.into_iter().find(|strain| *strain as u8 == last).unwrap_or_default()
    }
}

fn percentile(counts: &[u32; LONGEST + 1]) -> Option<usize> {
    let all: u32 = counts.iter().sum();
    let mut seen = 0;
    counts.iter().position(|count| {
        seen += count;
        all > 0 && u64::from(seen) * 1_000 >= u64::from(all) * u64::from(PERMILLE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_calls_is_calm() {
        let (load, began) = load();

        assert_eq!(load.strain(began + s(3)), LoadLevel::Calm);
    }

    #[test]
    fn lateness_that_lasts_is_strain() {
        for (late, strain) in [(3, LoadLevel::Calm), (4, LoadLevel::Busy), (10, LoadLevel::Overloaded)] {
            let (load, began) = load();

            send(&load, began, 0..150, |_| ms(late));

            assert_eq!(load.strain(began + s(3)), strain, "{late} ms");
        }
    }

    #[test]
    fn one_late_frame_in_a_hundred_is_none() {
        let (load, began) = load();

        send(&load, began, 0..250, |n| ms(if n % 100 == 0 { 30 } else { 1 }));

        assert_eq!(load.strain(began + s(5)), LoadLevel::Calm);
    }

    #[test]
    fn a_hiccup_of_the_machine_is_no_load() {
        let (load, began) = load();

        send(&load, began, 0..250, |n| ms(if (100..105).contains(&n) { 100 - 20 * (n - 100) } else { 1 }));

        assert_eq!(load.strain(began + s(5)), LoadLevel::Calm);
    }

    #[test]
    fn strain_is_passed_once_lateness_is_well_below_it() {
        let (load, began) = load();
        let at = |from: u64, late| {
            send(&load, began, from * 50..(from + 8) * 50, |_| ms(late));
            load.strain(began + s(from + 8))
        };

        assert_eq!(at(0, 12), LoadLevel::Overloaded);
        assert_eq!(at(8, 8), LoadLevel::Overloaded);
        assert_eq!(at(16, 4), LoadLevel::Busy);
        assert_eq!(at(24, 3), LoadLevel::Busy);
        assert_eq!(at(32, 2), LoadLevel::Calm);
        assert_eq!(at(40, 3), LoadLevel::Calm);
    }

    #[test]
    fn an_overloaded_process_whose_calls_end_is_calm_soon() {
        let (load, began) = load();
        send(&load, began, 0..250, |_| ms(20));
        assert_eq!(load.strain(began + s(5)), LoadLevel::Overloaded);

        assert_eq!(load.strain(began + s(11)), LoadLevel::Calm);
    }

    #[test]
    fn calls_on_many_threads_count_as_one_process() {
        let (load, began) = load();

        std::thread::scope(|scope| {
            for call in 0..4 {
                let load = &load;
                scope.spawn(move || send(load, began, 0..150, |_| ms(if call == 0 { 15 } else { 1 })));
            }
        });

        assert_eq!(load.strain(began + s(3)), LoadLevel::Overloaded);
    }

    /// A call sends these of its frames, each so late.
    fn send(
        load: &LatenessMeter,
        began: Instant,
        frames: std::ops::Range<u64>,
        late: impl Fn(u64) -> Duration,
    ) {
        for n in frames {
            load.note_late(late(n), began + ms(20 * n));
        }
    }

    fn load() -> (LatenessMeter, Instant) {
        let began = Instant::now();
        (LatenessMeter::new(began, OVERLOADED), began)
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }
}
