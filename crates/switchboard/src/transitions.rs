//! What the journal says when a call is no longer what it was.

use crate::perform::word;
use crate::stored_call::StoredCall;
use call::{Call, CallEvent, Effect, Ending, Party, Phase};
use journal::{EntryContext, JournalEvent as Happened, JournalPhase as Journaled};
use media_diagnosis::{Finding, NO_MEDIA, not_reaching};

/// Everything that happened when an event made the call in `record` what it is `after`; `took_ms` is how long the task took to
/// answer, if it did.
pub(crate) fn of(event: &CallEvent, record: &StoredCall, after: &Call, took_ms: u64) -> Vec<Happened> {
    let told = verdict(record, after).into_iter().chain(changes(&record.call, after, took_ms));
    told.chain(given_up(event, &record.call, after)).collect()
}

/// Of which call, in which phase.
pub(crate) fn place(record: &StoredCall) -> EntryContext {
    let phase = match record.call.phase {
        Phase::Ringing => Journaled::Ringing,
        Phase::Connecting | Phase::Accepting => Journaled::Answering,
        Phase::Live => Journaled::Talking,
        Phase::Ended(_) => Journaled::Over,
    };
    EntryContext {
        number: Some(record.number.clone()),
        task: record.call.assignment.as_ref().map(|assignment| assignment.task.clone()),
        phase: Some(phase),
    }
}

/// Why a call was silent, if Meta ended it for that.
fn verdict(record: &StoredCall, after: &Call) -> Option<Happened> {
    let is_news = after.has_ended() && !record.call.has_ended();
    let said_so = record.hung_up.as_ref().filter(|hung_up| is_news && hung_up.errors.contains(&NO_MEDIA));
    let accepted_for = after.accepted_at.zip(after.ended_at).map(|(from, to)| to - from);
    let found = said_so.map(|_| not_reaching(accepted_for));
    found.map(|Finding { verdict, evidence, cure }| Happened::MediaVerdict {
        verdict: verdict.to_string(),
        evidence,
        cure,
    })
}

/// What the journal says of a change of state.
fn changes(before: &Call, after: &Call, took_ms: u64) -> Vec<Happened> {
    let mut happened = vec![];
    if let Some(assignment) = after.assignment.as_ref().filter(|_| before.assignment.is_none()) {
        happened.push(Happened::Claimed { task: assignment.task.clone(), fence: assignment.fence });
    }
    // Told by the change of state: an answer that comes when somebody else has ended the call is none.
    if after.answer.is_some() && before.answer.is_none() {
        let start = if after.launched { "cold" } else { "warm" };
        happened.push(Happened::Answered { took_ms, start: start.to_owned() });
    }
    // Told by the change of state, not by Meta's reply: media that connects tells of a pre-accept before its reply does.
    if after.pre_accepted && !before.pre_accepted {
        happened.push(Happened::PreAccepted {});
    }
    if after.accepted_at.is_some() && before.accepted_at.is_none() {
        happened.push(Happened::Accepted {});
    }
    if let Some(ending) = after.ending().filter(|_| !before.has_ended()) {
        happened.extend(unwanted(ending, before, after));
        let answered_at = after.accepted_at.zip(after.ended_at);
        happened.push(Happened::Ended {
            ending: word(&ending),
            by: word(&ending.by()),
            lasted_ms: answered_at.map_or(0, |(from, to)| (to - from).as_millis() as u64),
        });
    }
    happened
}

/// What a call that ended like this did not get, if nobody wanted it to end so.
fn unwanted(ending: Ending, before: &Call, call: &Call) -> Option<Happened> {
    let why = || word(&ending);
    match (ending, ending.by()) {
        (Ending::Lost, _) => {
            let task = before.assignment.as_ref().map(|assignment| assignment.task.clone());
            Some(Happened::Lost { task: task.unwrap_or_default() })
        }
        (turned_away, _) if turned_away.is_turned_away() => Some(Happened::TurnedAway { why: why() }),
        (_, Party::Us | Party::Meta) if call.accepted_at.is_none() => Some(Happened::Refused { why: why() }),
        (_, Party::Us | Party::Meta | Party::Caller | Party::Agent) => None,
    }
}

/// What is dropped after the end of a call, because it failed too often. That a lost call's task cannot be told is no news.
fn given_up(event: &CallEvent, before: &Call, after: &Call) -> Vec<Happened> {
    let is_dropped = *event == CallEvent::Tick && before.has_ended() && after.pending.is_empty();
    let is_lost = before.ending() == Some(Ending::Lost);
    let is_news = |effect: &&Effect| !(is_lost && matches!(effect, Effect::Release(_)));
    let dropped = before.pending.iter().filter(|_| is_dropped).filter(is_news);
    dropped.map(|effect| Happened::GivenUp { what: word(effect), reason: String::new() }).collect()
}
