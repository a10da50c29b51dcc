//! The configuration of a simulator.

use crate::sip::SipConfig;
use crate::{FaultPlan, ForbiddenParameter, InjectedFault, ResponsesConfig, Script};
use sim_audio::{Clip, clips};
use std::time::Duration;

/// The configuration of a simulator. [`Config::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct Config {
    /// The only API key let in, as `Authorization: Bearer <key>` or `api-key: <key>`.
    pub key: String,
    /// When given, the only model there is. Default: any.
    pub model: Option<String>,
    /// When models are said to end, as `2027-01-31`. Default: never.
    pub shutdown_date: Option<String>,
    /// What the model says. Default: [`Script::about_bikes`].
    pub script: Script,
    /// From the end of the caller's speech, or from `response.create`, to the first audio. Default: 300 ms.
    pub thinking: Duration,
    /// From a `session.update` to its `session.updated`; the service takes about 260 ms. Default: none.
    pub configuring: Duration,
    /// How many times faster than speech the audio comes; 0 or infinity is at once. Default: 6.
    pub pace: f64,
    /// How long a session lasts before it expires. Default: 60 minutes.
    pub longest: Duration,
    /// What goes wrong, with every session or with the first one, as its name says. Default: nothing.
    pub fault: Option<InjectedFault>,
    /// The fault of each connection, instead of `fault`. Default: that.
    pub fault_plan: Option<FaultPlan>,
    /// Parameters that the project may not use. Default: none.
    pub forbids: Vec<ForbiddenParameter>,
    /// The number of first sessions in which the service fails while it is configured. Default: none.
    pub failing_setups: usize,
    /// Whether an idle timeout that is set after a response was played expires at once. Default: no.
    pub idles_at_once: bool,
    /// Decides ids, the sizes of deltas and whatever else is left to chance. Default: 1.
    pub seed: u64,
    /// The sentences it can transcribe. Default: all of the caller's. The caller's monologue it always can.
    pub understands: Vec<Clip>,
    /// How telephone calls by SIP are treated.
    pub sip: SipConfig,
    /// What the Responses API knows and says.
    pub responses: ResponsesConfig,
    /// Whether reports keep every event and all sound heard. Default: yes; a load test would fill the memory.
    pub keeps_everything: bool,
    /// Whether a debug build checks every event it sends against OpenAI's types. Default: yes; a load test has no time.
    pub checks_itself: bool,
}

impl Config {
    /// The defaults, for one key.
    pub fn new(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            model: None,
            shutdown_date: None,
            script: Script::about_bikes(),
            thinking: Duration::from_millis(300),
            configuring: Duration::ZERO,
            pace: 6.0,
            longest: Duration::from_secs(60 * 60),
            fault: None,
            fault_plan: None,
            forbids: vec![],
            failing_setups: 0,
            idles_at_once: false,
            seed: 1,
            understands: vec![
                clips::caller_question(),
                clips::caller_directions(),
                clips::caller_interrupts(),
                clips::caller_order(),
                clips::caller_thanks(),
                clips::caller_mhm(),
            ],
            sip: SipConfig::default(),
            responses: ResponsesConfig::default(),
            keeps_everything: true,
            checks_itself: true,
        }
    }

    /// For many sessions at once: keeps nothing that grows with sound, and trusts what it sends.
    #[must_use]
    pub fn for_many(self) -> Self {
        Self { keeps_everything: false, checks_itself: false, ..self }
    }

    /// The fault of the n-th connection, which would be the n-th session if none had been refused before.
    pub(crate) fn fault_of(&self, connection: usize, session: usize) -> Option<InjectedFault> {
        match &self.fault_plan {
            Some(fate) => fate.of(connection),
            None => self.fault.and_then(|fault| fault.fault_of(session)),
        }
    }
}
