//! The journal writer's queue: decides what is written to the table next. Each call's records are written in order and have a
//! budget, and calls take turns, so that no call costs another its records.
//!
//! Decides only; [`JournalWriter`](super::JournalWriter) does the writing.

use call::CallRef;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many records of one call may be queued.
const MAX_PER_CALL: usize = 512;

/// How many records of all calls may be queued.
const MAX_TOTAL: usize = 16_384;

/// How many records are written at once, each of a different call.
const MAX_RECORDS_IN_FLIGHT: usize = 16;

/// How many call outcomes are written at once, besides the records.
const MAX_OUTCOMES_IN_FLIGHT: usize = 4;

/// The delay before the first retry; it doubles with each attempt, up to [`MAX_RETRY_DELAY`].
const RETRY_DELAY: Duration = Duration::from_millis(250);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// The delay before a retry of a call outcome that DynamoDB denies until an operator changes permissions.
const DENIED_RETRY_DELAY: Duration = Duration::from_secs(30);

/// How long a record is retried after its first failure.
const RECORD_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// The queue of a call that a write waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// A journal entry or transcript line: it may be lost, and journal entries are in the log too.
    Record,
    /// The call's outcome: it must not be lost, and is dropped only if the table can never take it.
    Outcome,
}

/// The result of an attempt to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteResult {
    /// The table has it.
    Written,
    /// A retry may succeed.
    Later,
    /// A retry succeeds only after an operator changes permissions.
    Denied,
    /// The table can never take it.
    Never,
}

/// A write to attempt now.
#[derive(Debug)]
pub(super) struct Job<T> {
    pub call_ref: CallRef,
    pub lane: Lane,
    pub what: Arc<T>,
}

/// Records of a call that were dropped for lack of room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow {
    pub call_ref: CallRef,
    pub records: u64,
}

/// Writes of all calls that are queued or in flight.
#[derive(Debug)]
pub(super) struct WriteQueue<T> {
    calls: HashMap<CallRef, CallQueue<T>>,
    /// The calls with queued writes, in the order of their turns.
    round_robin: VecDeque<CallRef>,
    records: usize,
    records_in_flight: usize,
    outcomes_in_flight: usize,
    /// How many writes were ever queued: the sequence number of the next one.
    next_sequence: u64,
    overflows: Vec<Overflow>,
}

#[derive(Debug)]
struct CallQueue<T> {
    records: VecDeque<QueuedWrite<T>>,
    outcomes: VecDeque<QueuedWrite<T>>,
    /// How many records were dropped for lack of room.
    dropped: u64,
}

#[derive(Debug)]
struct QueuedWrite<T> {
    what: Arc<T>,
    sequence: u64,
    attempts: u32,
    first_failed_at: Option<Instant>,
    retry_at: Option<Instant>,
    is_in_flight: bool,
}

impl<T> Default for WriteQueue<T> {
    fn default() -> Self {
        Self {
            calls: HashMap::new(),
            round_robin: VecDeque::new(),
            records: 0,
            records_in_flight: 0,
            outcomes_in_flight: 0,
            next_sequence: 0,
            overflows: vec![],
        }
    }
}

impl<T> WriteQueue<T> {
    /// Queues a write. A record beyond its call's budget is dropped; if the whole queue is full, the call with the most records
    /// loses its newest.
    pub(super) fn push(&mut self, call_ref: &CallRef, lane: Lane, what: T) {
        if lane == Lane::Record && !self.make_room(call_ref) {
            return;
        }
        let sequence = self.next_sequence;
        let queued = QueuedWrite {
            what: Arc::new(what),
            sequence,
            attempts: 0,
            first_failed_at: None,
            retry_at: None,
            is_in_flight: false,
        };
        self.next_sequence += 1;
        if !self.calls.contains_key(call_ref) {
            self.round_robin.push_back(call_ref.clone());
        }
        self.calls.entry(call_ref.clone()).or_default().lane(lane).push_back(queued);
        self.records += usize::from(lane == Lane::Record);
    }

    /// Returns the next write to attempt, if any: call outcomes first, then one record of each call in turn.
    pub(super) fn poll_job(&mut self, now: Instant) -> Option<Job<T>> {
        self.free_lanes().find_map(|lane| self.take_next(lane, now))
    }

    /// Notes the result of an attempt. Returns `false` if the write is dropped.
    pub(super) fn handle_result(&mut self, job: &Job<T>, result: WriteResult, now: Instant) -> bool {
        *self.in_flight(job.lane) -= 1;
        let call = self.calls.get_mut(&job.call_ref).expect("a call stays while it has a write in flight");
        let lane = call.lane(job.lane);
        let front = lane.front_mut().expect("a write in flight stays at the front");
        front.is_in_flight = false;
        front.attempts += 1;
        let delay = match (job.lane, result) {
            (_, WriteResult::Written | WriteResult::Never) | (Lane::Record, WriteResult::Denied) => None,
            (Lane::Outcome, WriteResult::Denied) => Some(DENIED_RETRY_DELAY),
            (Lane::Record, WriteResult::Later)
                if now - *front.first_failed_at.get_or_insert(now) >= RECORD_DEADLINE =>
            {
                None
            }
            (_, WriteResult::Later) => {
                Some(MAX_RETRY_DELAY.min(RETRY_DELAY.saturating_mul(2u32.saturating_pow(front.attempts - 1))))
            }
        };
        if let Some(delay) = delay {
            front.retry_at = Some(now + delay);
            return true;
        }
        lane.pop_front();
        self.records -= usize::from(job.lane == Lane::Record);
        self.remove_if_empty(&job.call_ref);
        result == WriteResult::Written
    }

    /// Returns when the next retry is due. Writes that wait for a free place in flight do not count: the end of another write
    /// looks at them anyway.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let lanes = self.free_lanes();
        let heads = lanes.flat_map(|lane| self.calls.values().filter_map(move |call| call.next(lane)));
        heads.filter_map(|front| front.retry_at).min()
    }

    /// Returns dropped records that are not reported yet: a call's first at once, its others once all its writes are done.
    pub(super) fn poll_overflow(&mut self) -> Option<Overflow> {
        self.overflows.pop()
    }

    /// Returns the sequence number of the next write.
    pub(super) fn sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Whether every write before this sequence number is done or dropped.
    pub(super) fn is_done_before(&self, sequence: u64) -> bool {
        let mut queued = self.calls.values().flat_map(|call| call.records.iter().chain(&call.outcomes));
        queued.all(|queued| queued.sequence >= sequence)
    }

    /// Returns the calls whose outcome is still queued.
    pub(super) fn calls_without_summary(&self) -> impl Iterator<Item = &CallRef> {
        self.calls.iter().filter(|(_, call)| !call.outcomes.is_empty()).map(|(call_ref, _)| call_ref)
    }

    fn make_room(&mut self, call_ref: &CallRef) -> bool {
        let own = self.calls.get(call_ref).map_or(0, |call| call.records.len());
        if own >= MAX_PER_CALL {
            self.note_dropped(call_ref);
            return false;
        }
        if self.records < MAX_TOTAL {
            return true;
        }
        let fullest = self.calls.iter().max_by_key(|(_, call)| call.records.len());
        let fullest = fullest.filter(|(_, call)| call.records.len() > own + 1);
        let Some(fullest) = fullest.map(|(name, _)| name.clone()) else {
            self.note_dropped(call_ref);
            return false;
        };
        // The newest record, since the first may be in flight.
        self.calls.get_mut(&fullest).expect("the key was just found").records.pop_back();
        self.records -= 1;
        self.note_dropped(&fullest);
        true
    }

    fn note_dropped(&mut self, call_ref: &CallRef) {
        let dropped = self.calls.get_mut(call_ref).map(|call| {
            call.dropped += 1;
            call.dropped
        });
        if dropped.is_none_or(|dropped| dropped == 1) {
            self.overflows.push(Overflow { call_ref: call_ref.clone(), records: 1 });
        }
    }

    /// Returns the lanes that may have one more write in flight.
    fn free_lanes(&self) -> impl Iterator<Item = Lane> + use<T> {
        let outcome = (self.outcomes_in_flight < MAX_OUTCOMES_IN_FLIGHT).then_some(Lane::Outcome);
        let record = (self.records_in_flight < MAX_RECORDS_IN_FLIGHT).then_some(Lane::Record);
        outcome.into_iter().chain(record)
    }

    fn take_next(&mut self, lane: Lane, now: Instant) -> Option<Job<T>> {
        let position =
            self.round_robin.iter().position(|call_ref| self.calls[call_ref].may_write(lane, now))?;
        let call_ref = self.round_robin.remove(position).expect("the position is within the queue");
        self.round_robin.push_back(call_ref.clone());
        *self.in_flight(lane) += 1;
        let call = self.calls.get_mut(&call_ref).expect("calls with a turn have a queue");
        let front = call.lane(lane).front_mut().expect("the lane has a write to attempt");
        front.is_in_flight = true;
        let what = front.what.clone();
        Some(Job { call_ref, lane, what })
    }

    fn in_flight(&mut self, lane: Lane) -> &mut usize {
        match lane {
            Lane::Record => &mut self.records_in_flight,
            Lane::Outcome => &mut self.outcomes_in_flight,
        }
    }

    fn remove_if_empty(&mut self, call_ref: &CallRef) {
        let is_empty = |call: &&CallQueue<T>| call.records.is_empty() && call.outcomes.is_empty();
        let Some(call) = self.calls.get(call_ref).filter(is_empty) else { return };
        if call.dropped > 1 {
            let records = call.dropped - 1;
            self.overflows.push(Overflow { call_ref: call_ref.clone(), records });
        }
        self.calls.remove(call_ref);
        self.round_robin.retain(|other| other != call_ref);
    }
}

impl<T> Default for CallQueue<T> {
    fn default() -> Self {
        Self { records: VecDeque::new(), outcomes: VecDeque::new(), dropped: 0 }
    }
}

impl<T> CallQueue<T> {
    fn lane(&mut self, lane: Lane) -> &mut VecDeque<QueuedWrite<T>> {
        match lane {
            Lane::Record => &mut self.records,
            Lane::Outcome => &mut self.outcomes,
        }
    }

    /// Whether the first write of a lane may be attempted at `now`.
    fn may_write(&self, lane: Lane, now: Instant) -> bool {
        self.next(lane).is_some_and(|front| front.retry_at.is_none_or(|at| at <= now))
    }

    /// Returns the first write of a lane if only time delays it. A call outcome comes after its call's records, unless these
    /// fail.
    fn next(&self, lane: Lane) -> Option<&QueuedWrite<T>> {
        let front = match lane {
            Lane::Record => self.records.front(),
            Lane::Outcome if self.records.front().is_none_or(|record| record.attempts > 0) => {
                self.outcomes.front()
            }
            Lane::Outcome => None,
        };
        front.filter(|front| !front.is_in_flight)
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
