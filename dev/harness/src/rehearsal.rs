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
use crate::testbed::{AGENT, MODEL_KEY, Testbed, TestbedConfig};
use crate::wakeup_probe::WakeupProbe;
use local::{Binaries, root};
use sim_meta::{CallReport, CallerConfig, MetaConfig};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};
use switchboard::{StoredCall, call_ref};
use timeline::Timeline;

/// How long the simulated model thinks.
const THINKING: Duration = Duration::from_millis(300);

/// Within this everything that follows the end of a call is done.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);

/// What goes wrong on purpose, on whichever side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    /// At Meta, or with the caller's phone.
    Phone(sim_meta::InjectedFault),
    /// At the model.
    Model(sim_openai::InjectedFault),
}

impl FromStr for InjectedFault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let phone = name.parse().map(Self::Phone);
        phone.or_else(|_| name.parse().map(Self::Model)).map_err(|_: sim_openai::UnknownFault| {
            let phones = sim_meta::InjectedFault::ALL.iter().map(ToString::to_string);
            let models = sim_openai::InjectedFault::ALL.iter().map(ToString::to_string);
            format!("there are {}", phones.chain(models).collect::<Vec<_>>().join(", "))
        })
    }
}

/// What to rehearse.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// Who answers: an agent file's text.
    pub agent: String,
    /// The model, before anything goes wrong with it.
    pub model: sim_openai::Config,
    /// Where the model is, if not the one simulated here.
    pub model_url: Option<String>,
    /// What goes wrong.
    pub fault: Option<InjectedFault>,
    /// More settings of one program, by its name.
    pub more: BTreeMap<String, BTreeMap<String, String>>,
    /// Where recordings and logs go; `None`: `target/rehearsal`.
    pub folder: Option<PathBuf>,
    /// How long the call may ring; `None`: the product's default.
    pub ring_seconds: Option<u64>,
    /// How long Graph takes for each reply.
    pub graph_delay: Duration,
}

impl Default for Rehearsal {
    fn default() -> Self {
        let mut model = sim_openai::Config::new(MODEL_KEY);
        model.script = conversation::script();
        model.thinking = THINKING;
        Self {
            agent: AGENT.to_owned(),
            model,
            model_url: None,
            fault: None,
            more: BTreeMap::new(),
            folder: None,
            ring_seconds: None,
            graph_delay: Duration::ZERO,
        }
    }
}

impl Rehearsal {
    /// Rehearses one call.
    ///
    /// # Errors
    /// When there could be no rehearsal. A call that goes wrong is an outcome.
    pub async fn run(&self, binaries: &Binaries) -> anyhow::Result<Outcome> {
        let testbed = self.start_testbed(binaries).await?;
        let outcome = testbed.rehearse().await;
        SavedCalls::open(&testbed.folder).await?.take_over(&testbed.stack.store).await?;
        testbed.stop().await;
        outcome
    }

    /// Starts the product and the simulators around it.
    ///
    /// # Errors
    /// When something cannot be started.
    pub async fn start_testbed(&self, binaries: &Binaries) -> anyhow::Result<Testbed> {
        let (meta, model) = self.simulators();
        let config = TestbedConfig {
            meta,
            model,
            model_url: self.model_url.clone(),
            agent: self.agent.clone(),
            ring_seconds: self.ring_seconds,
            more: self.more.clone(),
            ..TestbedConfig::in_folder(self.folder.clone().unwrap_or_else(|| root().join("target/rehearsal")))
        };
        Testbed::start(config, binaries).await
    }

    fn simulators(&self) -> (MetaConfig, sim_openai::Config) {
        let mut meta = MetaConfig { graph_delay: self.graph_delay, ..MetaConfig::default() };
        let mut model = self.model.clone();
        match self.fault {
            Some(InjectedFault::Phone(fault)) => meta.mischief = Some(fault),
            Some(InjectedFault::Model(fault)) => model.mischief = Some(fault),
            None => {}
        }
        (meta, model)
    }
}

/// Everything known of a call once it is over.
struct Evidence {
    report: CallReport,
    recording: Vec<i16>,
    sessions: Vec<sim_openai::SessionReport>,
    record: Option<StoredCall>,
    journal: Vec<journal::JournalEntry>,
    /// Who said what, as it is kept.
    lines: Vec<journal::TranscriptLine>,
    summary: Option<journal::CallSummary>,
    /// The orders the shop was asked for.
    orders: Vec<String>,
    messages: usize,
    /// Why the conversation did not come to its end, if it did not.
    cut_short: Option<String>,
    /// How this machine was disturbed, if it was: then lateness is not the product's fault.
    disturbance: Option<String>,
}

impl Testbed {
    /// Rings, talks, and judges what happened.
    ///
    /// # Errors
    /// When no call can be placed, or what happened cannot be read.
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
        let settled = |record: &StoredCall| record.call.has_ended() && record.call.due.is_none();
        let record = self.calls.call_until(&call_ref, SETTLED_WITHIN, settled).await;
        let record = match record {
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
