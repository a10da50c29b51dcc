//! The end of a call for its owner: its books are closed, the model let go, and call-control told until it has heard it.

use super::accounts::last_count;
use super::{CallSession, CallSessionParts, SessionEnd};
use crate::model::AgentEvent;
use call::Ending;
use internal_api::order::Order;
use journal::{JournalPhase, TranscriptLine};
use service::time::now_ms;
use std::time::{Duration, Instant};
use store::CallControl;

/// So long one report may take: call-control may be waiting for Meta.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before an unanswered report is made again.
const REPORT_AGAIN: Duration = Duration::from_secs(2);

/// So long the words of what the caller said last may take.
const LAST_WORDS_TAKE: Duration = Duration::from_secs(1);

/// So often the end is reported. After that it is for whoever finds the call overdue.
const REPORTS: u32 = 30;

impl CallSession {
    /// Leaves the call.
    pub(super) async fn leave(mut self, over: SessionEnd) {
        let (control, call_ref) = (self.parts.control.clone(), self.parts.call_ref.clone());
        let (fence, token) = (self.parts.fence, self.parts.token.clone());
        let reporting = async move {
            if let SessionEnd::Because(ending) = over {
                report(&control, call_ref, fence, token, ending).await;
            }
        };
        if over == SessionEnd::Because(Ending::MediaNeverConnected) {
            self.give_up_media(Instant::now());
        }
        self.parts.journal.enter_phase(JournalPhase::Over);
        self.count_sound();
        let reported = if self.minutes.awaits_words() {
            // The caller said something last that is just being written down; the hang-up does not wait for that.
            let reported = tokio::spawn(reporting);
            let _ = tokio::time::timeout(LAST_WORDS_TAKE, self.hear_last_words()).await;
            self.close_books();
            reported
        } else {
            self.close_books();
            tokio::spawn(reporting)
        };
        let CallSessionParts { agent, mut peer, socket, mut journal, diary, .. } = self.parts;
        // The model's session ends with the conversation, however long the rest takes.
        drop(agent);
        // It can only fail with the whole task.
        let _ = reported.await;
        peer.close();
        while let Some((to, datagram)) = peer.poll_datagram() {
            // Nobody waits for a goodbye that is lost.
            let _ = socket.try_send_to(&datagram, to);
        }
        if let Some(near) = last_count(&self.spending, &mut self.counts.1).await {
            diary.note(journal.enter(near, now_ms()));
        }
    }

    fn close_books(&mut self) {
        self.close_minutes();
        self.conclude();
    }

    async fn hear_last_words(&mut self) {
        while self.minutes.awaits_words() {
            let line = self.parts.agent.next().await;
            self.parts.agent.handle(line, Instant::now());
            while let Some(news) = self.parts.agent.poll_news() {
                match news {
                    AgentEvent::CallerSaid(item, text) => self.minutes.caller_said(&item.0, &text, now_ms()),
                    AgentEvent::CallerWasSilent(item) => self.minutes.caller_was_silent(&item.0, now_ms()),
                    AgentEvent::NotWritten(item, _) => self.minutes.caller_not_written(&item.0),
                    AgentEvent::Used(usage) => self.usage += usage,
                    AgentEvent::Failed { .. } => return,
                    AgentEvent::Ready
                    | AgentEvent::Doing(_)
                    | AgentEvent::BeginsWhatWasAsked(_)
                    | AgentEvent::CallerBegan(_)
                    | AgentEvent::AgentSaid(..)
                    | AgentEvent::Uses { .. }
                    | AgentEvent::UsesHosted
                    | AgentEvent::HostedEnded(..)
                    | AgentEvent::ToolsMissing(_)
                    | AgentEvent::Lacked { .. }
                    | AgentEvent::Lost(_)
                    | AgentEvent::Restored(..)
                    | AgentEvent::DoesWithout(..)
                    | AgentEvent::Troubled(_) => {}
                }
            }
        }
    }

    /// Keeps a line of the conversation, if the agent keeps any.
    pub(super) fn keep_line(&self, line: &TranscriptLine) {
        let keeping = self.parts.role.agent.keeping;
        if keeping.transcripts {
            self.parts.diary.keep_line(&self.parts.call_ref, line, keeping.days);
        }
    }

    fn close_minutes(&mut self) {
        for heard in self.bridge.stop() {
            self.minutes.was_heard(&heard);
        }
        self.write_lines();
        while let Some(line) = self.minutes.poll_rest() {
            self.keep_line(&line);
        }
        (self.summary.turns, self.summary.turn_p50_ms, self.summary.turn_p95_ms) = self.minutes.turns();
    }
}

/// Tells call-control that a call is over, and why.
async fn report(control: &CallControl, call_ref: String, fence: u64, token: Option<String>, ending: Ending) {
    let known_before = ending.for_previous_release();
    let newer = (ending != known_before).then(|| word(ending));
    let order = Order::TaskEnded { call_ref, fence, token, ending: word(known_before), newer };
    for _ in 0..REPORTS {
        match tokio::time::timeout(PATIENCE, control.ask(&order)).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => tracing::warn!("Call-control did not hear of the end yet: {error:#}"),
            Err(_) => tracing::warn!("Call-control took too long to hear of the end"),
        }
        tokio::time::sleep(REPORT_AGAIN).await;
    }
}

fn word(ending: Ending) -> String {
    let word = serde_json::to_value(ending).ok().and_then(|word| word.as_str().map(str::to_owned));
    word.expect("an ending is written as a word")
}
