//! Accepts a call that is ready, and opens its media path.

use super::CallSession;
use crate::acceptance::{AnswerStep, ControlReply};
use internal_api::order::Reply;
use std::time::Instant;

impl CallSession {
    /// Asks for the accept once the call is ready, and gives up when the ring time is over.
    pub(super) fn accept_when_ready(&mut self, now: Instant) {
        if !self.agent.lookup.is_awaited() {
            self.acceptance.progress.release(now);
        }
        if self.agent.has_other_model {
            self.acceptance.progress.note_other_model();
        }
        match self.acceptance.progress.step(self.bridge.waiting(), now) {
            AnswerStep::Ask => self.acceptance.ask(),
            AnswerStep::GiveUp(ending) => self.agent.closing.end(ending),
            AnswerStep::Wait => {}
        }
    }

    /// Opens or ends the call as call-control replied.
    pub(super) fn handle_reply(&mut self, reply: ControlReply, now: Instant) {
        self.acceptance.progress.note_reply();
        match reply.reply {
            Ok(Reply::Open { version }) if !self.bridge.is_open() => self.open(version, now),
            Ok(Reply::Over) if !self.bridge.is_open() => self.agent.closing.note_reported(),
            Ok(Reply::Open { .. } | Reply::Wait | Reply::Over) => {}
            // To other orders.
            Ok(
                Reply::Sent
                | Reply::NotSent { .. }
                | Reply::Transferring
                | Reply::NotTransferred { .. }
                | Reply::Agent { .. },
            ) => {}
            Err(error) => self.acceptance.note_failure(reply.question, &error),
        }
    }

    /// Opens the media path: caller and agent hear each other from now on.
    fn open(&mut self, version: u64, now: Instant) {
        self.acceptance.progress.note_open();
        self.media.open(now);
        self.bridge.open(now);
        self.agent.record.measure_levels(now);
        self.agent.open(version, now);
    }
}
