//! The callers: they ring one after the other, so that each session with the model is matched with its call.

use super::model::Model;
use anyhow::{Context, ensure};
use sim_audio::clips;
use sim_meta::{Call, CallerConfig, Meta, Replay};
use std::sync::Arc;
use std::time::Duration;

/// The longest time until a session with the model begins.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// The longest time until a call is answered: beyond it the product is overloaded.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

const OVER_WITHIN: Duration = Duration::from_secs(30);

/// Callers whose calls are open, in the order they rang, which is that of their sessions.
pub(super) struct Callers<'a> {
    meta: &'a Meta,
    model: &'a Model,
    replay: Arc<Replay>,
    rung: u32,
    pub(super) calls: Vec<Call>,
}

impl<'a> Callers<'a> {
    pub(super) fn none(meta: &'a Meta, model: &'a Model) -> anyhow::Result<Self> {
        let sentences = [
            clips::caller_question(),
            clips::caller_directions(),
            clips::caller_order(),
            clips::caller_interrupts(),
            clips::caller_thanks(),
        ];
        let replay = Arc::new(Replay::of(&sentences)?);
        Ok(Self { meta, model, replay, rung: 0, calls: vec![] })
    }

    /// Places calls until this many are open. Returns when sound flows in all of them.
    pub(super) async fn grow(&mut self, to: usize) -> anyhow::Result<()> {
        let there = self.calls.len();
        for _ in there..to {
            self.ring().await?;
        }
        for call in &self.calls[there..] {
            call.wait_until("sound", ANSWERED_WITHIN, |report| report.first_packet).await?;
        }
        Ok(())
    }

    /// Ends all calls. Returns when the product has recorded it.
    pub(super) async fn leave(&mut self) -> anyhow::Result<()> {
        for call in &self.calls {
            call.hang_up().await;
        }
        for call in self.calls.drain(..) {
            call.business_knows_of_the_end(OVER_WITHIN).await?;
        }
        Ok(())
    }

    pub(super) fn is_complete(&self) -> anyhow::Result<()> {
        let ended = self.calls.iter().find_map(|call| call.report().ending);
        ensure!(ended.is_none(), "a call ended by itself: {ended:?}");
        Ok(())
    }

    async fn ring(&mut self) -> anyhow::Result<()> {
        let replays = Some(self.replay.for_caller(self.rung));
        let caller = CallerConfig { replays, ..CallerConfig::of_many(self.rung) };
        self.calls.push(self.meta.ring(caller).await?);
        self.rung += 1;
        let begun = tokio::time::timeout(BEGINS_WITHIN, self.model.begun(self.rung as usize)).await;
        begun.with_context(|| format!("call {} has no session with the model", self.rung))
    }
}
