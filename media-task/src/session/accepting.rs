//! Asks call-control to accept a call that is ready, and opens its media path.

use super::answer_progress::AnswerStep;
use super::level_meter::LevelMeter;
use super::{CallSession, SessionEnd};
use call::Stage;
use internal_api::client::ProcessFailed;
use internal_api::order::{Order, Reply};
use journal::JournalEvent;
use service::time::now_ms;
use std::time::Instant;

impl CallSession {
    /// Asks for the accept once the call is ready, and gives up when the ring time is over.
    pub(super) fn accept_when_ready(&mut self, now: Instant) {
        match self.answering.step(self.bridge.waiting(), now) {
            AnswerStep::Ask => self.ask(),
            AnswerStep::GiveUp(ending) => {
                self.end.get_or_insert(SessionEnd::Unreported(ending));
            }
            AnswerStep::Wait => {}
        }
    }

    /// Asks call-control to accept the call; the reply comes as an input of the loop. Task protection is requested first, for two
    /// seconds at most: a deployment would cut the call. If ECS does not answer, the call is accepted all the same, and the heartbeat
    /// requests protection again.
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
            // The receiver is gone once the call is over.
            let _ = replies.send((question, control.ask(&order).await)).await;
        });
    }

    /// Opens or ends the call as call-control replied.
    pub(super) fn handle_reply(&mut self, question: u64, reply: anyhow::Result<Reply>, now: Instant) {
        self.answering.note_reply();
        match reply {
            Ok(Reply::Open { version }) if !self.bridge.is_open() => self.open(version, now),
            Ok(Reply::Over) if !self.bridge.is_open() => self.end = Some(SessionEnd::Reported),
            Ok(Reply::Open { .. } | Reply::Wait | Reply::Over | Reply::Sent | Reply::NotSent { .. }) => {}
            Err(error) => {
                self.answering.note_failure(question, error.is::<ProcessFailed>());
                tracing::warn!(
                    call_ref = self.parts.call_ref,
                    "accept request failed, asking again: {error:#}"
                );
            }
        }
    }

    /// Opens the media path: caller and agent hear each other from now on.
    fn open(&mut self, version: u64, now: Instant) {
        self.answering.note_open();
        self.parts.peer.open();
        self.bridge.open(now);
        self.parts.monitor.open(now);
        self.parts.model.open(now);
        self.spending.open(now);
        self.levels = LevelMeter::begin(self.parts.agent.file.keeping, now);
        self.summary.opened_at_ms = Some(now_ms());
        self.parts.entries.advance_to(version);
        self.parts.entries.enter_phase(Stage::Talking);
        self.note(JournalEvent::Opened {});
    }
}
