//! Metrics for CloudWatch: journal events are counted and written to the log in its embedded metric format (EMF).
//!
//! Each metric has one dimension, the stack: fifteen series in all, of which CloudWatch bills each.

mod counted;

use crate::env::Env;
use crate::logs;
use journal::JournalEntry;
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

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The share of a media task's slots in use, percent, each heartbeat. The ECS service scales on its average.
    SlotUtilization,
    /// The free slots of a media task, each heartbeat.
    FreeSlots,
    /// Calls that began to ring.
    Calls,
    /// Calls that were accepted.
    Answered,
    /// Calls that were not accepted: refused because something was missing, or given up by the caller. Calls turned away do not count.
    Missed,
    /// Calls whose media task died.
    LostCalls,
    /// Webhook requests without a valid signature of Meta.
    RefusedSignatures,
    /// Calls with a diagnosis of a media fault.
    MediaVerdicts,
    /// Tool calls that did not succeed.
    FailedTools,
    /// Requests to Meta that failed.
    MetaTroubles,
    /// Sessions with the model that were lost.
    SessionsLost,
    /// The time from the ring until Meta accepted the call.
    AnswerMs,
    /// The time from the open line to the agent's first frame of speech.
    FirstWordMs,
    /// The response latency: from the end of the caller's speech to the first frame of the agent's answer.
    TurnMs,
    /// The 99th percentile of how late the frames of a call were sent.
    LateFramesMs,
}

/// The kind of a metric, which decides how it is aggregated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    State(Unit),
    Measurement,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 15] = [
        Self::SlotUtilization,
        Self::FreeSlots,
        Self::Calls,
        Self::Answered,
        Self::Missed,
        Self::LostCalls,
        Self::RefusedSignatures,
        Self::MediaVerdicts,
        Self::FailedTools,
        Self::MetaTroubles,
        Self::SessionsLost,
        Self::AnswerMs,
        Self::FirstWordMs,
        Self::TurnMs,
        Self::LateFramesMs,
    ];

    /// Returns the metric's name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::SlotUtilization => "SlotUtilization",
            Self::FreeSlots => "FreeSlots",
            Self::Calls => "Calls",
            Self::Answered => "Answered",
            Self::Missed => "Missed",
            Self::LostCalls => "LostCalls",
            Self::RefusedSignatures => "RefusedSignatures",
            Self::MediaVerdicts => "MediaVerdicts",
            Self::FailedTools => "FailedTools",
            Self::MetaTroubles => "MetaTroubles",
            Self::SessionsLost => "SessionsLost",
            Self::AnswerMs => "AnswerMs",
            Self::FirstWordMs => "FirstWordMs",
            Self::TurnMs => "TurnMs",
            Self::LateFramesMs => "LateFramesMs",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::SlotUtilization => Kind::State(Unit::Percent),
            Self::FreeSlots => Kind::State(Unit::Count),
            Self::Calls
            | Self::Answered
            | Self::Missed
            | Self::LostCalls
            | Self::RefusedSignatures
            | Self::MediaVerdicts
            | Self::FailedTools
            | Self::MetaTroubles
            | Self::SessionsLost => Kind::Count,
            Self::AnswerMs | Self::FirstWordMs | Self::TurnMs | Self::LateFramesMs => Kind::Measurement,
        }
    }

    fn describe(self) {
        match self.kind() {
            Kind::Count => describe_counter!(self.name(), Unit::Count, ""),
            Kind::State(unit) => describe_histogram!(self.name(), unit, ""),
            Kind::Measurement => describe_histogram!(self.name(), Unit::Milliseconds, ""),
        }
    }

    fn note(self, value: u64) {
        match self.kind() {
            Kind::Count => counter!(self.name()).increment(value),
            // Not a gauge, which would be written with every line: a task that takes no calls must not report free slots.
            Kind::State(_) => histogram!(self.name()).record(value as f64),
            Kind::Measurement => {
                histogram!(self.name()).record(value as f64);
                if MEASURED.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_MEASUREMENTS {
                    flush();
                }
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
        Metric::ALL.into_iter().for_each(Metric::describe);
        let _ = COLLECTOR.set(collector);
    }
}

/// Counts a journal entry.
pub fn count(entry: &JournalEntry) {
    let counted = counted::counted(&entry.event, entry.since_ring_ms);
    counted.into_iter().for_each(|(metric, value)| metric.note(value));
}

/// Counts an event that belongs to no call.
pub(crate) fn count_event(event: &journal::JournalEvent) {
    counted::counted(event, None).into_iter().for_each(|(metric, value)| metric.note(value));
}

/// Records the slots in use of a media task that takes calls.
pub fn note_slots(used: usize, slots: usize) {
    Metric::FreeSlots.note(slots.saturating_sub(used) as u64);
    Metric::SlotUtilization.note((100 * used / slots.max(1)) as u64);
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
