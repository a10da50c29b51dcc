//! The handle on one call: the caller's phone.

use crate::recorded_key::RecordedKey;
use crate::relay::{Key, Order};
use crate::shared_call::SharedCall;
use crate::{CallReport, Ending, PacketCounts};
use sim_audio::Clip;
use sim_network::LinkCounts;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A call, and the phone it is made with. Clones are handles on the same call.
#[derive(Clone)]
pub struct Call {
    shared: Arc<SharedCall>,
}

/// What was waited for did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// Not in time.
    #[error("waited {after:?} in vain for {awaited}")]
    TimedOut {
        /// What was waited for.
        awaited: String,
        /// How long.
        after: Duration,
    },
    /// And it will not: the call is over.
    #[error("the call ended ({ending:?}) before {awaited}")]
    Ended {
        /// What was waited for.
        awaited: String,
        /// How the call ended.
        ending: Ending,
    },
}

impl Call {
    pub(crate) fn new(shared: Arc<SharedCall>) -> Call {
        Call { shared }
    }

    /// The call's id, `wacid.` and base64. It holds phone numbers.
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// Says something after all that is still to be said; returns when its last voiced packet left.
    pub async fn say(&self, clip: &Clip) -> Result<(), WaitError> {
        let (done, said) = oneshot::channel();
        self.shared.order(Order::Say { clip: clip.clone(), done });
        said.await.map_err(|_| self.ended_before(format!("{} was said", clip.name)))
    }

    /// Presses keys, one after the other, each for 100 ms with 100 ms before the next; returns when the last packet of
    /// the last one left. What is being said waits while a key is down.
    ///
    /// # Panics
    /// When something is no key: there are `0` to `9`, `*`, `#` and `A` to `D`.
    pub async fn press(&self, keys: &str) -> Result<(), WaitError> {
        let keys: Vec<Key> = keys
            .chars()
            .map(|key| Key::on_keypad(key).expect("only what is on a keypad is pressed"))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let (done, pressed) = oneshot::channel();
        self.shared.order(Order::Press { keys, done });
        pressed.await.map_err(|_| self.ended_before("all keys were pressed".to_owned()))
    }

    /// Sends packets of keys as they were recorded, voice waiting between the first and the last; returns when the last left.
    pub async fn play_keys(&self, packets: &[RecordedKey]) -> Result<(), WaitError> {
        if packets.is_empty() {
            return Ok(());
        }
        let (done, played) = oneshot::channel();
        self.shared.order(Order::Play { packets: packets.to_vec(), done });
        played.await.map_err(|_| self.ended_before("all packets of keys were sent".to_owned()))
    }

    /// Mutes the phone: no more voice leaves, only RTCP and keys. Whatever is said meanwhile is lost.
    pub fn mute(&self) {
        self.shared.order(Order::Mute(true));
    }

    /// Unmutes the phone. The stream goes on where the clock is now.
    pub fn unmute(&self) {
        self.shared.order(Order::Mute(false));
    }

    /// Returns when Graph replied 200 to `accept`: its time.
    pub async fn answered(&self, timeout: Duration) -> Result<Instant, WaitError> {
        self.wait_until("accept's 200", timeout, |report| report.accepted).await
    }

    /// Returns when the agent is speaking, at once if it is: the time of its turn's first voiced packet.
    pub async fn agent_speaks(&self, timeout: Duration) -> Result<Instant, WaitError> {
        let speaking =
            |report: &CallReport| report.agent_turns.last().filter(|turn| turn.ended.is_none()).copied();
        self.wait_until("the agent's voice", timeout, speaking).await.map(|turn| turn.began)
    }

    /// Returns when the agent has spoken and is silent: the time of its last voiced packet.
    /// How much quiet that takes is [`crate::CallerConfig::quiet`].
    pub async fn agent_falls_silent(&self, timeout: Duration) -> Result<Instant, WaitError> {
        let silent = |report: &CallReport| report.agent_turns.last().and_then(|turn| turn.ended);
        self.wait_until("the agent's silence", timeout, silent).await
    }

    /// Returns when the call has ended: who or what ended it.
    pub async fn ended(&self, timeout: Duration) -> Result<Ending, WaitError> {
        self.wait_until("the end of the call", timeout, |report| report.ending).await
    }

    /// Returns when the terminate webhook is being sent.
    pub async fn terminated(&self, timeout: Duration) -> Result<crate::Terminated, WaitError> {
        self.wait_even_after_the_end("the terminate webhook", timeout, |report| report.terminated).await
    }

    /// Returns when the business has taken the terminate webhook.
    pub async fn business_knows_of_the_end(&self, timeout: Duration) -> Result<Instant, WaitError> {
        let awaited = "the terminate webhook's 200";
        self.wait_even_after_the_end(awaited, timeout, |report| report.terminate_answered).await
    }

    /// Returns when `look` finds something in the report. It looks whenever something was seen, not at every packet:
    /// the report's traffic is not up to date here.
    pub async fn wait_until<T>(
        &self,
        awaited: &str,
        timeout: Duration,
        look: impl Fn(&CallReport) -> Option<T>,
    ) -> Result<T, WaitError> {
        let found = |report: &CallReport| match look(report) {
            Some(found) => Some(Some(found)),
            None => report.ending.map(|_| None),
        };
        let found = self.wait_even_after_the_end(awaited, timeout, found).await?;
        found.ok_or_else(|| self.ended_before(awaited.to_owned()))
    }

    /// The same, for what may still come when the call is over.
    pub async fn wait_even_after_the_end<T>(
        &self,
        awaited: &str,
        timeout: Duration,
        look: impl Fn(&CallReport) -> Option<T>,
    ) -> Result<T, WaitError> {
        let mut seen = self.shared.watch();
        let search = async {
            loop {
                seen.mark_unchanged();
                if let Some(found) = self.shared.with(|state| look(&state.report)) {
                    return found;
                }
                seen.changed().await.expect("the call, which sends, is ours");
            }
        };
        let in_vain = |_| WaitError::TimedOut { awaited: awaited.to_owned(), after: timeout };
        tokio::time::timeout(timeout, search).await.map_err(in_vain)
    }

    /// Hangs up: the relay says goodbye, and Meta sends the terminate webhook. Nothing if the call is over.
    pub async fn hang_up(&self) {
        self.shared.step(|signalling| signalling.hang_up(Instant::now()));
    }

    /// From now on [`Traffic::lateness`](crate::Traffic) and its longest gap are of what comes from now on.
    pub fn measure_anew(&self) {
        self.shared.with(|state| state.inspector.measure_anew());
    }

    /// What the phone's speaker has played since `accept`: 24 kHz, one frame for each 20 ms of the agent's RTP clock.
    /// Empty unless [`crate::CallerConfig::keeps_recording`].
    pub fn recording(&self) -> Vec<i16> {
        self.shared.with(|state| state.recording.clone())
    }

    /// What the caller has said, and when each first voiced packet left.
    pub fn said(&self) -> Vec<(Instant, String)> {
        self.shared.with(|state| state.said.clone())
    }

    /// What a phone that replays has counted since this was last asked.
    pub fn take_count(&self) -> PacketCounts {
        self.shared.with(|state| state.counter.take())
    }

    /// What the caller's network has done to the packets of sound, up and down; `None` without a network.
    pub fn link_counts(&self) -> Option<(LinkCounts, LinkCounts)> {
        self.shared.network.as_ref().map(|network| (network.up(), network.down()))
    }

    /// All that is known of the call by now.
    pub fn report(&self) -> CallReport {
        self.shared.report()
    }

    fn ended_before(&self, awaited: String) -> WaitError {
        let ending = self.shared.with(|state| state.report.ending);
        WaitError::Ended { awaited, ending: ending.unwrap_or(Ending::CallerHungUp) }
    }
}
