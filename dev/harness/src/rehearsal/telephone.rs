//! One call on the SIP line: a trunk rings at OpenAI, the caller is greeted, types an order's number, asks the way, interrupts, takes leave;
//! the agent hangs up. Or it is transferred.

mod checks;
mod conversation;
mod figures;
mod steps;
mod transfer;

use super::checks::{Check, none};
use super::timeline::Timeline;
use super::{Evidence, Outcome, Parts, SETTLED_WITHIN};
use crate::privacy_scan;
use crate::saved_calls::SavedCalls;
use crate::telephone::{self, TelephoneLine, transfer_section};
use crate::testbed::{Testbed, TestbedConfig};
use crate::wakeup_probe::WakeupProbe;
use local::Binaries;
use sim_openai::Script;
use sim_openai::sip::{CallReport, PlacedCall, WaitError};
use std::path::PathBuf;

/// What a rehearsed telephone call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TelephoneCall {
    /// The whole conversation, which the agent ends.
    Conversation,
    /// A short one, which ends with a transfer.
    Transfer,
}

impl TelephoneCall {
    fn script(self) -> Script {
        match self {
            Self::Conversation => conversation::script(),
            Self::Transfer => transfer::script(),
        }
    }

    fn parts(self) -> Parts {
        match self {
            Self::Conversation => conversation::parts(),
            Self::Transfer => transfer::parts(),
        }
    }

    async fn hold(self, call: &PlacedCall) -> Result<(), WaitError> {
        match self {
            Self::Conversation => conversation::hold(call).await,
            Self::Transfer => transfer::hold(call).await,
        }
    }

    fn checks(self, evidence: &Evidence<CallReport>, complaints: Vec<String>) -> Vec<Check> {
        match self {
            Self::Conversation => checks::all(evidence, complaints, checks::judge),
            Self::Transfer => checks::all(evidence, complaints, transfer::judge),
        }
    }
}

impl TestbedConfig {
    /// The testbed of `make call LINE=sip`: the model has its part of the conversation.
    pub fn telephone_rehearsal(folder: PathBuf, about: TelephoneCall) -> Self {
        let mut config = Self::in_folder(folder);
        if about == TelephoneCall::Transfer {
            config.agent += &transfer_section();
        }
        config.model.script = about.script();
        config.model.thinking = super::THINKING;
        config.telephone = Some(TelephoneLine::default());
        config
    }

    /// Rehearses one call on the SIP line, and saves it for `ahoy`. A call that goes wrong is an outcome, and no error.
    pub async fn rehearse_telephone(
        self,
        about: TelephoneCall,
        binaries: &Binaries,
    ) -> anyhow::Result<Outcome> {
        let testbed = Box::pin(Testbed::start(self, binaries)).await?;
        let outcome = Box::pin(testbed.rehearse_telephone(about)).await;
        SavedCalls::open(&testbed.folder).await?.take_over(&testbed.stack.store).await?;
        testbed.stop().await;
        outcome
    }
}

impl Testbed {
    /// Rings by the trunk, talks, and judges what happened.
    async fn rehearse_telephone(&self, about: TelephoneCall) -> anyhow::Result<Outcome> {
        let earlier = self.earlier();
        let probe = WakeupProbe::start();
        let trunk = self.model.trunk();
        let call = trunk.ring(telephone::spec());
        let cut_short = about.hold(&call).await.err().map(|error| error.to_string());
        if cut_short.is_some() {
            call.hang_up();
        }
        let _ = call.over(SETTLED_WITHIN).await;
        let report = || (call.report(), call.heard_by_caller());
        let evidence = self.evidence(&call.id(), about.parts(), earlier, cut_short, report).await?;
        let evidence = Evidence { disturbance: probe.disturbance(), ..evidence };
        let mut timeline = Timeline::from(evidence.report.placed_at);
        steps::add_to(&mut timeline, &evidence.report);
        timeline.add_product(&evidence);
        let files = self.keep(&evidence)?;
        let mut checks = about.checks(&evidence, trunk.complaints());
        checks.push(none(
            "no program wrote who called, a key, or OpenAI's id of the call",
            privacy_scan::leaks(self),
        ));
        Ok(Outcome::of(&evidence, "OpenAI", figures::of(&evidence), checks, timeline.steps(), files))
    }
}
