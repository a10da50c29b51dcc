//! Asks call-control to accept a call that is ready.

mod answer_progress;

use crate::agent_side::{CallIdentity, Services};
use crate::lifecycle::task_protection::TaskProtection;
use answer_progress::AnswerProgress;
pub(crate) use answer_progress::AnswerStep;
use internal_api::client::{CallControl, ProcessFailed};
use internal_api::order::{Order, Reply};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The way of a ringing call to its accept.
pub(crate) struct Acceptance {
    /// How far the call is.
    pub(crate) progress: AnswerProgress,
    offered_at: Instant,
    call: CallIdentity,
    control: CallControl,
    protection: Option<Arc<TaskProtection>>,
    replies: (mpsc::Sender<ControlReply>, mpsc::Receiver<ControlReply>),
}

/// Call-control's reply to a request to accept the call.
pub(crate) struct ControlReply {
    /// The number of the request.
    pub(crate) question: u64,
    pub(crate) reply: anyhow::Result<Reply>,
}

impl Acceptance {
    /// Creates the acceptance of a call that rings until `deadline`.
    pub(crate) fn new(call: CallIdentity, services: &Services, deadline: Instant, now: Instant) -> Self {
        Self {
            progress: AnswerProgress::new(now, deadline),
            offered_at: now,
            call,
            control: services.control.clone(),
            protection: services.protection.clone(),
            replies: mpsc::channel(4),
        }
    }

    /// Returns how long ago the call was offered.
    pub(crate) fn since_offer(&self, now: Instant) -> Duration {
        now - self.offered_at
    }

    /// Returns call-control's next reply. Cancel safe.
    pub(crate) async fn next(&mut self) -> ControlReply {
        self.replies.1.recv().await.expect("we hold a sender ourselves")
    }

    /// Asks call-control to accept the call; the reply comes as an input of the loop. Task protection is requested first, for two
    /// seconds at most: a deployment would cut the call. If ECS does not answer, the call is accepted all the same, and the heartbeat
    /// requests protection again.
    pub(crate) fn ask(&self) {
        let (call_ref, token) = (self.call.call_ref.clone(), self.call.token.clone());
        let (question, lost) = (self.progress.question(), self.progress.lost());
        let (fence, was_lost, asked) = (self.call.fence, lost.is_some(), Some(question));
        let order = Order::MediaConnected { call_ref, fence, token, was_lost, question: asked, lost };
        let (control, replies) = (self.control.clone(), self.replies.0.clone());
        let protection = self.protection.clone();
        tokio::spawn(async move {
            if let Some(protection) = protection {
                protection.acquire().await;
            }
            let reply = control.ask(&order).await;
            // The receiver is gone once the call is over.
            let _ = replies.send(ControlReply { question, reply }).await;
        });
    }

    /// Notes that a request failed; it is made again.
    pub(crate) fn note_failure(&mut self, question: u64, error: &anyhow::Error) {
        self.progress.note_failure(question, error.is::<ProcessFailed>());
        let call_ref = &self.call.call_ref;
        tracing::warn!(%call_ref, "accept request failed, asking again: {error:#}");
    }
}
