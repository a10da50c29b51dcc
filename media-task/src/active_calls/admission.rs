//! Decides whether a call is let in: which calls this task has, which were over before, and how much room there is.

use super::AdmissionError;
use crate::session::SessionCommand;
use audio::LoadLevel;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// So long an offer may arrive after the call it is of was over: longer than call-control waits at the door.
const REMEMBERED: Duration = Duration::from_secs(60);

/// How many commands wait for a call's owner, at most.
pub(super) const COMMANDS: usize = 16;

/// So many of them are kept for commands that end the call.
const KEPT: usize = 4;

/// What came of a command for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastCall {
    /// Its owner has it.
    Taken,
    /// There is no such call.
    NoCall,
    /// Too many commands wait for its owner already.
    Full,
}

/// Passes a command to the owner of a call, and never waits for it.
pub(super) fn pass(
    call_ref: &str,
    commands: &mpsc::Sender<SessionCommand>,
    command: SessionCommand,
) -> PastCall {
    let kept = match command {
        SessionCommand::MessageFailed(_) => KEPT,
        SessionCommand::Release | SessionCommand::Drain => 0,
    };
    let passed = match commands.try_reserve() {
        Err(TrySendError::Closed(())) => PastCall::NoCall,
        Ok(permit) if commands.capacity() >= kept => {
            permit.send(command);
            PastCall::Taken
        }
        Ok(_) | Err(TrySendError::Full(())) => PastCall::Full,
    };
    if passed == PastCall::Full {
        tracing::warn!(
            call_ref,
            "A command for a call is refused: {COMMANDS} wait for its owner already, or nearly"
        );
    }
    passed
}

/// The calls that are held, and those that are held no more.
#[derive(Default)]
pub(super) struct ActiveCalls {
    pub(super) calls: HashMap<String, ActiveCall>,
    released: HashMap<String, EarlyRelease>,
    pub(super) is_leaving: bool,
    pub(super) is_aside: bool,
    pub(super) is_unprotected: bool,
}

/// A call of which assignments were released: this one, and those before it.
#[derive(Debug, Clone, Copy)]
struct EarlyRelease {
    fence: u64,
    at: Instant,
}

/// A call that is held.
pub(super) struct ActiveCall {
    /// The fence of our assignment.
    pub(super) fence: u64,
    /// How its offer was answered.
    pub(super) answer: String,
    /// To its owner.
    pub(super) commands: mpsc::Sender<SessionCommand>,
}

/// How much room there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    pub(super) slots: usize,
    pub(super) strain: LoadLevel,
}

impl ActiveCalls {
    /// The answer that was given to this very offer before, if it was.
    ///
    /// # Errors
    /// Why the call is not let in, if it is not.
    pub(super) fn known_answer(
        &self,
        call_ref: &str,
        fence: u64,
        room: Capacity,
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
            None if self.calls.len() >= room.slots => Err(AdmissionError::NoRoom("every slot is used")),
            None => match room.strain {
                LoadLevel::Calm | LoadLevel::Busy => Ok(None),
                LoadLevel::Overloaded => {
                    Err(AdmissionError::NoRoom("this task is late with the calls it has"))
                }
            },
        }
    }

    /// A call is over for an assignment, as call-control says, or for all of them: how its owner is told, if there is one. The assignment's
    /// offer may still be on the way, and is too late then. An owner with a newer assignment goes on.
    pub(super) fn release(
        &mut self,
        call_ref: &str,
        fence: Option<u64>,
        now: Instant,
    ) -> Option<mpsc::Sender<SessionCommand>> {
        let fence = fence.unwrap_or(u64::MAX);
        self.released.retain(|_, released| now.duration_since(released.at) < REMEMBERED);
        let released = self.released.entry(call_ref.to_owned()).or_insert(EarlyRelease { fence, at: now });
        *released = EarlyRelease { fence: released.fence.max(fence), at: now };
        self.calls.get(call_ref).filter(|call| call.fence <= fence).map(|call| call.commands.clone())
    }

    fn is_released(&self, call_ref: &str, fence: u64) -> bool {
        self.released.get(call_ref).is_some_and(|released| fence <= released.fence)
    }

    /// The owner of a call is done with it. Another one may hold it by now, under a newer fence.
    pub(super) fn forget(&mut self, call_ref: &str, fence: u64) {
        if self.calls.get(call_ref).is_some_and(|call| call.fence == fence) {
            self.calls.remove(call_ref);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overloaded_task_takes_no_new_call_though_slots_are_free() {
        let held = ActiveCalls::default();

        assert!(matches!(held.known_answer("new", 1, room(LoadLevel::Busy)), Ok(None)));
        assert!(matches!(
            held.known_answer("new", 1, room(LoadLevel::Overloaded)),
            Err(AdmissionError::NoRoom(_))
        ));
    }

    #[test]
    fn commands_that_end_a_call_have_room_when_news_of_messages_has_none() {
        let (commands, mut owner) = mpsc::channel(COMMANDS);
        let news = || pass("call", &commands, SessionCommand::MessageFailed("1".to_owned()));

        let taken = (0..100).take_while(|_| news() == PastCall::Taken).count();

        assert_eq!((taken, news()), (COMMANDS - KEPT, PastCall::Full));
        for _ in 0..KEPT {
            assert_eq!(pass("call", &commands, SessionCommand::Release), PastCall::Taken);
        }
        assert_eq!(pass("call", &commands, SessionCommand::Release), PastCall::Full);
        owner.close();
        assert_eq!(
            (news(), pass("call", &commands, SessionCommand::Drain)),
            (PastCall::NoCall, PastCall::NoCall)
        );
    }

    #[test]
    fn a_task_that_takes_no_new_call_keeps_those_it_has() {
        for (is_leaving, is_aside, is_unprotected) in
            [(true, false, false), (false, true, false), (false, false, true)]
        {
            let held = ActiveCalls { is_leaving, is_aside, is_unprotected, ..with_a_known_call() };

            assert!(matches!(
                held.known_answer("new", 1, room(LoadLevel::Calm)),
                Err(AdmissionError::NoRoom(_))
            ));
            assert_eq!(held.known_answer("known", 1, room(LoadLevel::Calm)).unwrap(), Some("v=0".into()));
        }
    }

    #[test]
    fn an_overloaded_task_repeats_the_answer_it_gave_before() {
        let held = with_a_known_call();

        let answer = held.known_answer("known", 1, room(LoadLevel::Overloaded));

        assert_eq!(answer.unwrap(), Some("v=0".into()));
    }

    #[test]
    fn an_offer_that_comes_after_its_call_was_over_is_refused() {
        let (mut held, start) = (ActiveCalls::default(), Instant::now());
        assert!(held.release("late", None, start).is_none());

        assert!(matches!(
            held.known_answer("late", 1, room(LoadLevel::Calm)),
            Err(AdmissionError::NoRoom(_))
        ));
        held.release("another", None, start + REMEMBERED);
        assert!(matches!(held.known_answer("late", 1, room(LoadLevel::Calm)), Ok(None)));
    }

    #[test]
    fn the_release_of_an_older_assignment_leaves_a_newer_one_alone() {
        let (mut held, now) = (with_a_known_call(), Instant::now());
        held.calls.get_mut("known").unwrap().fence = 2;

        assert!(held.release("known", Some(1), now).is_none());
        assert!(held.release("new", Some(1), now).is_none());
        let offer =
            |held: &ActiveCalls, fence| held.known_answer("new", fence, room(LoadLevel::Calm)).is_ok();
        assert_eq!((offer(&held, 1), offer(&held, 2)), (false, true));

        assert!(held.release("known", Some(2), now).is_some());
        assert!(held.release("known", None, now).is_some());
    }

    #[test]
    fn a_call_that_came_again_outlives_its_old_owner() {
        let mut held = with_a_known_call();
        held.calls.get_mut("known").unwrap().fence = 2;

        held.forget("known", 1);
        assert!(held.calls.contains_key("known"));

        held.forget("known", 2);
        assert!(!held.calls.contains_key("known"));
    }

    fn with_a_known_call() -> ActiveCalls {
        let (commands, _orders) = mpsc::channel(1);
        let call = ActiveCall { fence: 1, answer: "v=0".into(), commands };
        ActiveCalls { calls: HashMap::from([("known".to_owned(), call)]), ..ActiveCalls::default() }
    }

    fn room(strain: LoadLevel) -> Capacity {
        Capacity { slots: 4, strain }
    }
}
