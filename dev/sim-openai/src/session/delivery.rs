//! Sends a response piece by piece, keeps the books of what the client has of it, and ends it.

use super::pending::{FollowUp, OpenCall};
use super::{Output, Session};
use crate::injected_fault::InjectedFault;
use crate::plan::{Opening, Step};
use crate::refusal::Refusal;
use crate::report::Spoken;
use crate::response::{Content, End, Response};
use crate::usage::Cache;
use crate::{Cut, ObservationKind};
use std::time::Duration;

const QUOTA_SPENT: End = End::Failed {
    kind: "insufficient_quota",
    code: "insufficient_quota",
    message: "You exceeded your current quota, please check your plan and billing details.",
};

impl Session {
    /// Sends what is due of a response.
    pub(super) fn advance(&mut self, index: usize) {
        match self.responses[index].take_due(self.now) {
            None => {}
            Some(Step::Open(opening)) => self.open_item(index, opening),
            Some(Step::Words(words)) => {
                let event = self.responses[index].words(&words);
                self.send(event);
            }
            Some(Step::Sound(sound)) => self.send_sound(index, &sound),
            Some(Step::Arguments(part)) => {
                let event = self.responses[index].arguments(&part);
                self.send(event);
            }
            Some(Step::Close) => self.close_item(index, true),
            Some(Step::Finish) => self.end(index, &self.responses[index].end.clone()),
        }
    }

    fn open_item(&mut self, index: usize, opening: Opening) {
        self.check_tool(&opening);
        let (id, call_id) = (self.new_id("item"), self.new_id("call"));
        let previous = self.conversation.last_id().map(str::to_owned);
        let response = &mut self.responses[index];
        let events = response.open(id, call_id, opening, previous.as_deref());
        if let Some(item) = response.open_item().filter(|_| response.is_default()) {
            self.conversation.push(item.item(response.terms.format));
        }
        self.send_all(events);
    }

    fn send_sound(&mut self, index: usize, sound: &[u8]) {
        let event = self.responses[index].sound(sound);
        if self.is_telephone() {
            self.play(index, sound);
        } else {
            self.send(event);
        }
        self.deltas_sent += 1;
        self.note_sound(index);
        match self.fault {
            Some(
                InjectedFault::DropsSession { after_deltas }
                | InjectedFault::DropsThenRefuses { after_deltas },
            ) if self.deltas_sent >= after_deltas && !self.has_cut => {
                self.has_cut = true;
                // A call outlives its sockets.
                self.over = !self.is_telephone();
                self.outputs.push_back(Output::Break);
            }
            Some(InjectedFault::Stalls { after_deltas }) if self.deltas_sent == after_deltas => {
                self.responses[index].steps.clear();
            }
            Some(InjectedFault::RunsOut { after_deltas })
                if self.deltas_sent >= after_deltas && !self.has_cut =>
            {
                self.has_cut = true;
                self.end(index, &End::Incomplete(Cut::MaxOutputTokens));
            }
            Some(InjectedFault::GoesSilent { after_deltas }) if self.deltas_sent >= after_deltas => {
                self.is_dead = true;
            }
            Some(InjectedFault::QuotaMidCall { after_deltas }) if self.deltas_sent >= after_deltas => {
                self.end(index, &QUOTA_SPENT);
                let refusal = Refusal::quota();
                self.close(refusal.close_code(), &refusal.close_reason());
            }
            _ => {}
        }
    }

    /// Keeps the books of what the client has been sent.
    fn note_sound(&mut self, index: usize) {
        let response = &self.responses[index];
        let Some(item) = response.open_item() else { return };
        let Content::Speech { clip } = &item.content else { return };
        let (id, clip) = (item.id.clone(), clip.clone());
        let sent_ms = response.terms.format.milliseconds(item.sound_bytes);
        if let Some(kept) = self.conversation.get_mut(&id) {
            kept.audio_ms = sent_ms;
        }
        match self.report.spoken.iter_mut().find(|spoken| spoken.item_id == id) {
            Some(spoken) => spoken.sent_ms = sent_ms,
            None => {
                self.report.spoken.push(Spoken { item_id: id.clone(), clip, sent_ms, truncated_at_ms: None });
                self.observe(ObservationKind::FirstDelta { item: id });
            }
        }
    }

    fn close_item(&mut self, index: usize, completed: bool) {
        let response = &mut self.responses[index];
        let Some(item) = response.open_item().cloned() else { return };
        let format = response.terms.format;
        let events = response.close(completed);
        self.keep_closed(index, &item.id);
        self.send_all(events);
        match item.content {
            Content::Speech { .. } if completed => {
                self.observe(ObservationKind::LastDelta {
                    item: item.id,
                    sent_ms: format.milliseconds(item.sound_bytes),
                });
            }
            Content::Call { name, call_id } if completed => {
                let follow_up = FollowUp::of(&self.responses[index].reply, &name);
                self.open_calls.push(OpenCall { call_id: call_id.clone(), follow_up });
                self.observe(ObservationKind::FunctionCalled { name, call_id });
            }
            Content::Mcp(call) if completed => self.call_remote(index, &call),
            Content::Speech { .. } | Content::Text | Content::Call { .. } | Content::Mcp(_) => {}
        }
    }

    /// The conversation keeps the item as it ended, unless the client has truncated it already.
    fn keep_closed(&mut self, index: usize, id: &str) {
        let is_truncated = |spoken: &Spoken| spoken.item_id == id && spoken.truncated_at_ms.is_some();
        if self.report.spoken.iter().any(is_truncated) {
            return;
        }
        let response = &self.responses[index];
        let closed = response.last_item().map(|item| item.item(response.terms.format));
        if let (Some(kept), Some(closed)) = (self.conversation.get_mut(id), closed) {
            *kept = closed;
        }
    }

    /// Ends a response, and whatever of it is still being sent.
    pub(super) fn end(&mut self, index: usize, end: &End) {
        self.close_item(index, false);
        let response = self.responses.remove(index);
        self.complete_playback(&response.id);
        if let End::Incomplete(_) = end {
            self.rest = response.rest();
        }
        let usage = if response.terms.has_own_instructions {
            Cache::default().bill(response.input, response.tokens())
        } else {
            self.cache.bill(response.input, response.tokens())
        };
        self.send(response.done(end, usage));
        self.send_limits(&response, end);
        if *end == End::Completed {
            self.wait_for_the_caller(&response);
        }
        let (response, reason) = (response.id, end.reason());
        self.observe(match end {
            End::Completed => ObservationKind::ResponseCompleted { response },
            End::TurnDetected | End::ClientCancelled => ObservationKind::Cancelled { response, reason },
            End::Incomplete(_) => ObservationKind::Incomplete { response, reason },
            End::Failed { code, .. } => ObservationKind::Failed { response, code },
        });
    }

    /// The idle timeout runs from the moment the response has been played.
    fn wait_for_the_caller(&mut self, response: &Response) {
        if self.is_playing() {
            return;
        }
        let unplayed = if self.is_telephone() { 0 } else { response.sound_ms() };
        self.played = Some(self.now + Duration::from_millis(unplayed));
        self.await_idleness();
    }
}
