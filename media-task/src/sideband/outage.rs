//! Keeps what a lost sideband leaves open until it is attached again, or OpenAI says that the call is over: both begin alike.

use super::SidebandSession;
use journal::JournalEvent;
use realtime::ItemId;
use std::time::Duration;

/// What is open since the sideband was lost.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Why it was lost.
    pub(super) reason: Option<String>,
    /// The items that were being played, and how much of the last one was heard by then.
    pub(super) playing: Option<(Vec<ItemId>, Duration)>,
}

impl SidebandSession {
    /// Notes a loss in mid-call, if there was one. What was being played counts as heard: OpenAI plays on.
    pub(super) fn settle_outage(&mut self) {
        let Outage { reason, playing } = std::mem::take(&mut self.outage);
        let record = &mut self.agent.record;
        reason.into_iter().for_each(|reason| record.note(JournalEvent::SidebandLost { reason }));
        let items = playing.into_iter().flat_map(|(items, _)| items);
        items.for_each(|item| record.transcript.note_played(&item));
    }

    /// Takes the loss for the end of the call: of what was being played, the caller heard what was played by then.
    pub(super) fn end_with_outage(&mut self) {
        let Outage { reason: _, playing } = std::mem::take(&mut self.outage);
        let Some((mut items, heard)) = playing else { return };
        let transcript = &mut self.agent.record.transcript;
        if let Some(last) = items.pop() {
            transcript.note_cut(&last, heard);
        }
        items.iter().for_each(|item| transcript.note_played(item));
    }
}
