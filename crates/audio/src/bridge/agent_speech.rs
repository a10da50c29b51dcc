//! What the agent says, on its way to the caller.

use super::Bridge;
use crate::playout::Over;
use crate::{FRAME, Frame, ItemId, Output, PlayedItem, duration};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl<P: Clone> Bridge<P> {
    pub(super) fn expect(&mut self, response: &str) {
        if !self.leaving.is_agent_silenced() && self.responses.note(response) {
            self.floor.note_response(response, false);
        }
    }

    pub(super) fn queue(&mut self, response: &str, item: ItemId, samples: Vec<i16>) {
        if self.leaving.is_agent_silenced() {
            return;
        }
        let counts = self.responses.note(response);
        if self.responses.has_ended(&item) {
            return;
        }
        if counts {
            self.floor.note_response(response, true);
            if self.leaving.note_speech(response) {
                self.outputs.push_back(Output::StayOn);
            }
            self.meter.dropped += self.playout.push(response, &item, samples);
        } else {
            // Its response was interrupted before its first sound came.
            let of = duration(samples.len());
            self.interrupt_item(PlayedItem { item, heard: Duration::ZERO, of });
        }
    }

    /// Plays what is due.
    pub(super) fn play(&mut self, now: Instant) {
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

    /// Drops what is queued, and what still comes of it; the agent is told how much was heard.
    pub(super) fn drop_speech(&mut self) {
        self.responses.discard();
        for heard in self.playout.interrupt() {
            self.interrupt_item(heard);
        }
        self.tell_over();
    }

    /// The same, though nobody interrupted it.
    pub(super) fn cut_speech(&mut self) {
        self.responses.discard();
        for heard in self.playout.interrupt() {
            self.responses.end_item(&heard.item);
            self.outputs.push_back(Output::CutShort(heard));
        }
        self.tell_over();
    }

    fn interrupt_item(&mut self, heard: PlayedItem) {
        self.responses.end_item(&heard.item);
        self.meter.interruptions += u64::from(!self.is_interruption_counted);
        self.is_interruption_counted = true;
        self.outputs.push_back(Output::Interrupted(heard));
    }

    /// Tells which items are over.
    pub(super) fn tell_over(&mut self) {
        while let Some(over) = self.playout.poll_over() {
            let (Over::Played(item) | Over::Cut(PlayedItem { item, .. })) = &over;
            self.responses.end_item(item);
            self.outputs.push_back(match over {
                Over::Played(item) => Output::Played(item),
                Over::Cut(heard) => Output::CutShort(heard),
            });
        }
    }

    fn send(&mut self, frame: Option<Frame>) {
        self.outputs.push_back(Output::Play(frame));
        self.tell_over();
    }

    fn note_sound(&mut self, now: Instant) {
        self.sound_until = Some(now + FRAME);
        self.echo.note_played(now + FRAME);
        if let Some(patience) = &mut self.patience {
            patience.note_agent(now);
        }
    }

    fn note_speech(&mut self, response: &Arc<str>, now: Instant) {
        self.floor.note_played(response, now);
        if let Some(opened_at) = self.opened_at.filter(|_| !self.spoke) {
            self.spoke = true;
            self.outputs.push_back(Output::FirstWord(now - opened_at));
        }
        let Some(lap) = self.stopwatch.note_played(response, now) else { return };
        self.outputs.push_back(Output::Turn { took: lap.took, waited_for_tools: lap.waited_for_tools });
        if let Some(patience) = &mut self.patience {
            patience.note_answer(now);
        }
    }
}
