//! An order to a call's relay.

use super::keypad::Key;
use crate::recorded_key::RecordedKey;
use crate::sdp_check::Answer;
use sim_audio::Clip;
use tokio::sync::oneshot;

/// An order to the loop.
pub(crate) enum Order {
    /// The business showed its answer.
    Answer(Answer),
    /// The business picked up.
    Open,
    /// Say this, and report when the last voiced packet left.
    Say { clip: Clip, done: oneshot::Sender<()> },
    /// Press these keys, and report when the last packet of the last one left.
    Press { keys: Vec<Key>, done: oneshot::Sender<()> },
    /// Send these packets of keys, and report when the last of them left.
    Play { packets: Vec<RecordedKey>, done: oneshot::Sender<()> },
    /// Send no voice from now on, or send it again.
    Mute(bool),
    /// The call is over.
    Close,
}
