//! Decides what is written to the table next: by call, in order, and with a budget for each, so that no call costs another one's
//! records. Decides only; [`Diary`](super::Diary) does the writing.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many records of one call may wait.
const OF_A_CALL: usize = 512;

/// How many records may wait in all.
const IN_ALL: usize = 16_384;

/// How many records are written at once, each of another call.
const RECORDS_AT_ONCE: usize = 16;

/// How many conclusions are written at once, beside the records.
const CONCLUSIONS_AT_ONCE: usize = 4;

/// How soon something is tried again: longer each time, up to a limit.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How soon a conclusion is tried again that only an operator can help.
const PAUSE_WHEN_DENIED: Duration = Duration::from_secs(30);

/// How long a record is tried.
const TRIED_FOR: Duration = Duration::from_secs(5 * 60);

/// In which lane something waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// What may be lost: it is in the log, too, or it is a line of what was said.
    Record,
    /// What must not be lost: only DynamoDB's word that it can never be written takes it away.
    Conclusion,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteResult {
    /// It is written.
    Written,
    /// It may be written later.
    Later,
    /// Only an operator can change it.
    Denied,
    /// It can never be written.
    Never,
}

/// Something to write now.
#[derive(Debug)]
pub(super) struct Job<T> {
    pub call_ref: String,
    pub lane: Lane,
    pub what: Arc<T>,
}

/// Records of a call that did not fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow {
    pub call_ref: String,
    pub records: u64,
}

/// What waits to be written.
#[derive(Debug)]
pub(super) struct WriteQueue<T> {
    calls: HashMap<String, Waiting<T>>,
    /// The calls with anything that waits, the one whose turn is next first.
    turns: VecDeque<String>,
    records: usize,
    records_away: usize,
    conclusions_away: usize,
    /// How many were ever taken in: the place of the next one.
    taken: u64,
    overflows: Vec<Overflow>,
}

#[derive(Debug)]
struct Waiting<T> {
    records: VecDeque<CallQueue<T>>,
    conclusions: VecDeque<CallQueue<T>>,
    /// How many did not fit.
    dropped: u64,
}

#[derive(Debug)]
struct CallQueue<T> {
    what: Arc<T>,
    place: u64,
    tries: u32,
    since: Option<Instant>,
    again_at: Option<Instant>,
    is_away: bool,
}

impl<T> Default for WriteQueue<T> {
    fn default() -> Self {
        Self {
            calls: HashMap::new(),
            turns: VecDeque::new(),
            records: 0,
            records_away: 0,
            conclusions_away: 0,
            taken: 0,
            overflows: vec![],
        }
    }
}

impl<T> WriteQueue<T> {
    /// Takes something in. A record beyond its call's budget is dropped; where all is full, the call that fills it most loses one.
    pub(super) fn push(&mut self, call_ref: &str, lane: Lane, what: T) {
        if lane == Lane::Record && !self.has_room_for(call_ref) {
            return;
        }
        let place = self.taken;
        let held =
            CallQueue { what: Arc::new(what), place, tries: 0, since: None, again_at: None, is_away: false };
        self.taken += 1;
        if !self.calls.contains_key(call_ref) {
            self.turns.push_back(call_ref.to_owned());
        }
        self.calls.entry(call_ref.to_owned()).or_default().lane(lane).push_back(held);
        self.records += usize::from(lane == Lane::Record);
    }

    /// What to write now, if anything: conclusions first, then one record of each call in turn.
    pub(super) fn poll_job(&mut self, now: Instant) -> Option<Job<T>> {
        self.free_lanes().find_map(|lane| self.next_in(lane, now))
    }

    /// Takes note of what came of a job. `false`: it is given up.
    pub(super) fn handle_tried(&mut self, job: &Job<T>, tried: WriteResult, now: Instant) -> bool {
        *self.away(job.lane) -= 1;
        let waiting = self.calls.get_mut(&job.call_ref).expect("a call stays while it has a job away");
        let lane = waiting.lane(job.lane);
        let head = lane.front_mut().expect("what is away stays at the head");
        head.is_away = false;
        head.tries += 1;
        let pause = match (job.lane, tried) {
            (_, WriteResult::Written | WriteResult::Never) | (Lane::Record, WriteResult::Denied) => None,
            (Lane::Conclusion, WriteResult::Denied) => Some(PAUSE_WHEN_DENIED),
            (Lane::Record, WriteResult::Later) if now - *head.since.get_or_insert(now) >= TRIED_FOR => None,
            (_, WriteResult::Later) => {
                Some(LONGEST_PAUSE.min(PAUSE.saturating_mul(2u32.saturating_pow(head.tries - 1))))
            }
        };
        if let Some(pause) = pause {
            head.again_at = Some(now + pause);
            return true;
        }
        lane.pop_front();
        self.records -= usize::from(job.lane == Lane::Record);
        self.forget_if_empty(&job.call_ref);
        tried == WriteResult::Written
    }

    /// When something may be tried again. Nothing that waits for more than time counts: the end of another job is looked at anyway.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let lanes = self.free_lanes();
        let heads = lanes.flat_map(|lane| self.calls.values().filter_map(move |call| call.next(lane)));
        heads.filter_map(|head| head.again_at).min()
    }

    /// What did not fit, and is not told yet: a call's first record at once, its others once all that waits is written.
    pub(super) fn poll_overflow(&mut self) -> Option<Overflow> {
        self.overflows.pop()
    }

    /// The place of what is taken in next.
    pub(super) fn place(&self) -> u64 {
        self.taken
    }

    /// Whether nothing waits any more that was taken in before this place.
    pub(super) fn is_done_before(&self, place: u64) -> bool {
        let mut held = self.calls.values().flat_map(|call| call.records.iter().chain(&call.conclusions));
        held.all(|held| held.place >= place)
    }

    /// The calls whose conclusions wait.
    pub(super) fn unconcluded(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().filter(|(_, call)| !call.conclusions.is_empty()).map(|(name, _)| name.as_str())
    }

    fn has_room_for(&mut self, call_ref: &str) -> bool {
        let own = self.calls.get(call_ref).map_or(0, |call| call.records.len());
        if own >= OF_A_CALL {
            self.note_dropped(call_ref);
            return false;
        }
        if self.records < IN_ALL {
            return true;
        }
        let fullest = self.calls.iter().max_by_key(|(_, call)| call.records.len());
        let fullest = fullest.filter(|(_, call)| call.records.len() > own + 1);
        let Some(fullest) = fullest.map(|(name, _)| name.clone()) else {
            self.note_dropped(call_ref);
            return false;
        };
        // Its newest: the head may be on its way.
        self.calls.get_mut(&fullest).expect("it was just found").records.pop_back();
        self.records -= 1;
        self.note_dropped(&fullest);
        true
    }

    fn note_dropped(&mut self, call_ref: &str) {
        let dropped = self.calls.get_mut(call_ref).map(|call| {
            call.dropped += 1;
            call.dropped
        });
        if dropped.is_none_or(|dropped| dropped == 1) {
            self.overflows.push(Overflow { call_ref: call_ref.to_owned(), records: 1 });
        }
    }

    /// The lanes with a free place.
    fn free_lanes(&self) -> impl Iterator<Item = Lane> + use<T> {
        let conclusion = (self.conclusions_away < CONCLUSIONS_AT_ONCE).then_some(Lane::Conclusion);
        let record = (self.records_away < RECORDS_AT_ONCE).then_some(Lane::Record);
        conclusion.into_iter().chain(record)
    }

    fn next_in(&mut self, lane: Lane, now: Instant) -> Option<Job<T>> {
        let turn = self.turns.iter().position(|call_ref| self.calls[call_ref].may_write(lane, now))?;
        let call_ref = self.turns.remove(turn).expect("the position is one of it");
        self.turns.push_back(call_ref.clone());
        *self.away(lane) += 1;
        let call = self.calls.get_mut(&call_ref).expect("calls with a turn are there");
        let head = call.lane(lane).front_mut().expect("it has something to write");
        head.is_away = true;
        let what = head.what.clone();
        Some(Job { call_ref, lane, what })
    }

    fn away(&mut self, lane: Lane) -> &mut usize {
        match lane {
            Lane::Record => &mut self.records_away,
            Lane::Conclusion => &mut self.conclusions_away,
        }
    }

    fn forget_if_empty(&mut self, call_ref: &str) {
        let is_empty = |call: &&Waiting<T>| call.records.is_empty() && call.conclusions.is_empty();
        let Some(call) = self.calls.get(call_ref).filter(is_empty) else { return };
        if call.dropped > 1 {
            let records = call.dropped - 1;
            self.overflows.push(Overflow { call_ref: call_ref.to_owned(), records });
        }
        self.calls.remove(call_ref);
        self.turns.retain(|other| other != call_ref);
    }
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { records: VecDeque::new(), conclusions: VecDeque::new(), dropped: 0 }
    }
}

impl<T> Waiting<T> {
    fn lane(&mut self, lane: Lane) -> &mut VecDeque<CallQueue<T>> {
        match lane {
            Lane::Record => &mut self.records,
            Lane::Conclusion => &mut self.conclusions,
        }
    }

    /// Whether the head of a lane may be written.
    fn may_write(&self, lane: Lane, now: Instant) -> bool {
        self.next(lane).is_some_and(|head| head.again_at.is_none_or(|at| at <= now))
    }

    /// The head of a lane, if it waits for time alone. A conclusion comes after its call's records, unless they are in trouble.
    fn next(&self, lane: Lane) -> Option<&CallQueue<T>> {
        let head = match lane {
            Lane::Record => self.records.front(),
            Lane::Conclusion if self.records.front().is_none_or(|record| record.tries > 0) => {
                self.conclusions.front()
            }
            Lane::Conclusion => None,
        };
        head.filter(|head| !head.is_away)
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
