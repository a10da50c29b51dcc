//! One call on the SIP line: a trunk rings at OpenAI, the caller is greeted, types an order's number, asks the way, interrupts, takes leave;
//! the agent hangs up.

mod checks;
mod conversation;
mod figures;
mod steps;

use super::timeline::Timeline;
use super::{Evidence, Outcome, SETTLED_WITHIN};
use crate::privacy_scan;
use crate::saved_calls::SavedCalls;
use crate::telephone::{CALLER, DIALLED, TRUNK_KEY, TelephoneLine};
use crate::testbed::{Testbed, TestbedConfig};
use crate::wakeup_probe::WakeupProbe;
use local::Binaries;
use sim_openai::sip::CallSpec;
use std::path::PathBuf;

impl TestbedConfig {
    /// The testbed of `make call LINE=sip`: the model has its part of the conversation.
    pub fn telephone_rehearsal(folder: PathBuf) -> Self {
        let mut config = Self::in_folder(folder);
        config.model.script = conversation::script();
        config.model.thinking = super::THINKING;
        config.telephone = Some(TelephoneLine::default());
        config
    }

    /// Rehearses one call on the SIP line, and saves it for `ahoy`. A call that goes wrong is an outcome, and no error.
    pub async fn rehearse_telephone(self, binaries: &Binaries) -> anyhow::Result<Outcome> {
        let testbed = Box::pin(Testbed::start(self, binaries)).await?;
        let outcome = Box::pin(testbed.rehearse_telephone()).await;
        SavedCalls::open(&testbed.folder).await?.take_over(&testbed.stack.store).await?;
        testbed.stop().await;
        outcome
    }
}

impl Testbed {
    /// Rings by the trunk, talks, and judges what happened.
    async fn rehearse_telephone(&self) -> anyhow::Result<Outcome> {
        let earlier = self.earlier();
        let probe = WakeupProbe::start();
        let trunk = self.model.trunk();
        let call = trunk.ring(CallSpec::new(CALLER, DIALLED).header("X-Ahoy-Key", TRUNK_KEY));
        let cut_short = conversation::hold(&call).await.err().map(|error| error.to_string());
        if cut_short.is_some() {
            call.hang_up();
        }
        let _ = call.over(SETTLED_WITHIN).await;
        let report = || (call.report(), call.heard_by_caller());
        let evidence = self.evidence(&call.id(), conversation::parts(), earlier, cut_short, report).await?;
        let evidence = Evidence { disturbance: probe.disturbance(), ..evidence };
        let mut timeline = Timeline::from(evidence.report.placed_at);
        steps::add_to(&mut timeline, &evidence.report);
        timeline.add_product(&evidence);
        let files = self.keep(&evidence)?;
        let checks = checks::all(&evidence, trunk.complaints(), privacy_scan::leaks(self));
        Ok(Outcome::of(&evidence, "OpenAI", figures::of(&evidence), checks, timeline.steps(), files))
    }
}
