//! Finishes a call: writes its transcript and summary, closes the model's session, and reports the end to call-control.

use super::{AgentSide, CallIdentity, SessionEnd};
use agents::AfterEvent;
use audio::PlayedItem;
use call::Ending;
use internal_api::client::CallControl;
use internal_api::order::Order;
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

impl AgentSide {
    /// Finishes the call: reports its end, and writes everything about it. `interrupted` is what the agent was saying; `close` ends the
    /// caller's side once the end is reported.
    pub(crate) async fn finish(mut self, end: SessionEnd, interrupted: &[PlayedItem], close: impl FnOnce()) {
        let (control, call) = (self.control.clone(), self.call.clone());
        let reporting = async move {
            if let SessionEnd::Unreported(ending) = end {
                report(&control, call, ending).await;
            }
        };
        let reported = if self.record.transcript.awaits_transcription() {
            // The caller's last words are still being transcribed; the hang-up does not wait for them.
            let reported = tokio::spawn(reporting);
            let _ = tokio::time::timeout(LAST_WORDS_TIMEOUT, self.await_last_words()).await;
            self.conclude(interrupted);
            reported
        } else {
            self.conclude(interrupted);
            tokio::spawn(reporting)
        };
        let Self { model, mut accounts, mut record, tools, .. } = self;
        // The model's session ends with the conversation, however long the rest takes.
        drop(model);
        // The report fails only with the whole process.
        let _ = reported.await;
        close();
        if let Some(cap_near) = accounts.last_cap_event().await {
            record.note(cap_near);
            tools.business().tell(AfterEvent::NearCap, now_ms());
        }
        tools.business().conclude();
    }

    async fn await_last_words(&mut self) {
        while self.record.transcript.awaits_transcription() {
            let input = self.model.next().await;
            self.model.handle(input, Instant::now());
            while let Some(event) = self.model.poll_event() {
                // Nothing else matters any more.
                if let Some(SessionEvent::Failed(_) | SessionEvent::CallGone { .. }) = self.note_event(event)
                {
                    return;
                }
            }
        }
    }

    /// Writes the rest of the transcript, the call's usage and its summary, and adds its cost to the day's spending.
    fn conclude(&mut self, interrupted: &[PlayedItem]) {
        self.record.close_transcript(interrupted);
        let usage = self.accounts.close(&mut self.record.summary);
        self.record.note(usage);
        self.record.keep_levels();
        self.record.conclude(self.accounts.outcome(&self.record.summary));
    }
}

/// Reports to call-control that a call is over, and why, until it is acknowledged.
async fn report(control: &CallControl, call: CallIdentity, ending: Ending) {
    let CallIdentity { call_ref, fence, token, .. } = call;
    let known_before = ending.for_previous_release();
    let newer = (ending != known_before).then(|| ending.into());
    let order = Order::TaskEnded { call_ref, fence, token, ending: known_before.into(), newer };
    for _ in 0..REPORT_ATTEMPTS {
        match tokio::time::timeout(REPORT_TIMEOUT, control.ask(&order)).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => {
                tracing::warn!("reporting the call's end to call-control failed: {error:#}")
            }
            Err(_) => {
                tracing::warn!("reporting the call's end to call-control timed out after {REPORT_TIMEOUT:?}")
            }
        }
        tokio::time::sleep(REPORT_RETRY_AFTER).await;
    }
}
