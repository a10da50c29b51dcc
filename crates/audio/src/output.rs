//! Outputs of the bridge: frames to send, and what the session has to do or report.

use crate::{DtmfDigits, Frame, ItemId, PlayedItem, TimeoutReason};
use std::time::Duration;

/// An output of [`Bridge`](crate::Bridge): an action to take, or a report of what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "boxing fifty frames a second costs more than the space")]
pub enum Output {
    /// Send this frame to the caller; `None` is a frame of silence.
    Play(Option<Frame>),
    /// Cancel the model's response, in progress or requested: the caller interrupted the agent, or the call ends, and
    /// the model does not know. Comes before the items that this cuts.
    CancelResponse,
    /// The caller interrupted this item: truncate it in the conversation to what was heard.
    Interrupted(PlayedItem),
    /// An item was cut without an interruption: truncate it in the conversation to what was heard. The queue was
    /// full, the call ends, or the model never sent the rest.
    CutShort(PlayedItem),
    /// An item was played to its end.
    Played(ItemId),
    /// The caller's turn has ended. Only with
    /// [`BargeInPolicy::decides_locally`](crate::BargeInPolicy::decides_locally).
    TurnEnded {
        /// Whether to request a response: a backchannel gets none.
        answer: bool,
    },
    /// The agent's first audio was sent, this long after the line opened.
    FirstAudio(Duration),
    /// The agent's answer to the caller began.
    Answered {
        /// The response latency: from the end of the caller's speech to the first audio sent.
        took: Duration,
        /// The part of it during which tool calls ran.
        waited_for_tools: Duration,
    },
    /// The caller completed an entry of DTMF digits.
    Dtmf(DtmfDigits),
    /// The caller exceeds the limit of DTMF digits, and the rest is dropped. At most once.
    DtmfDropped,
    /// The line is idle: have the agent ask whether the caller is still there.
    IdlePrompt {
        /// The number of this prompt in a row, from one.
        times: u32,
    },
    /// A call timer fired: have the agent say goodbye, then call
    /// [`Bridge::hang_up_when_silent`](crate::Bridge::hang_up_when_silent).
    SayGoodbye(TimeoutReason),
    /// The hang-up is cancelled: the caller spoke before the goodbye to an idle line, or the agent answered what the
    /// caller said to a goodbye.
    HangUpCancelled,
    /// The caller speaks over the goodbye, or after it: the hang-up waits for the agent's answer. Without one comes
    /// [`Self::HangUp`], else [`Self::HangUpCancelled`].
    HangUpPostponed,
    /// The caller speaks, by the level of their audio, and the model does not detect it. At most once.
    AgentIsDeaf,
    /// The goodbye was heard: hang up. At most once, and never after [`Self::ForceHangUp`].
    HangUp,
    /// A call timer expired without a goodbye: hang up now. At most once, and never after [`Self::HangUp`].
    ForceHangUp(TimeoutReason),
}
