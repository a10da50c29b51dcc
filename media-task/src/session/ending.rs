//! Finishes a call: writes its transcript and summary, closes the model's session, and reports the end to call-control.

use super::accounts::last_cap_event;
use super::{CallSession, CallSessionParts, SessionEnd};
use call::{Ending, Stage};
use internal_api::client::CallControl;
use internal_api::order::Order;
use journal::TranscriptLine;
use realtime::SessionEvent;
use service::time::now_ms;
use std::time::{Duration, Instant};

/// How long one report may take: call-control may be waiting for Meta.
const REPORT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long after an unanswered report the next one is made.
const REPORT_RETRY_AFTER: Duration = Duration::from_secs(2);

/// How long the transcript of the caller's last words may take.
const LAST_WORDS_TIMEOUT: Duration = Duration::from_secs(1);

/// How often the end is reported. After that, the heartbeat or the reaper finds the call overdue.
const REPORT_ATTEMPTS: u32 = 30;

impl CallSession {
    /// Finishes the call: reports its end, and writes everything about it.
    pub(super) async fn finish(mut self, end: SessionEnd) {
        let (control, call_ref) = (self.parts.control.clone(), self.parts.call_ref.clone());
        let (fence, token) = (self.parts.fence, self.parts.token.clone());
        let reporting = async move {
            if let SessionEnd::Unreported(ending) = end {
                report(&control, call_ref, fence, token, ending).await;
            }
        };
        if end == SessionEnd::Unreported(Ending::MediaNeverConnected) {
            self.diagnose_missing_media(Instant::now());
        }
        self.parts.entries.enter_phase(Stage::Over);
        self.note_media();
        let reported = if self.transcript.awaits_transcription() {
            // The caller's last words are still being transcribed; the hang-up does not wait for them.
            let reported = tokio::spawn(reporting);
            let _ = tokio::time::timeout(LAST_WORDS_TIMEOUT, self.await_last_words()).await;
            self.conclude_all();
            reported
        } else {
            self.conclude_all();
            tokio::spawn(reporting)
        };
        let CallSessionParts { model, mut peer, socket, mut entries, journal, .. } = self.parts;
        // The model's session ends with the conversation, however long the rest takes.
        drop(model);
        // The report fails only with the whole process.
        let _ = reported.await;
        peer.close();
        while let Some((to, datagram)) = peer.poll_datagram() {
            // A lost DTLS close_notify changes nothing: Meta is told by call-control.
            let _ = socket.try_send_to(&datagram, to);
        }
        if let Some(cap_near) = last_cap_event(&self.spending, &mut self.counts.1).await {
            journal.note(entries.enter(cap_near, now_ms()));
        }
    }

    fn conclude_all(&mut self) {
        self.close_transcript();
        self.conclude();
    }

    async fn await_last_words(&mut self) {
        while self.transcript.awaits_transcription() {
            let input = self.parts.model.next().await;
            self.parts.model.handle(input, Instant::now());
            while let Some(event) = self.parts.model.poll_event() {
                match event {
                    SessionEvent::CallerTranscript { item, text } => {
                        self.transcript.caller_said(&item, &text, now_ms());
                    }
                    SessionEvent::CallerWasSilent { item } => {
                        self.transcript.caller_was_silent(&item, now_ms());
                    }
                    SessionEvent::TranscriptionFailed { item, .. } => {
                        self.transcript.caller_transcription_failed(&item);
                    }
                    SessionEvent::Usage(usage) => self.usage += usage,
                    SessionEvent::Failed(_) => return,
                    SessionEvent::Ready { .. }
                    | SessionEvent::ResponseStarted { .. }
                    | SessionEvent::Audio { .. }
                    | SessionEvent::ItemDone { .. }
                    | SessionEvent::ResponseEmpty { .. }
                    | SessionEvent::ResponseDone { .. }
                    | SessionEvent::SpeechStarted { .. }
                    | SessionEvent::CallerNamed { .. }
                    | SessionEvent::SpeechStopped
                    | SessionEvent::AgentTranscript { .. }
                    | SessionEvent::ToolCalled { .. }
                    | SessionEvent::HostedToolCalled
                    | SessionEvent::HostedToolEnded { .. }
                    | SessionEvent::ToolsMissing { .. }
                    | SessionEvent::ResponseLacking { .. }
                    | SessionEvent::SessionLost { .. }
                    | SessionEvent::SessionRestored { .. }
                    | SessionEvent::PartRefused { .. }
                    | SessionEvent::ApiError(_) => {}
                }
            }
        }
    }

    /// Keeps a transcript line, if the agent file says that transcripts are kept.
    pub(super) fn keep_line(&self, line: &TranscriptLine) {
        let keeping = self.parts.agent.file.keeping;
        if keeping.transcripts {
            self.parts.journal.keep_line(&self.parts.call_ref, line, keeping.days);
        }
    }

    fn close_transcript(&mut self) {
        for heard in self.bridge.stop() {
            self.transcript.note_interrupted(&heard);
        }
        self.keep_lines();
        while let Some(line) = self.transcript.poll_rest() {
            self.keep_line(&line);
        }
        (self.summary.turns, self.summary.turn_p50_ms, self.summary.turn_p95_ms) = self.transcript.turns();
    }
}

/// Reports to call-control that a call is over, and why, until it is acknowledged.
async fn report(control: &CallControl, call_ref: String, fence: u64, token: Option<String>, ending: Ending) {
    let known_before = ending.for_previous_release();
    let newer = (ending != known_before).then(|| ending.into());
    let order = Order::TaskEnded { call_ref, fence, token, ending: known_before.into(), newer };
    for _ in 0..REPORT_ATTEMPTS {
        match tokio::time::timeout(REPORT_TIMEOUT, control.ask(&order)).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => tracing::warn!("reporting the call's end to call-control failed: {error:#}"),
            Err(_) => {
                tracing::warn!("reporting the call's end to call-control timed out after {REPORT_TIMEOUT:?}")
            }
        }
        tokio::time::sleep(REPORT_RETRY_AFTER).await;
    }
}
