//! The CPU time of a call's traffic alone: codec, encryption, datagrams, TLS, JSON. It is the lower bound of any media
//! task; the difference to ours is its overhead.
//!
//! One thread does the work of one call-second again and again, each part apart, by the CPU time of the thread.

mod codec;
mod events;
mod wire;

use anyhow::Context;
use codec::{Decoding, Encoding};
use events::{Json, Tls};
use report::{Machine, Table};
use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::time::Duration;
use wire::{Datagrams, Protecting, Unprotecting};

/// Frames in a second.
const FRAMES: usize = 50;

/// Frames in a second in which the agent speaks: 40 %.
const SPOKEN: usize = 20;

/// Appends in a second: the caller's sound goes to the model 40 ms at a time.
const APPENDS: usize = 25;

const APPENDED: usize = 960;

/// Deltas in a second: what the agent speaks in it, 100 ms at a time.
const DELTAS: usize = 4;

/// Bytes of sound in each.
const DELTA: usize = 4_800;

/// Call-seconds that are measured together, for the clock's sake.
const BATCH: u32 = 25;

/// The fewest and the most batches; between them it ends once the medians of both halves agree within [`AGREE`].
const BATCHES: std::ops::RangeInclusive<usize> = 10..=80;

const AGREE: f64 = 0.02;

/// The parts, and what each costs.
#[derive(Debug, Clone)]
pub struct Floor {
    parts: Vec<Cost>,
}

/// What a part costs.
#[derive(Debug, Clone)]
pub struct Cost {
    /// What it is.
    pub part: &'static str,
    /// CPU time for each call-second.
    pub per_second: Duration,
    /// Whether its figure settled.
    pub is_stable: bool,
}

/// Some of the work of a call.
trait Part {
    /// Does what a second of a call takes. What is timed is run by the stopwatch.
    fn second(&mut self, watch: &mut Stopwatch);
}

/// Adds up CPU time of this thread.
#[derive(Debug, Default)]
struct Stopwatch(Duration);

impl Stopwatch {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = cpu_time();
        let done = work();
        self.0 += cpu_time().saturating_sub(began);
        std::hint::black_box(done)
    }
}

impl Floor {
    /// Measures every part. It takes some seconds, and the whole of a core.
    pub fn measure() -> anyhow::Result<Self> {
        Ok(Self {
            parts: vec![
                cost("decode 50 frames", &mut Decoding::new()?),
                cost("encode 20 frames", &mut Encoding::new()?),
                cost("SRTP protect 50", &mut Protecting::new()?),
                cost("SRTP unprotect 50", &mut Unprotecting::new()?),
                cost("UDP send and receive 50", &mut Datagrams::new().context("no socket on loopback")?),
                cost("JSON and base64, 25 appends and 4 deltas", &mut Json::new()),
                cost("TLS records of these", &mut Tls::new()?),
            ],
        })
    }

    /// What all parts cost together, for each call-second.
    pub fn sum(&self) -> Duration {
        self.parts.iter().map(|cost| cost.per_second).sum()
    }

    /// The parts.
    pub fn parts(&self) -> &[Cost] {
        &self.parts
    }

    /// As a table.
    pub fn table(&self) -> Table {
        let mut table = Table::new(&["part", "ms a call-second"]);
        for cost in &self.parts {
            let doubt = if cost.is_stable { "" } else { " (never settled)" };
            table.push([format!("{}{doubt}", cost.part), ms(cost.per_second)]);
        }
        table.row(["sum".to_owned(), ms(self.sum())])
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n", self.table().markdown(), Machine::here())
    }
}

fn cost(part: &'static str, work: &mut dyn Part) -> Cost {
    // Once unmeasured: caches, pages, tables made at first use.
    batch(work);
    let mut took = vec![];
    while took.len() < *BATCHES.start() || (!agree(&took) && took.len() < *BATCHES.end()) {
        took.push(batch(work));
    }
    Cost { part, per_second: median(&took), is_stable: agree(&took) }
}

fn batch(work: &mut dyn Part) -> Duration {
    let mut watch = Stopwatch::default();
    (0..BATCH).for_each(|_| work.second(&mut watch));
    watch.0 / BATCH
}

fn agree(took: &[Duration]) -> bool {
    let (earlier, later) = took.split_at(took.len() / 2);
    let (earlier, later) = (median(earlier).as_secs_f64(), median(later).as_secs_f64());
    (earlier - later).abs() <= AGREE * earlier.max(later)
}

fn median(took: &[Duration]) -> Duration {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn ms(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_floor_costs_something() {
        let floor = Floor::measure().unwrap();

        assert!(floor.parts().iter().all(|cost| !cost.per_second.is_zero()), "{floor}");
        assert!(floor.to_string().contains("| sum "));
    }

    #[test]
    fn only_what_agrees_with_itself_has_settled() {
        let ms = |all: &[u64]| all.iter().map(|&ms| Duration::from_millis(ms)).collect::<Vec<_>>();

        assert!(agree(&ms(&[100, 101, 100, 250, 100, 101])));
        assert!(!agree(&ms(&[100, 100, 100, 110, 110, 110])));
    }
}
