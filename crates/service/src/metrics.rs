//! Metrics for CloudWatch: journal events are counted and written to the log in its embedded metric format (EMF).
//!
//! Each metric has one dimension, the stack: fifteen series in all, of which CloudWatch bills each.

use crate::env::Env;
use crate::logs;
use journal::EventMeaning;
pub use journal::Metric;
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "ahoy";

/// The one dimension: `AHOY_STACK`, default `ahoy`.
pub const DIMENSION: &str = "stack";

/// How many measurements wait for a line, which holds at most a hundred values of a metric.
const MAX_MEASUREMENTS: usize = 90;

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// The number of measurements that wait for the next line.
static MEASURED: AtomicUsize = AtomicUsize::new(0);

/// The kind of a metric, which decides how it is aggregated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    State(Unit),
    Measurement,
}

fn kind(metric: Metric) -> Kind {
    match metric {
        Metric::SlotUtilization => Kind::State(Unit::Percent),
        Metric::FreeSlots => Kind::State(Unit::Count),
        Metric::Calls
        | Metric::Answered
        | Metric::Missed
        | Metric::LostCalls
        | Metric::RefusedSignatures
        | Metric::MediaVerdicts
        | Metric::FailedTools
        | Metric::MetaTroubles
        | Metric::SessionsLost
        | Metric::Undelivered => Kind::Count,
        Metric::AnswerMs | Metric::FirstWordMs | Metric::TurnMs | Metric::LateFramesMs => Kind::Measurement,
    }
}

fn describe(metric: Metric) {
    match kind(metric) {
        Kind::Count => describe_counter!(metric.name(), Unit::Count, ""),
        Kind::State(unit) => describe_histogram!(metric.name(), unit, ""),
        Kind::Measurement => describe_histogram!(metric.name(), Unit::Milliseconds, ""),
    }
}

fn note(metric: Metric, value: u64) {
    match kind(metric) {
        Kind::Count => counter!(metric.name()).increment(value),
        // Not a gauge, which would be written with every line: a task that takes no calls must not report free slots.
        Kind::State(_) => histogram!(metric.name()).record(value as f64),
        Kind::Measurement => {
            histogram!(metric.name()).record(value as f64);
            if MEASURED.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_MEASUREMENTS {
                flush();
            }
        }
    }
}

/// Starts counting, for the stack that the environment names. Events before this are not counted.
pub fn init(env: &Env) {
    let stack = env.optional("AHOY_STACK").unwrap_or("ahoy").to_owned();
    let built = Builder::new().cloudwatch_namespace(NAMESPACE).with_dimension(DIMENSION, stack).init();
    // This can only fail when called twice.
    if let Ok(collector) = built {
        Metric::ALL.into_iter().for_each(describe);
        let _ = COLLECTOR.set(collector);
    }
}

/// Counts an event.
pub(crate) fn count(meaning: &EventMeaning) {
    meaning.metrics.iter().for_each(|(metric, value)| note(*metric, *value));
}

/// Records the slots in use of a media task that takes calls.
pub fn note_slots(used: usize, slots: usize) {
    note(Metric::FreeSlots, slots.saturating_sub(used) as u64);
    note(Metric::SlotUtilization, (100 * used / slots.max(1)) as u64);
}

/// Writes the counts since the last flush, if there are any. Functions flush before each response, since Lambda then freezes them.
pub fn flush() {
    let Some(collector) = COLLECTOR.get() else { return };
    MEASURED.store(0, Ordering::Relaxed);
    let mut lines = vec![];
    // Writing to memory does not fail.
    let _ = collector.flush(&mut lines);
    String::from_utf8_lossy(&lines).lines().for_each(logs::line);
}
