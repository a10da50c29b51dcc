//! Decides whether a call is admitted, by assignment, recent releases, free slots and load; and queues commands for sessions.

use crate::session_command::SessionCommand;
use crate::webrtc::offer::Unanswerable;
use audio::LoadLevel;
use call::{CallRef, Fence, Line};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// How long a release is remembered, to refuse an offer that arrives after it: longer than call-control waits for the control API.
const RELEASE_KEPT: Duration = Duration::from_secs(60);

/// How many commands may wait for a session.
pub(super) const COMMAND_QUEUE: usize = 16;

/// How many of these places are reserved for commands that end the call.
const RESERVED: usize = 4;

/// Why a call is not admitted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdmissionError {
    /// There is no free slot, or the task is draining, stands aside or is overloaded.
    #[error("{0}")]
    NoRoom(&'static str),
    /// The offer cannot be answered by any task.
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
    /// The agent file cannot be parsed: it may be of a newer release.
    #[error("the agent file: {0}")]
    UnknownAgent(#[from] agents::AgentFileError),
    /// No UDP socket could be opened.
    #[error("no socket: {0}")]
    NoSocket(#[from] std::io::Error),
}

/// The outcome of a command for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandOutcome {
    /// It is queued for the call's session.
    Queued,
    /// This task does not have the call.
    NoCall,
    /// The session's queue is full.
    Full,
}

/// Queues a command for a call's session without waiting.
pub(super) fn send(
    call_ref: &CallRef,
    commands: &mpsc::Sender<SessionCommand>,
    command: SessionCommand,
) -> CommandOutcome {
    let reserved = match command {
        SessionCommand::MessageFailed(_) => RESERVED,
        SessionCommand::Release | SessionCommand::Drain => 0,
    };
    let outcome = match commands.try_reserve() {
        Err(TrySendError::Closed(())) => CommandOutcome::NoCall,
        Ok(permit) if commands.capacity() >= reserved => {
            permit.send(command);
            CommandOutcome::Queued
        }
        Ok(_) | Err(TrySendError::Full(())) => CommandOutcome::Full,
    };
    if outcome == CommandOutcome::Full {
        tracing::warn!(
            %call_ref,
            "command refused: the session's queue of {COMMAND_QUEUE} is full but for its reserve"
        );
    }
    outcome
}

/// The active calls, and the recently released ones.
#[derive(Default)]
pub(super) struct ActiveCalls {
    pub(super) calls: HashMap<CallRef, ActiveCall>,
    released: HashMap<CallRef, EarlyRelease>,
    pub(super) is_leaving: bool,
    pub(super) is_aside: bool,
    pub(super) is_unprotected: bool,
}

/// A release of a call, for the assignment with this fencing token and those before it.
#[derive(Debug, Clone, Copy)]
struct EarlyRelease {
    fence: Fence,
    at: Instant,
}

/// An active call.
pub(super) struct ActiveCall {
    /// The fencing token of our assignment.
    pub(super) fence: Fence,
    /// The line that it came in on.
    pub(super) line: Line,
    /// The SDP answer to its offer.
    pub(super) answer: String,
    /// The command queue of its session.
    pub(super) commands: mpsc::Sender<SessionCommand>,
}

/// How many calls the task takes at once, by line: a call whose sound is elsewhere costs next to nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slots {
    pub(crate) whatsapp: usize,
    /// Zero if the task takes no SIP calls.
    pub(crate) sip: usize,
}

impl Slots {
    pub(super) fn on(self, line: Line) -> usize {
        match line {
            Line::WhatsApp => self.whatsapp,
            Line::Sip => self.sip,
        }
    }
}

/// The task's slots on the line of a call, and its load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    pub(super) line: Line,
    pub(super) slots: usize,
    pub(super) load: LoadLevel,
}

impl ActiveCalls {
    /// Returns the answer to an earlier offer of the same assignment, or `None` for a call that may be admitted.
    ///
    /// # Errors
    /// [`AdmissionError::NoRoom`] when the assignment is superseded or released, or the task takes no further call.
    pub(super) fn known_answer(
        &self,
        call_ref: &CallRef,
        fence: Fence,
        capacity: Capacity,
    ) -> Result<Option<String>, AdmissionError> {
        match self.calls.get(call_ref) {
            Some(call) if call.fence == fence => Ok(Some(call.answer.clone())),
            Some(call) if call.fence > fence => {
                Err(AdmissionError::NoRoom("the call was offered again since"))
            }
            Some(_) => Ok(None),
            None if self.is_released(call_ref, fence) => {
                Err(AdmissionError::NoRoom("the call was over before"))
            }
            None if self.is_leaving => Err(AdmissionError::NoRoom("this task is leaving")),
            None if self.is_aside => Err(AdmissionError::NoRoom("newer tasks take the calls")),
            None if self.is_unprotected => Err(AdmissionError::NoRoom("ECS refuses to protect this task")),
            None if self.on(capacity.line) >= capacity.slots => {
                Err(AdmissionError::NoRoom("every slot is used"))
            }
            // A call whose sound is elsewhere sends no frame that could be late.
            None if capacity.line == Line::Sip => Ok(None),
            None => match capacity.load {
                LoadLevel::Calm | LoadLevel::Busy => Ok(None),
                LoadLevel::Overloaded => {
                    Err(AdmissionError::NoRoom("this task is late with the calls it has"))
                }
            },
        }
    }

    /// Returns how many calls of a line there are.
    pub(super) fn on(&self, line: Line) -> usize {
        self.calls.values().filter(|call| call.line == line).count()
    }

    /// Releases a call for an assignment and those before it, or for all of them, and returns its session's command queue if the
    /// session is among them. A session of a newer assignment continues. A released assignment's offer that arrives later is refused.
    pub(super) fn release(
        &mut self,
        call_ref: &CallRef,
        fence: Option<Fence>,
        now: Instant,
    ) -> Option<mpsc::Sender<SessionCommand>> {
        let fence = fence.unwrap_or(Fence(u64::MAX));
        self.released.retain(|_, released| now.duration_since(released.at) < RELEASE_KEPT);
        let released = self.released.entry(call_ref.clone()).or_insert(EarlyRelease { fence, at: now });
        *released = EarlyRelease { fence: released.fence.max(fence), at: now };
        self.calls.get(call_ref).filter(|call| call.fence <= fence).map(|call| call.commands.clone())
    }

    fn is_released(&self, call_ref: &CallRef, fence: Fence) -> bool {
        self.released.get(call_ref).is_some_and(|released| fence <= released.fence)
    }

    /// Removes a finished call, unless a session with a newer fencing token has replaced it.
    pub(super) fn forget(&mut self, call_ref: &CallRef, fence: Fence) {
        if self.calls.get(call_ref).is_some_and(|call| call.fence == fence) {
            self.calls.remove(call_ref);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overloaded_task_admits_no_call_despite_free_slots() {
        let active = ActiveCalls::default();

        assert!(matches!(active.known_answer(&"new".into(), Fence(1), capacity(LoadLevel::Busy)), Ok(None)));
        assert!(matches!(
            active.known_answer(&"new".into(), Fence(1), capacity(LoadLevel::Overloaded)),
            Err(AdmissionError::NoRoom(_))
        ));
    }

    #[test]
    fn a_full_queue_still_takes_commands_that_end_the_call() {
        let (commands, mut session) = mpsc::channel(COMMAND_QUEUE);
        let message_failed =
            || send(&"call".into(), &commands, SessionCommand::MessageFailed("1".to_owned()));

        let taken = (0..100).take_while(|_| message_failed() == CommandOutcome::Queued).count();

        assert_eq!((taken, message_failed()), (COMMAND_QUEUE - RESERVED, CommandOutcome::Full));
        for _ in 0..RESERVED {
            assert_eq!(send(&"call".into(), &commands, SessionCommand::Release), CommandOutcome::Queued);
        }
        assert_eq!(send(&"call".into(), &commands, SessionCommand::Release), CommandOutcome::Full);
        session.close();
        assert_eq!(
            (message_failed(), send(&"call".into(), &commands, SessionCommand::Drain)),
            (CommandOutcome::NoCall, CommandOutcome::NoCall)
        );
    }

    #[test]
    fn a_task_that_admits_no_call_keeps_those_it_has() {
        for (is_leaving, is_aside, is_unprotected) in
            [(true, false, false), (false, true, false), (false, false, true)]
        {
            let active = ActiveCalls { is_leaving, is_aside, is_unprotected, ..with_a_known_call() };

            assert!(matches!(
                active.known_answer(&"new".into(), Fence(1), capacity(LoadLevel::Calm)),
                Err(AdmissionError::NoRoom(_))
            ));
            assert_eq!(
                active.known_answer(&"known".into(), Fence(1), capacity(LoadLevel::Calm)).unwrap(),
                Some("v=0".into())
            );
        }
    }

    #[test]
    fn calls_of_each_line_have_slots_of_their_own() {
        let active = with_a_known_call();
        let admits = |line, slots, load| {
            active.known_answer(&"new".into(), Fence(1), Capacity { line, slots, load }).is_ok()
        };

        assert!(!admits(Line::WhatsApp, 1, LoadLevel::Calm));
        assert!(admits(Line::Sip, 1, LoadLevel::Overloaded), "it has no frames that could be late");
        assert!(!admits(Line::Sip, 0, LoadLevel::Calm), "the line is off");
    }

    #[test]
    fn an_overloaded_task_repeats_an_earlier_answer() {
        let active = with_a_known_call();

        let answer = active.known_answer(&"known".into(), Fence(1), capacity(LoadLevel::Overloaded));

        assert_eq!(answer.unwrap(), Some("v=0".into()));
    }

    #[test]
    fn an_offer_after_its_release_is_refused() {
        let (mut active, start) = (ActiveCalls::default(), Instant::now());
        assert!(active.release(&"late".into(), None, start).is_none());

        assert!(matches!(
            active.known_answer(&"late".into(), Fence(1), capacity(LoadLevel::Calm)),
            Err(AdmissionError::NoRoom(_))
        ));
        active.release(&"another".into(), None, start + RELEASE_KEPT);
        assert!(matches!(active.known_answer(&"late".into(), Fence(1), capacity(LoadLevel::Calm)), Ok(None)));
    }

    #[test]
    fn releasing_an_older_assignment_keeps_a_newer_one() {
        let (mut active, now) = (with_a_known_call(), Instant::now());
        active.calls.get_mut(&"known".into()).unwrap().fence = Fence(2);

        assert!(active.release(&"known".into(), Some(Fence(1)), now).is_none());
        assert!(active.release(&"new".into(), Some(Fence(1)), now).is_none());
        let offer = |active: &ActiveCalls, fence| {
            active.known_answer(&"new".into(), Fence(fence), capacity(LoadLevel::Calm)).is_ok()
        };
        assert_eq!((offer(&active, 1), offer(&active, 2)), (false, true));

        assert!(active.release(&"known".into(), Some(Fence(2)), now).is_some());
        assert!(active.release(&"known".into(), None, now).is_some());
    }

    #[test]
    fn a_reassigned_call_outlives_its_old_session() {
        let mut active = with_a_known_call();
        active.calls.get_mut(&"known".into()).unwrap().fence = Fence(2);

        active.forget(&"known".into(), Fence(1));
        assert!(active.calls.contains_key(&"known".into()));

        active.forget(&"known".into(), Fence(2));
        assert!(!active.calls.contains_key(&"known".into()));
    }

    fn with_a_known_call() -> ActiveCalls {
        let (commands, _orders) = mpsc::channel(1);
        let call = ActiveCall { fence: Fence(1), line: Line::WhatsApp, answer: "v=0".into(), commands };
        ActiveCalls { calls: HashMap::from([("known".into(), call)]), ..ActiveCalls::default() }
    }

    fn capacity(load: LoadLevel) -> Capacity {
        Capacity { line: Line::WhatsApp, slots: 4, load }
    }
}
