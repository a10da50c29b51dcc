//! What can happen to a call, and what it can ask for.

use crate::{Assignment, Ending};
use serde::{Deserialize, Serialize};

/// Something that happened to a call. Any of these may come twice, late, or out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// Time passed. Asks again for effects that nobody performed, and ends what is overdue.
    Tick,
    /// A media task with a free slot was chosen.
    TaskAssigned {
        /// The task's id.
        task: String,
    },
    /// No media task has a free slot.
    NoTaskFree,
    /// The call is not to be taken at all: the business is closed, say.
    Rejected(Ending),
    /// The media task answered the offer.
    Answered {
        /// The assignment that was asked.
        fence: u64,
        /// Its SDP answer.
        answer: String,
    },
    /// The media task does not take the call.
    AssignmentRefused {
        /// The assignment that was asked.
        fence: u64,
    },
    /// The media task did not answer the offer so that it can be understood: it may have taken the call.
    AssignmentUnanswered {
        /// The assignment that was asked.
        fence: u64,
    },
    /// The offer is one nobody can answer.
    Unanswerable,
    /// Somebody wants to perform an effect that must not be performed twice: whoever is given it back, may.
    Claimed(Effect),
    /// An effect was performed, or there is no point in performing it again.
    Done(Effect),
    /// Meta refused an effect for good, and says what is wrong.
    Refused(Effect),
    /// Meta refused an effect, most likely because the call is over there.
    CallGone(Effect),
    /// An effect failed for now; it is worth another try, and may have taken effect.
    Failed(Effect),
    /// An effect failed for now; it is worth another try, and certainly did nothing at Meta.
    NotReceived(Effect),
    /// The process that the task had asked to accept the call is dead.
    AcceptLost {
        /// The task's assignment.
        fence: u64,
        /// Which of its questions that process had; none from a task of an older release.
        question: Option<u64>,
    },
    /// The task says that media is connected and the agent is ready to speak.
    MediaConnected {
        /// The task's assignment.
        fence: u64,
        /// Which of its questions this is; none from a task of an older release.
        question: Option<u64>,
    },
    /// The task says that the call is over.
    TaskEnded {
        /// The task's assignment.
        fence: u64,
        /// Why.
        ending: Ending,
    },
    /// The task is alive.
    TaskAlive {
        /// The task's assignment.
        fence: u64,
    },
    /// The task did not answer at its door.
    TaskSilent {
        /// The task's assignment.
        fence: u64,
        /// Until when its lease holds, by its own clock; `None` when it has none.
        lease: Option<u64>,
    },
    /// The task is known to have stopped.
    TaskStopped {
        /// The task's assignment.
        fence: u64,
    },
    /// The caller hung up.
    HungUp,
    /// Meta ended the call because sound did not flow.
    MediaFailed,
    /// Meta ended the call for another reason of its own, such as that it was accepted too late.
    MetaGaveUp,
}

/// Something to do for a call. Each is safe to do twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Choose a media task with a free slot.
    #[serde(rename = "find_seat")]
    AssignTask,
    /// Start another media task: there is no free slot.
    LaunchTask,
    /// Have the task at its assignment answer the offer.
    Offer(Assignment),
    /// Tell Meta our answer, so that media can connect while it rings.
    PreAccept,
    /// Tell Meta that we pick up.
    Accept,
    /// Tell Meta that we do not pick up. Only before [`Effect::PreAccept`].
    Reject,
    /// Tell Meta that the call is over.
    Terminate,
    /// Tell the task that the call is over.
    Release(Assignment),
    /// Send the caller a message: why nobody could talk.
    TellCaller(Ending),
    /// See whether the task still lives.
    CheckTask(Assignment),
}
