//! Which calls this task has, and whether there is room for more.
//!
//! | module | what it does |
//! |---|---|
//! | `held` | decides whether a call is let in |
//! | `equipment` | makes what its owner is made of |

mod admission;
mod call_factory;

use crate::lateness_meter::LatenessMeter;
use crate::offer::Unanswerable;
use crate::session::{CallSessionParts, SessionCommand, hold};
pub use admission::PastCall;
use admission::{ActiveCall, ActiveCalls, Capacity};
use audio::LoadLevel;
pub use call_factory::CallFactory;
use call_factory::PreparedCall;
use internal_api::control_api;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;
use tokio::sync::watch;

/// The calls of this task.
pub struct Calls {
    held: Mutex<ActiveCalls>,
    slots: usize,
    changed: watch::Sender<()>,
    load: Arc<LatenessMeter>,
    equipment: CallFactory,
}

/// Why the door does not take a call.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// There is no room, or this task is leaving.
    #[error("{0}")]
    NoRoom(&'static str),
    /// Nobody could answer this offer.
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
    /// The agent's file says what this task does not understand: it may be of a newer release.
    #[error("the agent file: {0}")]
    UnknownAgent(#[from] agents::AgentFileError),
    /// No socket could be had.
    #[error("no socket: {0}")]
    NoSocket(#[from] std::io::Error),
}

impl Calls {
    /// No calls, and room for so many while they are no load.
    pub fn new(slots: usize, load: LatenessMeter, equipment: CallFactory) -> Arc<Self> {
        Arc::new(Self {
            held: Mutex::default(),
            slots,
            changed: watch::Sender::default(),
            load: Arc::new(load),
            equipment,
        })
    }

    /// Takes a call. Asked twice with the same fence, it gives the same answer.
    ///
    /// # Errors
    /// Why it does not.
    pub fn take(
        self: &Arc<Self>,
        call_ref: &str,
        asked: &control_api::Offer,
    ) -> Result<String, AdmissionError> {
        let room = Capacity { slots: self.slots, strain: self.load.load_level(Instant::now()) };
        if let Some(answer) = self.lock().known_answer(call_ref, asked.fence, room)? {
            return Ok(answer);
        }
        // Nothing is locked while the offer is answered: that takes a while, and could go wrong.
        let PreparedCall { parts, answer, commands } =
            self.equipment.equip(call_ref, asked, self.load.clone())?;
        let mut held = self.lock();
        if let Some(answer) = held.known_answer(call_ref, asked.fence, room)? {
            return Ok(answer);
        }
        // A call that comes again with a newer fence was taken from us in between: its old owner sees its commands
        // end, and leaves.
        held.calls
            .insert(call_ref.to_owned(), ActiveCall { fence: asked.fence, answer: answer.clone(), commands });
        drop(held);
        self.hold(parts);
        Ok(answer)
    }

    /// Whether this task has the call.
    pub fn has(&self, call_ref: &str) -> bool {
        self.lock().calls.contains_key(call_ref)
    }

    /// Ends a call, as call-control says, in the assignment with this fence and those before it; in every assignment if it names none. Its
    /// offer may still be on the way: then it is too late.
    pub fn release(&self, call_ref: &str, fence: Option<u64>) -> PastCall {
        let commands = self.lock().release(call_ref, fence, Instant::now());
        commands.map_or(PastCall::NoCall, |commands| {
            admission::pass(call_ref, &commands, SessionCommand::Release)
        })
    }

    /// Tells a call's agent that a message it had sent has failed, if the call is in this assignment.
    pub fn tell_of_failed(&self, call_ref: &str, failed: control_api::Undelivered) -> PastCall {
        let held = self.lock();
        let call = held.calls.get(call_ref).filter(|call| call.fence == failed.fence);
        let command = SessionCommand::MessageFailed(failed.id);
        call.map_or(PastCall::NoCall, |call| admission::pass(call_ref, &call.commands, command))
    }

    /// How many calls there are.
    pub fn used(&self) -> usize {
        self.lock().calls.len()
    }

    /// How many calls there may be: no more than there are, while this task is late with those it has.
    pub fn slots(&self) -> usize {
        match self.load.load_level(Instant::now()) {
            LoadLevel::Calm | LoadLevel::Busy => self.slots,
            LoadLevel::Overloaded => self.used(),
        }
    }

    /// Takes no more calls, ever.
    pub fn drain(&self) {
        self.lock().is_leaving = true;
        self.changed.send_replace(());
    }

    /// Takes no more calls for as long as this task stands aside for newer ones. Whether that is news.
    pub fn stand_aside(&self, is_aside: bool) -> bool {
        let was_aside = std::mem::replace(&mut self.lock().is_aside, is_aside);
        if was_aside != is_aside {
            self.changed.send_replace(());
        }
        was_aside != is_aside
    }

    /// Takes no more calls for as long as ECS refuses to protect this task. Whether that is news.
    pub fn stand_unprotected(&self, is_unprotected: bool) -> bool {
        let was_unprotected = std::mem::replace(&mut self.lock().is_unprotected, is_unprotected);
        if was_unprotected != is_unprotected {
            self.changed.send_replace(());
        }
        was_unprotected != is_unprotected
    }

    /// Whether this task takes no calls since ECS refuses to protect it.
    pub fn is_unprotected(&self) -> bool {
        self.lock().is_unprotected
    }

    /// Whether this task stands aside for newer ones.
    pub fn is_aside(&self) -> bool {
        self.lock().is_aside
    }

    /// Whether calls are taken, as long as there is room.
    pub fn is_ready(&self) -> bool {
        let held = self.lock();
        !held.is_leaving && !held.is_aside && !held.is_unprotected
    }

    /// Whether this task is leaving for good.
    pub fn is_leaving(&self) -> bool {
        self.lock().is_leaving
    }

    /// Tells every caller that the call must end, and ends it. Said again, calls end without another word.
    pub fn end_all(&self) {
        for (call_ref, call) in &self.lock().calls {
            admission::pass(call_ref, &call.commands, SessionCommand::Drain);
        }
    }

    /// Changes when a call comes or goes, or when calls are taken no more, or again.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Returns once there are no calls.
    pub async fn emptied(&self) {
        let mut changes = self.changes();
        while self.used() > 0 {
            changes.changed().await.expect("the sender lives as long as self");
        }
    }

    fn hold(self: &Arc<Self>, parts: CallSessionParts) {
        self.changed.send_replace(());
        let calls = self.clone();
        let (call_ref, fence) = (parts.call_ref.clone(), parts.fence);
        tokio::spawn(async move {
            // A task of its own: should it panic, its slot is free all the same.
            if let Err(error) = tokio::spawn(hold(parts)).await {
                tracing::error!(call_ref, "The owner of a call is gone: {error}");
            }
            calls.forget(&call_ref, fence);
        });
    }

    fn forget(&self, call_ref: &str, fence: u64) {
        self.lock().forget(call_ref, fence);
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, ActiveCalls> {
        self.held.lock().expect("nothing panics while it holds this lock")
    }
}
