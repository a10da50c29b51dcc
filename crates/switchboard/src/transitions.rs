//! Derives journal events from a change of a call's state.

use crate::perform::wire_name;
use call::{Call, CallEvent, Effect, Ending, Party};
use journal::{EntryContext, JournalEvent};
use media_diagnosis::{Finding, NO_MEDIA, not_reaching};
use store::StoredCall;

/// Returns the journal events of the step from the call in `record` to `after` by `event`; `took_ms` is the task's time to answer an offer,
/// for that event.
pub(crate) fn journal_events(
    event: &CallEvent,
    record: &StoredCall,
    after: &Call,
    took_ms: u64,
) -> Vec<JournalEvent> {
    let changed = media_verdict(record, after).into_iter().chain(changes(&record.call, after, took_ms));
    changed.chain(abandoned_effects(event, &record.call, after)).collect()
}

/// Returns the line, number, task and phase that a journal entry of this call carries.
pub(crate) fn entry_context(record: &StoredCall) -> EntryContext {
    EntryContext {
        line: record.call.line.into(),
        number: Some(record.number.clone()),
        task: record.call.assignment.as_ref().map(|assignment| assignment.task.clone()),
        phase: Some(record.call.phase.stage().into()),
    }
}

/// Diagnoses a call that Meta ended because no media flowed.
fn media_verdict(record: &StoredCall, after: &Call) -> Option<JournalEvent> {
    let ends_now = after.has_ended() && !record.call.has_ended();
    let reported = record.hung_up.as_ref().filter(|hung_up| ends_now && hung_up.errors.contains(&NO_MEDIA));
    let accepted_for = after.accepted_at.zip(after.ended_at).map(|(from, to)| to - from);
    let found = reported.map(|_| not_reaching(accepted_for));
    found.map(|Finding { verdict, evidence, cure }| JournalEvent::MediaVerdict {
        verdict: verdict.to_string(),
        evidence,
        cure,
    })
}

fn changes(before: &Call, after: &Call, took_ms: u64) -> Vec<JournalEvent> {
    let mut events = vec![];
    if let Some(assignment) = after.assignment.as_ref().filter(|_| before.assignment.is_none()) {
        events.push(JournalEvent::Claimed { task: assignment.task.clone(), fence: assignment.fence });
    }
    // Read from the change of state: an answer that arrives after the call has ended elsewhere does not count.
    if after.answer.is_some() && before.answer.is_none() {
        let start = if after.launched { "cold" } else { "warm" };
        events.push(JournalEvent::Answered { took_ms, start: start.to_owned() });
    }
    // Read from the change of state, not from Meta's reply: connected media can prove the pre-accept before the reply arrives.
    if after.pre_accepted && !before.pre_accepted {
        events.push(JournalEvent::PreAccepted {});
    }
    if after.accepted_at.is_some() && before.accepted_at.is_none() && !before.has_ended() {
        events.push(JournalEvent::Accepted {});
    }
    if let Some(ending) = after.ending().filter(|_| !before.has_ended()) {
        events.extend(failure_event(ending, before, after));
        let answered_at = after.accepted_at.zip(after.ended_at);
        events.push(JournalEvent::Ended {
            ending: ending.into(),
            by: ending.by().into(),
            lasted_ms: answered_at.map_or(0, |(from, to)| (to - from).as_millis() as u64),
        });
    }
    events
}

/// Returns the event of a call that was lost, turned away or never accepted; `None` when caller or agent ended it, or it was answered.
fn failure_event(ending: Ending, before: &Call, call: &Call) -> Option<JournalEvent> {
    let why = || ending.into();
    match (ending, ending.by()) {
        (Ending::Lost, _) => {
            let task = before.assignment.as_ref().map(|assignment| assignment.task.clone());
            Some(JournalEvent::Lost { task: task.unwrap_or_default() })
        }
        (turned_away, _) if turned_away.is_turned_away() => Some(JournalEvent::TurnedAway { why: why() }),
        (_, Party::Us | Party::Meta | Party::Line) if call.accepted_at.is_none() => {
            Some(JournalEvent::Refused { why: why() })
        }
        (_, Party::Us | Party::Meta | Party::Line | Party::Caller | Party::Agent) => None,
    }
}

/// Returns the effects that an ended call dropped after too many attempts. An undeliverable release to a lost task is expected, and left
/// out.
fn abandoned_effects(event: &CallEvent, before: &Call, after: &Call) -> Vec<JournalEvent> {
    let drops = *event == CallEvent::Tick && before.has_ended();
    let is_lost = before.ending() == Some(Ending::Lost);
    let is_reported = |effect: &&Effect| !(is_lost && matches!(effect, Effect::Release(_)));
    let is_dropped = |effect: &&Effect| drops && !after.pending.contains(effect);
    let dropped = before.pending.iter().filter(is_dropped).filter(is_reported);
    dropped.map(|effect| JournalEvent::GivenUp { what: wire_name(effect), reason: String::new() }).collect()
}
