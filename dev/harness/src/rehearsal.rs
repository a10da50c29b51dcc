//! One call through the whole product: a simulated caller rings, is answered, asks for something that has to be looked
//! up, interrupts, takes leave; the agent hangs up.

mod business;
mod checks;
mod conversation;
mod figures;
mod outcome;
mod sound;
mod step_text;
mod telephone;
mod timeline;

pub use checks::Check;
pub use figures::Figures;
pub use outcome::Outcome;
pub use telephone::TelephoneCall;
pub use timeline::Step;

use crate::saved_calls::SavedCalls;
use crate::testbed::{Testbed, TestbedConfig};
use crate::wakeup_probe::WakeupProbe;
use business::BusinessRecord;
use local::Binaries;
use sim_audio::Clip;
use sim_meta::CallerConfig;
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
        let knows_callers = self.knows_callers();
        // Boxed: the compiler limits how deep futures nest.
        let testbed = Box::pin(Testbed::start(self, binaries)).await?;
        let outcome = Box::pin(testbed.rehearse_as(knows_callers)).await;
        SavedCalls::open(&testbed.folder).await?.take_over(&testbed.stack.store).await?;
        testbed.stop().await;
        outcome
    }
}

/// Everything known of a call once it is over. `R` is the report of the side that placed it.
struct Evidence<R> {
    report: R,
    /// What was to be said.
    script: Parts,
    /// What the caller heard, 24 kHz.
    recording: Vec<i16>,
    sessions: Vec<sim_openai::SessionReport>,
    record: Option<StoredCall>,
    journal: Vec<journal::JournalEntry>,
    lines: Vec<journal::TranscriptLine>,
    summary: Option<journal::CallSummary>,
    /// The orders that the business was asked for.
    orders: Vec<String>,
    /// What else the business saw of the call; `None` where its agent asks and tells it nothing.
    business: Option<BusinessRecord>,
    messages: usize,
    /// Why the conversation did not come to its end, if it did not.
    cut_short: Option<String>,
    /// How this machine was disturbed, if it was: then lateness is not the product's fault.
    disturbance: Option<String>,
}

/// What each side has to say.
struct Parts {
    agent: Vec<Clip>,
    caller: Vec<Clip>,
    /// How often the caller types.
    typed: usize,
}

impl Parts {
    /// How many lines the transcript has.
    fn lines(&self) -> usize {
        self.agent.len() + self.caller.len() + self.typed
    }
}

/// How much of the simulators' reports is of earlier calls.
struct Earlier {
    sessions: usize,
    messages: usize,
    orders: usize,
}

impl Testbed {
    /// Rings, talks, and judges what happened.
    pub async fn rehearse(&self) -> anyhow::Result<Outcome> {
        self.rehearse_as(false).await
    }

    /// Does so with an agent that knows its callers, or with one that does not.
    async fn rehearse_as(&self, knows_callers: bool) -> anyhow::Result<Outcome> {
        let mut seen = self.meta.observations();
        let earlier = self.earlier();
        let began = Instant::now();
        let probe = WakeupProbe::start();
        let call = self.meta.ring(CallerConfig::default()).await?;
        let cut_short = conversation::hold(&call).await.err().map(|error| error.to_string());
        if cut_short.is_some() {
            call.hang_up().await;
        }
        // The last word of the call's life is Meta's; a call that is lost may never get it.
        let _ = call.terminated(SETTLED_WITHIN).await;
        let script = conversation::parts(knows_callers);
        let evidence =
            self.evidence(call.id(), script, earlier, cut_short, || (call.report(), call.recording()));
        let evidence = Evidence { disturbance: probe.disturbance(), ..evidence.await? };
        let business = if knows_callers { Some(self.business_record(call.id()).await) } else { None };
        let evidence = Evidence { business, ..evidence };
        let mut timeline = Timeline::from(evidence.report.posted.unwrap_or(began));
        while let Ok(observation) = seen.try_recv() {
            timeline.add_phone(&observation);
        }
        timeline.add_product(&evidence);
        if let Some(business) = &evidence.business {
            business.add_to(&mut timeline);
        }
        let files = self.keep(&evidence)?;
        Ok(Outcome::judge(&evidence, timeline.steps(), files))
    }

    fn earlier(&self) -> Earlier {
        Earlier {
            sessions: self.model.sessions().len(),
            messages: self.meta.messages().len(),
            orders: self.business.asked().len(),
        }
    }

    /// Gathers what is known of a call once nothing is left to do for it: the report and the recording last.
    async fn evidence<R>(
        &self,
        id: &str,
        script: Parts,
        earlier: Earlier,
        cut_short: Option<String>,
        report: impl FnOnce() -> (R, Vec<i16>),
    ) -> anyhow::Result<Evidence<R>> {
        let call_ref = call_ref(id);
        let record = match self.calls.settled(&call_ref, SETTLED_WITHIN).await {
            Ok(record) => Some(record),
            Err(_) => self.calls.call(&call_ref).await?,
        };
        let (report, recording) = report();
        Ok(Evidence {
            report,
            script,
            recording,
            sessions: self.model.sessions().split_off(earlier.sessions),
            record,
            journal: self.calls.journal(&call_ref).await?,
            summary: self.calls.summary(&call_ref).await?,
            lines: self.calls.lines(&call_ref).await?,
            orders: self.business.asked().split_off(earlier.orders),
            business: None,
            messages: self.meta.messages().len() - earlier.messages,
            cut_short,
            disturbance: None,
        })
    }

    /// Writes what each side heard, and the model's session.
    fn keep<R>(&self, evidence: &Evidence<R>) -> anyhow::Result<Vec<PathBuf>> {
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
