//! Has a call accepted once this task has a place for it, and attaches to its session then.

use super::SidebandSession;
use crate::acceptance::{AnswerStep, ControlReply};
use call::{Ending, Line};
use internal_api::order::Reply;
use std::time::{Duration, Instant};

impl SidebandSession {
    /// Asks for the accept, and gives up when the ring time is over.
    pub(super) fn accept_when_ready(&mut self, now: Instant) {
        if !self.agent.lookup.is_awaited() {
            self.acceptance.progress.release(now);
        }
        // No greeting is waited for: the session exists only after the accept.
        match self.acceptance.progress.step(Duration::MAX, now) {
            AnswerStep::Ask => self.acceptance.ask(),
            AnswerStep::GiveUp(Ending::MetaRefused) => self.agent.closing.end(Line::Sip.refused()),
            AnswerStep::GiveUp(ending) => self.agent.closing.end(ending),
            AnswerStep::Wait => {}
        }
    }

    /// Attaches to the call, or ends it, as call-control replied.
    pub(super) fn handle_reply(&mut self, reply: ControlReply, now: Instant) {
        self.acceptance.progress.note_reply();
        match reply.reply {
            Ok(Reply::Open { version }) if !self.audio.is_open() => {
                self.acceptance.progress.note_open();
                self.audio.open(now);
                self.agent.open(version, now);
            }
            Ok(Reply::Over) if !self.audio.is_open() => self.agent.closing.note_reported(),
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
}
