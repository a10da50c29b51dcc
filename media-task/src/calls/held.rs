//! Decides whether a call is let in: which calls this task has, which were over before, and how much room there is.

use super::Refused;
use crate::call::Command;
use bridge::Strain;
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
pub enum Passed {
    /// Its owner has it.
    Taken,
    /// There is no such call.
    NoCall,
    /// Too many commands wait for its owner already.
    Full,
}

/// Passes a command to the owner of a call, and never waits for it.
pub(super) fn pass(call_ref: &str, commands: &mpsc::Sender<Command>, command: Command) -> Passed {
    let kept = match command {
        Command::MessageFailed(_) => KEPT,
        Command::Release | Command::Drain => 0,
    };
    let passed = match commands.try_reserve() {
        Err(TrySendError::Closed(())) => Passed::NoCall,
        Ok(permit) if commands.capacity() >= kept => {
            permit.send(command);
            Passed::Taken
        }
        Ok(_) | Err(TrySendError::Full(())) => Passed::Full,
    };
    if passed == Passed::Full {
        tracing::warn!(
            call_ref,
            "A command for a call is refused: {COMMANDS} wait for its owner already, or nearly"
        );
    }
    passed
}

/// The calls that are held, and those that are held no more.
#[derive(Default)]
pub(super) struct Held {
    pub(super) calls: HashMap<String, Call>,
    released: HashMap<String, Released>,
    pub(super) is_leaving: bool,
    pub(super) is_aside: bool,
    pub(super) is_unprotected: bool,
}

/// A call of which seats were released: this one, and those before it.
#[derive(Debug, Clone, Copy)]
struct Released {
    fence: u64,
    at: Instant,
}

/// A call that is held.
pub(super) struct Call {
    /// The fence of our seat.
    pub(super) fence: u64,
    /// How its offer was answered.
    pub(super) answer: String,
    /// To its owner.
    pub(super) commands: mpsc::Sender<Command>,
}

/// How much room there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) slots: usize,
    pub(super) strain: Strain,
}

impl Held {
    /// The answer that was given to this very offer before, if it was.
    ///
    /// # Errors
    /// Why the call is not let in, if it is not.
    pub(super) fn known_answer(
        &self,
        call_ref: &str,
        fence: u64,
        room: Room,
    ) -> Result<Option<String>, Refused> {
        match self.calls.get(call_ref) {
            Some(call) if call.fence == fence => Ok(Some(call.answer.clone())),
            Some(call) if call.fence > fence => Err(Refused::NoRoom("the call was offered again since")),
            Some(_) => Ok(None),
            None if self.is_released(call_ref, fence) => Err(Refused::NoRoom("the call was over before")),
            None if self.is_leaving => Err(Refused::NoRoom("this task is leaving")),
            None if self.is_aside => Err(Refused::NoRoom("newer tasks take the calls")),
            None if self.is_unprotected => Err(Refused::NoRoom("ECS refuses to protect this task")),
            None if self.calls.len() >= room.slots => Err(Refused::NoRoom("every slot is used")),
            None => match room.strain {
                Strain::Calm | Strain::Busy => Ok(None),
                Strain::Overloaded => Err(Refused::NoRoom("this task is late with the calls it has")),
            },
        }
    }

    /// A call is over for a seat, as call-control says, or for all of them: how its owner is told, if there is one. The seat's
    /// offer may still be on the way, and is too late then. An owner with a newer seat goes on.
    pub(super) fn release(
        &mut self,
        call_ref: &str,
        fence: Option<u64>,
        now: Instant,
    ) -> Option<mpsc::Sender<Command>> {
        let fence = fence.unwrap_or(u64::MAX);
        self.released.retain(|_, released| now.duration_since(released.at) < REMEMBERED);
        let released = self.released.entry(call_ref.to_owned()).or_insert(Released { fence, at: now });
        *released = Released { fence: released.fence.max(fence), at: now };
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
        let held = Held::default();

        assert!(matches!(held.known_answer("new", 1, room(Strain::Busy)), Ok(None)));
        assert!(matches!(held.known_answer("new", 1, room(Strain::Overloaded)), Err(Refused::NoRoom(_))));
    }

    #[test]
    fn commands_that_end_a_call_have_room_when_news_of_messages_has_none() {
        let (commands, mut owner) = mpsc::channel(COMMANDS);
        let news = || pass("call", &commands, Command::MessageFailed("1".to_owned()));

        let taken = (0..100).take_while(|_| news() == Passed::Taken).count();

        assert_eq!((taken, news()), (COMMANDS - KEPT, Passed::Full));
        for _ in 0..KEPT {
            assert_eq!(pass("call", &commands, Command::Release), Passed::Taken);
        }
        assert_eq!(pass("call", &commands, Command::Release), Passed::Full);
        owner.close();
        assert_eq!((news(), pass("call", &commands, Command::Drain)), (Passed::NoCall, Passed::NoCall));
    }

    #[test]
    fn a_task_that_takes_no_new_call_keeps_those_it_has() {
        for (is_leaving, is_aside, is_unprotected) in
            [(true, false, false), (false, true, false), (false, false, true)]
        {
            let held = Held { is_leaving, is_aside, is_unprotected, ..with_a_known_call() };

            assert!(matches!(held.known_answer("new", 1, room(Strain::Calm)), Err(Refused::NoRoom(_))));
            assert_eq!(held.known_answer("known", 1, room(Strain::Calm)).unwrap(), Some("v=0".into()));
        }
    }

    #[test]
    fn an_overloaded_task_repeats_the_answer_it_gave_before() {
        let held = with_a_known_call();

        let answer = held.known_answer("known", 1, room(Strain::Overloaded));

        assert_eq!(answer.unwrap(), Some("v=0".into()));
    }

    #[test]
    fn an_offer_that_comes_after_its_call_was_over_is_refused() {
        let (mut held, start) = (Held::default(), Instant::now());
        assert!(held.release("late", None, start).is_none());

        assert!(matches!(held.known_answer("late", 1, room(Strain::Calm)), Err(Refused::NoRoom(_))));
        held.release("another", None, start + REMEMBERED);
        assert!(matches!(held.known_answer("late", 1, room(Strain::Calm)), Ok(None)));
    }

    #[test]
    fn the_release_of_an_older_seat_leaves_a_newer_one_alone() {
        let (mut held, now) = (with_a_known_call(), Instant::now());
        held.calls.get_mut("known").unwrap().fence = 2;

        assert!(held.release("known", Some(1), now).is_none());
        assert!(held.release("new", Some(1), now).is_none());
        let offer = |held: &Held, fence| held.known_answer("new", fence, room(Strain::Calm)).is_ok();
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

    fn with_a_known_call() -> Held {
        let (commands, _orders) = mpsc::channel(1);
        let call = Call { fence: 1, answer: "v=0".into(), commands };
        Held { calls: HashMap::from([("known".to_owned(), call)]), ..Held::default() }
    }

    fn room(strain: Strain) -> Room {
        Room { slots: 4, strain }
    }
}
