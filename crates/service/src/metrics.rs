//! Counts what happens, for CloudWatch: lines of its embedded metric format (EMF) among the others of the log.
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

/// A line of the format holds a hundred values of a metric at most. So many may wait.
const WAITING: usize = 90;

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// So many measurements wait for the next line.
static MEASURED: AtomicUsize = AtomicUsize::new(0);

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// How many of a hundred slots of a media task are used, each heartbeat. The service scales on its average.
    SlotUtilization,
    /// How many slots of a media task are free, each heartbeat.
    FreeSlots,
    /// Calls that began to ring.
    Calls,
    /// Calls that were picked up.
    Answered,
    /// Calls that nobody picked up: refused for want of something, or given up by the caller. Those turned away are not.
    Missed,
    /// Calls whose media task died.
    LostCalls,
    /// Webhooks that were not signed by Meta.
    RefusedSignatures,
    /// Calls with something wrong with their media.
    MediaVerdicts,
    /// Tools that did not do what they were asked.
    FailedTools,
    /// Actions at Meta that failed.
    MetaTroubles,
    /// Sessions of the model that broke.
    SessionsLost,
    /// From the ring until Meta has picked up for us.
    AnswerMs,
    /// From the open line to the agent's first word.
    FirstWordMs,
    /// From the end of the caller's speech to the agent's first word of its answer.
    TurnMs,
    /// How late frames were sent, of each call: all but one of a hundred were no later.
    LateFramesMs,
}

/// How a metric is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    State(Unit),
    Measurement,
}

impl Metric {
    /// All of them.
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

    /// Its name in CloudWatch.
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
            // Not a gauge, which would be told again with every line: whoever takes no calls has no room to tell of.
            Kind::State(_) => histogram!(self.name()).record(value as f64),
            Kind::Measurement => {
                histogram!(self.name()).record(value as f64);
                if MEASURED.fetch_add(1, Ordering::Relaxed) + 1 >= WAITING {
                    flush();
                }
            }
        }
    }
}

/// Begins to count, for the stack that the environment names. Before this, nothing is counted.
pub fn init(env: &Env) {
    let stack = env.optional("AHOY_STACK").unwrap_or("ahoy").to_owned();
    let built = Builder::new().cloudwatch_namespace(NAMESPACE).with_dimension(DIMENSION, stack).init();
    // It can only fail the second time.
    if let Ok(collector) = built {
        Metric::ALL.into_iter().for_each(Metric::describe);
        let _ = COLLECTOR.set(collector);
    }
}

/// Counts an event of a call.
pub fn count(entry: &JournalEntry) {
    let counted = counted::counted(&entry.event, entry.since_ring_ms);
    counted.into_iter().for_each(|(metric, value)| metric.note(value));
}

/// Counts an event that belongs to no call.
pub(crate) fn count_event(event: &journal::JournalEvent) {
    counted::counted(event, None).into_iter().for_each(|(metric, value)| metric.note(value));
}

/// Notes how many of a media task's slots are used, of one that takes calls.
pub fn note_slots(used: usize, slots: usize) {
    Metric::FreeSlots.note(slots.saturating_sub(used) as u64);
    Metric::SlotUtilization.note((100 * used / slots.max(1)) as u64);
}

/// Writes what was counted since the last time, if anything was. Functions do it before each reply, since Lambda stops them then.
pub fn flush() {
    let Some(collector) = COLLECTOR.get() else { return };
    MEASURED.store(0, Ordering::Relaxed);
    let mut lines = vec![];
    // A text in memory takes all that is written.
    let _ = collector.flush(&mut lines);
    String::from_utf8_lossy(&lines).lines().for_each(logs::line);
}
