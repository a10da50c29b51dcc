//! Queues the agent's speech, plays it to the caller, and reports how much of each item was heard.

use super::Bridge;
use crate::playout::FinishedItem;
use crate::{FRAME, Frame, ItemId, Output, PlayedItem, duration};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl<P: Clone> Bridge<P> {
    pub(super) fn note_response_started(&mut self, response: &str) {
        if !self.hangup.is_agent_muted() && self.responses.note(response) {
            self.floor.note_response(response, false);
        }
    }

    pub(super) fn queue_audio(&mut self, response: &str, item: ItemId, samples: Vec<i16>) {
        if self.hangup.is_agent_muted() {
            return;
        }
        let is_current = self.responses.note(response);
        if self.responses.has_ended(&item) {
            return;
        }
        if is_current {
            self.floor.note_response(response, true);
            if self.hangup.note_response(response) {
                self.outputs.push_back(Output::HangUpCancelled);
            }
            self.meter.dropped += self.playout.push(response, &item, samples);
        } else {
            // The response was interrupted before its first audio came.
            let of = duration(samples.len());
            self.interrupt_item(PlayedItem { item, heard: Duration::ZERO, of });
        }
    }

    pub(super) fn play_due(&mut self, now: Instant) {
        while let Some(due) = self.playout.poll_frame(now) {
            self.meter.sent += 1;
            self.meter.late.note(due.late);
            if due.frame.is_some() {
                self.note_sound(now);
            }
            if let Some(response) = due.response {
                self.note_speech(&response, now);
            }
            self.send(due.frame);
        }
    }

    /// Drops queued speech and the rest of its responses because the caller interrupts, and reports how much was
    /// heard.
    pub(super) fn discard_speech(&mut self) {
        self.responses.discard();
        for heard in self.playout.interrupt() {
            self.interrupt_item(heard);
        }
        self.report_finished();
    }

    /// Drops queued speech and the rest of its responses for another reason than an interruption, and reports how
    /// much was heard.
    pub(super) fn truncate_speech(&mut self) {
        self.responses.discard();
        for heard in self.playout.interrupt() {
            self.responses.end_item(&heard.item);
            self.outputs.push_back(Output::CutShort(heard));
        }
        self.report_finished();
    }

    fn interrupt_item(&mut self, heard: PlayedItem) {
        self.responses.end_item(&heard.item);
        self.meter.interruptions += u64::from(!self.is_interruption_counted);
        self.is_interruption_counted = true;
        self.outputs.push_back(Output::Interrupted(heard));
    }

    pub(super) fn report_finished(&mut self) {
        while let Some(over) = self.playout.poll_finished() {
            let (FinishedItem::Played(item) | FinishedItem::Cut(PlayedItem { item, .. })) = &over;
            self.responses.end_item(item);
            self.outputs.push_back(match over {
                FinishedItem::Played(item) => Output::Played(item),
                FinishedItem::Cut(heard) => Output::CutShort(heard),
            });
        }
    }

    fn send(&mut self, frame: Option<Frame>) {
        self.outputs.push_back(Output::Play(frame));
        self.report_finished();
    }

    fn note_sound(&mut self, now: Instant) {
        self.sound_until = Some(now + FRAME);
        self.echo_gate.note_played(now + FRAME);
        if let Some(timers) = &mut self.timers {
            timers.note_agent_speaking(now);
        }
    }

    fn note_speech(&mut self, response: &Arc<str>, now: Instant) {
        self.floor.note_played(response, now);
        if let Some(opened_at) = self.opened_at.filter(|_| !self.has_spoken) {
            self.has_spoken = true;
            self.outputs.push_back(Output::FirstAudio(now - opened_at));
        }
        let Some(measured) = self.latency.note_played(response, now) else { return };
        self.outputs
            .push_back(Output::Answered { took: measured.took, waited_for_tools: measured.waited_for_tools });
        if let Some(timers) = &mut self.timers {
            timers.note_answer(now);
        }
    }
}
