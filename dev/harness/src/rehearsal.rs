//! One call through the whole product: a simulated caller rings, is answered, asks for something that has to be looked
//! up, interrupts, takes leave; the agent hangs up.

mod checks;
mod conversation;
mod figures;
mod outcome;
mod sound;
mod step_text;
mod timeline;

pub use checks::Check;
pub use figures::Figures;
pub use outcome::Outcome;
pub use timeline::Step;

use crate::saved_calls::SavedCalls;
use crate::testbed::{Testbed, TestbedConfig};
use crate::wakeup_probe::WakeupProbe;
use local::Binaries;
use sim_meta::{CallReport, CallerConfig};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use store::{StoredCall, call_ref};
use timeline::Timeline;

/// How long the simulated model thinks.
const THINKING: Duration = Duration::from_millis(300);

/// Within this everything that follows the end of a call is done.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);

impl TestbedConfig {
    /// The testbed of `make call`: the model has its part of the conversation.
    pub fn rehearsal(folder: PathBuf) -> Self {
        let mut config = Self::in_folder(folder);
        config.model.script = conversation::script();
        config.model.thinking = THINKING;
        config
    }

    /// Rehearses one call, and saves it for `ahoy`. A call that goes wrong is an outcome, and no error.
    pub async fn rehearse(self, binaries: &Binaries) -> anyhow::Result<Outcome> {
        // Boxed: the compiler limits how deep futures nest.
        let testbed = Box::pin(Testbed::start(self, binaries)).await?;
        let outcome = Box::pin(testbed.rehearse()).await;
        SavedCalls::open(&testbed.folder).await?.take_over(&testbed.stack.store).await?;
        testbed.stop().await;
        outcome
    }
}

/// Everything known of a call once it is over.
struct Evidence {
    report: CallReport,
    recording: Vec<i16>,
    sessions: Vec<sim_openai::SessionReport>,
    record: Option<StoredCall>,
    journal: Vec<journal::JournalEntry>,
    lines: Vec<journal::TranscriptLine>,
    summary: Option<journal::CallSummary>,
    /// The orders that the tool server was asked for.
    orders: Vec<String>,
    messages: usize,
    /// Why the conversation did not come to its end, if it did not.
    cut_short: Option<String>,
    /// How this machine was disturbed, if it was: then lateness is not the product's fault.
    disturbance: Option<String>,
}

impl Testbed {
    /// Rings, talks, and judges what happened.
    pub async fn rehearse(&self) -> anyhow::Result<Outcome> {
        let mut seen = self.meta.observations();
        let (earlier_sessions, earlier_messages) = (self.model.sessions().len(), self.meta.messages().len());
        let earlier_orders = self.tool_server.asked().len();
        let began = Instant::now();
        let probe = WakeupProbe::start();
        let call = self.meta.ring(CallerConfig::default()).await?;
        let cut_short = conversation::hold(&call).await.err().map(|error| error.to_string());
        if cut_short.is_some() {
            call.hang_up().await;
        }
        // The last word of the call's life is Meta's; a call that is lost may never get it.
        let _ = call.terminated(SETTLED_WITHIN).await;
        let call_ref = call_ref(call.id());
        let record = match self.calls.settled(&call_ref, SETTLED_WITHIN).await {
            Ok(record) => Some(record),
            Err(_) => self.calls.call(&call_ref).await?,
        };
        let evidence = Evidence {
            report: call.report(),
            recording: call.recording(),
            sessions: self.model.sessions().split_off(earlier_sessions),
            record,
            journal: self.calls.journal(&call_ref).await?,
            summary: self.calls.summary(&call_ref).await?,
            lines: self.calls.lines(&call_ref).await?,
            orders: self.tool_server.asked().split_off(earlier_orders),
            messages: self.meta.messages().len() - earlier_messages,
            cut_short,
            disturbance: probe.disturbance(),
        };
        let mut timeline = Timeline::from(evidence.report.posted.unwrap_or(began));
        while let Ok(observation) = seen.try_recv() {
            timeline.see_phone(&observation);
        }
        evidence
            .sessions
            .iter()
            .flat_map(|session| &session.observations)
            .for_each(|seen| timeline.see_model(seen));
        evidence.journal.iter().for_each(|entry| timeline.see_entry(entry));
        let files = self.keep(&evidence)?;
        Ok(Outcome::judge(&evidence, timeline.steps(), files))
    }

    /// Writes what each side heard, and the model's session.
    fn keep(&self, evidence: &Evidence) -> anyhow::Result<Vec<PathBuf>> {
        let caller = self.folder.join("caller-heard.wav");
        sim_audio::wav::write(&caller, &evidence.recording)?;
        let agent = self.folder.join("agent-heard.wav");
        let heard: Vec<i16> = evidence.sessions.iter().flat_map(|session| session.heard.clone()).collect();
        sim_audio::wav::write(&agent, &heard)?;
        let session = self.folder.join("realtime.jsonl");
        let recording: String = evidence.sessions.iter().map(|session| session.recording_jsonl()).collect();
        std::fs::write(&session, recording)?;
        Ok(vec![caller, agent, session, self.folder.join("logs")])
    }
}
