//! What a bridge wants done, and what it noticed.

use crate::{DtmfDigits, Frame, ItemId, PlayedItem, TimeoutReason};
use std::time::Duration;

/// What the bridge wants done, and what it noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "fifty frames a second, and a box for each, cost more than the room"
)]
pub enum Output {
    /// Send this frame of sound, or silence, to the caller.
    Play(Option<Frame>),
    /// The caller interrupted the agent, or the call has lasted as long as it may, and the model does not know it yet: what
    /// it is still saying, or was about to say, is to be cancelled. Comes before the items that this cuts.
    CancelResponse,
    /// Tell the agent how much of what it said was heard: the caller interrupted it.
    Interrupted(PlayedItem),
    /// Tell the agent how much of what it said was heard. Nobody interrupted it: there was no room or no time for the rest,
    /// or the rest never came.
    CutShort(PlayedItem),
    /// An item was played to its very end.
    Played(ItemId),
    /// The caller's turn is over, and whether it deserves an answer is ours to say: something short, all of it said
    /// while the agent went on, does not. Only if [`Turns::decides_locally`](crate::Turns::decides_locally).
    TurnEnded {
        /// Whether it is to be answered.
        answer: bool,
    },
    /// The first of the agent's voice was sent, so long after the line opened.
    FirstAudio(Duration),
    /// The agent answered the caller.
    Answered {
        /// From when the caller was heard to stop, to the first voice sent.
        took: Duration,
        /// Of it, while the agent waited for its tools.
        waited_for_tools: Duration,
    },
    /// The caller keyed something in.
    Dtmf(DtmfDigits),
    /// More keys are pressed than a caller can mean: the rest is counted and dropped. At most once.
    DtmfDropped,
    /// Nobody has said anything for a while: have the agent ask whether the caller is still there.
    IdlePrompt {
        /// The so-manieth time in a row, counted from one.
        times: u32,
    },
    /// Patience runs out: have a goodbye said, and [close when silent](crate::Bridge::hang_up_when_silent).
    SayGoodbye(TimeoutReason),
    /// The caller goes on talking: the goodbye to a silent line is called off. Or the agent does, whose goodbye was followed by
    /// the caller's words: the hang-up is.
    HangUpCancelled,
    /// The caller speaks over the goodbye, or after it: the hang-up waits for what the agent has to say to that. Nothing, and
    /// [all is said](Self::SaidAll); else it is [stayed on](Self::StayOn).
    HangUpPostponed,
    /// The caller speaks, by the level of their sound, and the agent does not hear it. At most once.
    AgentIsDeaf,
    /// All was said, and heard: the call can be hung up. At most once, and never after giving up.
    HangUp,
    /// Patience ran out: the call must be hung up. At most once, and never after all was said.
    ForceHangUp(TimeoutReason),
}
