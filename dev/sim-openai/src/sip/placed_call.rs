//! A call that was placed, for the test or harness that placed it.

use super::call::Call;
use super::shared_call::SharedCall;
use super::{CallReport, CarrierEvent};
use sim_audio::Clip;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// A call that was placed. Clones are the same call.
#[derive(Debug, Clone)]
pub struct PlacedCall {
    pub(crate) call: Arc<SharedCall>,
}

/// What was waited for did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// Not in time.
    #[error("{0} did not come in time")]
    TimedOut(String),
    /// The call ended before.
    #[error("the call was over before {0} came")]
    Over(String),
}

impl PlacedCall {
    /// The call's id, `rtc_…`.
    pub fn id(&self) -> String {
        self.call.look(|call| call.id().to_owned())
    }

    /// What happened so far.
    pub fn report(&self) -> CallReport {
        self.call.look(|call| call.report().clone())
    }

    /// What the caller has heard since the call was answered, 24 kHz.
    pub fn heard_by_caller(&self) -> Vec<i16> {
        self.call.look(|call| call.heard_by_caller(Instant::now()))
    }

    /// Says something, once all that was to be said before is said.
    pub fn say(&self, clip: &Clip) {
        self.call.step(|call| call.say(clip, Instant::now()));
    }

    /// Presses keys, one each quarter of a second.
    pub fn press(&self, keys: &str) {
        self.call.step(|call| call.press(keys, Instant::now()));
    }

    /// Hangs up, or gives up while it rings.
    pub fn hang_up(&self) {
        self.call.step(|call| call.hang_up(Instant::now()));
    }

    /// Breaks every sideband socket of the call, while the call goes on.
    pub fn drop_sockets(&self) {
        self.call.step(|call| call.drop_sockets(Instant::now()));
    }

    /// Returns when the carrier got `200 OK`: its time.
    ///
    /// # Errors
    /// When it does not, or not in time.
    pub async fn answered(&self, timeout: Duration) -> Result<Instant, WaitError> {
        self.wait_until("200 OK", timeout, CallReport::answered).await
    }

    /// Returns when the agent is speaking, at once if it is: the time of the first sound of what it says.
    ///
    /// # Errors
    /// When the call ends before, or not in time.
    pub async fn agent_speaks(&self, timeout: Duration) -> Result<Instant, WaitError> {
        let speaking = |report: &CallReport| {
            report.agent.last().filter(|speech| speech.stopped.is_none()).map(|speech| speech.started)
        };
        self.wait_until("the agent's voice", timeout, speaking).await
    }

    /// Returns when the agent has spoken and is silent: the time of its last sound. How much quiet that takes is
    /// [`super::SipConfig::quiet`].
    ///
    /// # Errors
    /// When the call ends before, or not in time.
    pub async fn agent_falls_silent(&self, timeout: Duration) -> Result<Instant, WaitError> {
        let quiet = self.call.look(Call::quiet);
        let silent = |report: &CallReport| {
            let stopped = report.agent.last().and_then(|speech| speech.stopped);
            stopped.filter(|stopped| *stopped + quiet <= Instant::now())
        };
        self.wait_until("the agent's silence", timeout, silent).await
    }

    /// Returns when the call is over for the carrier: how, and when.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn over(&self, timeout: Duration) -> Result<CarrierEvent, WaitError> {
        self.wait_even_after_the_end("the end of the call", timeout, |report| report.ending().cloned()).await
    }

    /// Returns when `look` finds something in the report. It looks whenever the call may have changed, every 20 ms at least
    /// once it was answered.
    ///
    /// # Errors
    /// When the call ends before, or not in time.
    pub async fn wait_until<T>(
        &self,
        awaited: &str,
        timeout: Duration,
        look: impl Fn(&CallReport) -> Option<T>,
    ) -> Result<T, WaitError> {
        let found = |report: &CallReport| match look(report) {
            Some(found) => Some(Some(found)),
            None => report.ending().map(|_| None),
        };
        let found = self.wait_even_after_the_end(awaited, timeout, found).await?;
        found.ok_or_else(|| WaitError::Over(awaited.to_owned()))
    }

    /// The same, for what may still come when the call is over.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn wait_even_after_the_end<T>(
        &self,
        awaited: &str,
        patience: Duration,
        look: impl Fn(&CallReport) -> Option<T>,
    ) -> Result<T, WaitError> {
        let mut changes = self.call.changes();
        let found = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = self.call.look(|call| look(call.report())) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        let found = timeout(patience, found).await.ok().flatten();
        found.ok_or_else(|| WaitError::TimedOut(awaited.to_owned()))
    }
}
