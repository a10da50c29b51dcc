//! The events of a call and the effects it requests.

use crate::{Assignment, Ending, Fence, TaskId};
use serde::{Deserialize, Serialize};

/// Something that happened to a call. Any of these may arrive twice, late, or out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// Time passed. Requests pending effects again, and ends what is overdue.
    Tick,
    /// A media task with a free slot was chosen.
    TaskAssigned {
        /// The task's id.
        task: TaskId,
    },
    /// No media task has a free slot.
    NoTaskFree,
    /// The call is turned away before any task is asked: the business is closed, for example.
    Rejected(Ending),
    /// The call is turned away after a task was offered it: the business's lookup refuses the caller, or chose an agent that is closed.
    TurnedAway {
        /// The fence of the task's assignment.
        fence: Fence,
        /// Why the call ends.
        ending: Ending,
    },
    /// The media task took the offer.
    Answered {
        /// The fence of the assignment that was offered the call.
        fence: Fence,
        /// The task's SDP answer; empty on a line that needs none.
        answer: String,
    },
    /// The media task refused the call.
    AssignmentRefused {
        /// The fence of the assignment that was offered the call.
        fence: Fence,
    },
    /// The media task gave no usable answer to the offer: it may have taken the call.
    AssignmentUnanswered {
        /// The fence of the assignment that was offered the call.
        fence: Fence,
    },
    /// No task can answer this offer.
    Unanswerable,
    /// A process asks for an effect that must be performed once: it may perform the effect only if [`step`](crate::step()) returns it.
    Claimed(Effect),
    /// An effect was performed, or performing it again is pointless.
    Done(Effect),
    /// The line's service refused an effect permanently.
    Refused(Effect),
    /// The line's service refused an effect, most likely because the call is over there.
    CallGone(Effect),
    /// The line's service refused an accept that may have taken effect at an earlier attempt: the call may be answered there.
    AcceptInDoubt {
        /// Why the call ends.
        ending: Ending,
    },
    /// An effect failed and is worth another attempt; it may have taken effect.
    Failed(Effect),
    /// An effect failed and is worth another attempt; it certainly never reached the line's service.
    NotReceived(Effect),
    /// The process that the task had asked to accept the call has died.
    AcceptLost {
        /// The fence of the task's assignment.
        fence: Fence,
        /// The number of the request that process had; `None` from a task of an older release.
        question: Option<u64>,
    },
    /// The task reports that it is ready for the accept: media is connected and the agent can speak, or the line needs no media of ours.
    MediaConnected {
        /// The fence of the task's assignment.
        fence: Fence,
        /// The number of this request; `None` from a task of an older release.
        question: Option<u64>,
    },
    /// The task reports that the call is over.
    TaskEnded {
        /// The fence of the task's assignment.
        fence: Fence,
        /// Why the call ended.
        ending: Ending,
    },
    /// The task responded: it is alive and has the call.
    TaskAlive {
        /// The fence of the task's assignment.
        fence: Fence,
    },
    /// The task's control API did not respond.
    TaskSilent {
        /// The fence of the task's assignment.
        fence: Fence,
        /// When its lease expires, by its own clock; `None` when it has no lease.
        lease: Option<u64>,
    },
    /// ECS reports that the task has stopped.
    TaskStopped {
        /// The fence of the task's assignment.
        fence: Fence,
    },
    /// The caller hung up.
    HungUp,
    /// Meta ended the call because no media arrived.
    MediaFailed,
    /// The line's service ended the call for another reason, such as an accept that came too late, or lets another endpoint answer it.
    LineGaveUp,
}

/// Something to do for a call. Each effect is safe to perform twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Choose a media task with a free slot.
    #[serde(rename = "find_seat")]
    AssignTask,
    /// Launch another media task: no slot is free.
    LaunchTask,
    /// Offer the call to the assigned task, which answers with SDP where the line needs it.
    Offer(Assignment),
    /// Send Meta the answer with `pre_accept`, so that media connects while it rings.
    PreAccept,
    /// Accept the call: send Meta `accept`, with the same answer; send OpenAI `accept`.
    Accept,
    /// Reject the call. Only before [`Effect::PreAccept`] on WhatsApp, before [`Effect::Accept`] on other lines.
    Reject,
    /// Hang up: send Meta `terminate`, OpenAI `hangup`.
    Terminate,
    /// Tell the task to drop the call.
    Release(Assignment),
    /// Send the caller a message that explains why the call was not answered, or broke off.
    TellCaller(Ending),
    /// Check whether the task is alive and still has the call.
    CheckTask(Assignment),
}
