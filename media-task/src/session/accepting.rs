//! Has a call accepted that is ready for it, and opens its line.

use super::answer_progress::AnswerStep;
use super::level_meter::LevelMeter;
use super::{CallSession, SessionEnd};
use internal_api::order::{Order, Reply};
use journal::{JournalEvent, JournalPhase};
use service::time::now_ms;
use std::time::Instant;
use store::ProcessFailed;

impl CallSession {
    /// Does what it is time for, as long as the call rings.
    pub(super) fn step(&mut self, now: Instant) {
        match self.answering.step(self.bridge.waiting(), now) {
            AnswerStep::Ask => self.ask(),
            AnswerStep::GiveUp(ending) => {
                self.over.get_or_insert(SessionEnd::Because(ending));
            }
            AnswerStep::Wait => {}
        }
    }

    /// Asks call-control to accept the call. The reply comes as a fact. The task is protected first, within two seconds: a
    /// deployment would cut the call. If ECS does not answer, the call is accepted all the same, and the heartbeat asks again.
    fn ask(&self) {
        let (call_ref, token) = (self.parts.call_ref.clone(), self.parts.token.clone());
        let (fence, question, lost) = (self.parts.fence, self.answering.question(), self.answering.lost());
        let (was_lost, asked) = (lost.is_some(), Some(question));
        let order = Order::MediaConnected { call_ref, fence, token, was_lost, question: asked, lost };
        let (control, replies) = (self.parts.control.clone(), self.replies.0.clone());
        let protection = self.parts.protection.clone();
        tokio::spawn(async move {
            if let Some(protection) = protection {
                protection.acquire().await;
            }
            // A reply that nobody waits for any more is of no use.
            let _ = replies.send((question, control.ask(&order).await)).await;
        });
    }

    /// Does what call-control replied.
    pub(super) fn take_reply(&mut self, question: u64, reply: anyhow::Result<Reply>, now: Instant) {
        self.answering.note_reply();
        match reply {
            Ok(Reply::Open { version }) if !self.bridge.is_open() => self.open(version, now),
            Ok(Reply::Over) if !self.bridge.is_open() => self.over = Some(SessionEnd::Known),
            Ok(Reply::Open { .. } | Reply::Wait | Reply::Over | Reply::Sent | Reply::NotSent { .. }) => {}
            Err(error) => {
                self.answering.note_failure(question, error.is::<ProcessFailed>());
                tracing::warn!("Call-control did not accept the call yet: {error:#}");
            }
        }
    }

    /// Caller and agent hear each other from now on.
    fn open(&mut self, version: u64, now: Instant) {
        self.answering.note_open();
        self.parts.peer.open();
        self.bridge.open(now);
        self.parts.doctor.open(now);
        self.parts.agent.open(now);
        self.spending.open(now);
        self.measuring = LevelMeter::begin(self.parts.role.agent.keeping, now);
        self.summary.opened_at_ms = Some(now_ms());
        self.parts.journal.advance_to(version);
        self.parts.journal.enter_phase(JournalPhase::Talking);
        self.note(JournalEvent::Opened {});
    }
}
