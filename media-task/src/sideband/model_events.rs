//! Handles what OpenAI reports about a call whose sound it carries: speech, playback, keys, and the end of the call.

use super::SidebandSession;
use crate::agent_side::{Lacking, ms};
use audio::{RemoteEvent, TimeoutReason};
use call::{Ending, Line};
use journal::JournalEvent;
use realtime::{Failure, ItemId, SessionEvent};
use std::time::{Duration, Instant};

impl SidebandSession {
    /// Handles every event that the conversation has queued.
    pub(super) fn poll_model(&mut self, now: Instant) {
        while let Some(event) = self.agent.model.poll_event() {
            if let Some(event) = self.agent.handle_event(event, &mut self.audio, now) {
                self.handle_sound_event(event, now);
            }
            self.agent.record.keep_lines();
        }
    }

    /// Handles an event of the conversation that is about its sound.
    fn handle_sound_event(&mut self, event: SessionEvent, now: Instant) {
        match event {
            SessionEvent::Ready { expires_at: _ } => {
                let took_ms = ms(self.acceptance.since_offer(now));
                self.agent.record.note(JournalEvent::AgentReady { took_ms });
            }
            SessionEvent::ResponseStarted { response, is_asked } => {
                self.agent.note_response_started(&response, is_asked);
                self.audio.handle(RemoteEvent::ResponseStarted { response: response.into() }, now);
            }
            SessionEvent::Speaking { response, item } => {
                self.agent.note_speech(&response, &item);
                self.audio.handle(RemoteEvent::Speaking { response: response.into() }, now);
            }
            SessionEvent::ResponseEmpty { response } => {
                self.audio.handle(RemoteEvent::ResponseEmpty { response: response.into() }, now);
            }
            SessionEvent::ResponseDone { response } => {
                let done = RemoteEvent::ResponseDone { response: response.to_string() };
                self.audio.handle(done, now);
                self.agent.note_response_done(&response, &mut self.audio, now);
            }
            SessionEvent::PlaybackStarted { response } => {
                self.audio.handle(RemoteEvent::PlaybackStarted { response: response.into() }, now);
            }
            SessionEvent::PlaybackLost { items, heard } => self.outage.playing = Some((items, heard)),
            SessionEvent::PlaybackEnded { response, items, heard, is_cut } => {
                self.note_played(items, heard, is_cut);
                if is_cut {
                    self.agent.withdraw_transfer(&mut self.audio, now);
                }
                self.audio.handle(RemoteEvent::PlaybackEnded { response: response.into() }, now);
            }
            SessionEvent::SpeechStarted { item } => {
                self.agent.note_caller_speaks(&item);
                self.agent.withdraw_transfer(&mut self.audio, now);
                self.audio.handle(RemoteEvent::SpeechStarted, now);
            }
            SessionEvent::SpeechStopped => self.audio.handle(RemoteEvent::SpeechStopped, now),
            SessionEvent::KeyPressed { key } => {
                key.chars().for_each(|key| self.audio.handle(RemoteEvent::KeyPressed(key), now));
            }
            SessionEvent::ResponseLacking { response: _, purpose, status, reason, then } => {
                let lacking = Lacking { purpose, status, reason, then };
                self.agent.note_lacking(lacking, &mut self.audio, now);
            }
            SessionEvent::SessionLost { reason } => {
                self.outage.reason = Some(reason);
                self.agent.note_sideband(true);
                self.audio.handle(RemoteEvent::Lost, now);
            }
            SessionEvent::SessionRestored { took, planned: _ } => {
                self.settle_outage();
                self.agent.record.note(JournalEvent::SidebandBack { took_ms: ms(took) });
                self.agent.note_sideband(false);
            }
            SessionEvent::EndsSoon => drop(self.audio.end_now(TimeoutReason::TookTooLong)),
            SessionEvent::CallGone { was_attached } => {
                self.end_with_outage();
                self.end_with_call(was_attached, now);
            }
            SessionEvent::Failed(Failure { code, cure, is_fatal: _ }) => {
                self.agent.record.note(JournalEvent::AgentFailed { code, cure });
                self.agent.closing.end(Ending::AgentUnavailable);
            }
            // What is not about sound was handled before, and the rest only a session with sound of its own has.
            _ => {}
        }
    }

    /// Notes how much of a response's items the caller heard: all, or of the last one only the beginning.
    fn note_played(&mut self, mut items: Vec<ItemId>, heard: Duration, is_cut: bool) {
        let record = &mut self.agent.record;
        if let Some(item) = items.pop_if(|_| is_cut) {
            record.transcript.note_cut(&item, heard);
            record.summary.interruptions += 1;
            record.note(JournalEvent::Interrupted { item: item.into(), heard_ms: ms(heard), of_ms: None });
        }
        items.iter().for_each(|item| record.transcript.note_played(item));
    }

    /// Ends the call, which is over at OpenAI: the caller hung up, unless the agent was hanging up already, or has transferred the call.
    fn end_with_call(&mut self, was_attached: bool, now: Instant) {
        if self.agent.closing.has_said_goodbye() {
            self.agent.closing.hang_up();
        } else if self.agent.end_transferred(&mut self.audio, now) {
            // It has ended so.
        } else if was_attached || self.had_session {
            self.agent.closing.end(Ending::CallerHungUp);
        } else {
            self.agent.closing.end(Line::Sip.never_connected());
        }
    }
}
