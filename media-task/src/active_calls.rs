//! The calls of this task: admits offers, passes commands to running calls, and drains.
//!
//! | module | what it does |
//! |---|---|
//! | `admission` | decides whether a call is admitted, and queues commands for its session |
//! | `call_factory` | answers the offer, connects the model, and builds the session |

mod admission;
mod call_factory;

use crate::lateness_meter::LatenessMeter;
use crate::session_command::SessionCommand;
use admission::{ActiveCall, ActiveCalls, Capacity};
pub(crate) use admission::{AdmissionError, CommandOutcome, Slots};
use audio::LoadLevel;
use call::{CallRef, Fence, Line};
pub(crate) use call_factory::CallFactory;
use call_factory::{PreparedCall, SessionParts};
use internal_api::control_api;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;
use tokio::sync::watch;

/// The calls of this task, and whether it takes more.
pub(crate) struct Calls {
    active: Mutex<ActiveCalls>,
    slots: Slots,
    changed: watch::Sender<()>,
    lateness: Arc<LatenessMeter>,
    factory: CallFactory,
}

impl Calls {
    /// Returns a set of no calls, with these slots.
    pub(crate) fn new(slots: Slots, lateness: LatenessMeter, factory: CallFactory) -> Arc<Self> {
        Arc::new(Self {
            active: Mutex::default(),
            slots,
            changed: watch::Sender::default(),
            lateness: Arc::new(lateness),
            factory,
        })
    }

    /// Admits a call and returns its SDP answer. Idempotent: the same fencing token gets the same answer.
    ///
    /// # Errors
    /// [`AdmissionError`] when there is no room, the offer or the agent file cannot be used, or no socket can be opened.
    pub(crate) fn take(
        self: &Arc<Self>,
        call_ref: &CallRef,
        request: &control_api::Offer,
    ) -> Result<String, AdmissionError> {
        let load = self.lateness.load_level(Instant::now());
        let capacity = Capacity { line: request.line, slots: self.slots.on(request.line), load };
        if let Some(answer) = self.lock().known_answer(call_ref, request.fence, capacity)? {
            return Ok(answer);
        }
        // Without the lock: answering the offer takes milliseconds, and a panic would poison it.
        let PreparedCall { parts, answer, commands } =
            self.factory.prepare(call_ref, request, self.lateness.clone())?;
        let mut active = self.lock();
        if let Some(answer) = active.known_answer(call_ref, request.fence, capacity)? {
            return Ok(answer);
        }
        // An offer with a newer fencing token means that the call was reassigned in between: the old session sees its command channel
        // close, and ends.
        let (fence, line) = (request.fence, request.line);
        active.calls.insert(call_ref.clone(), ActiveCall { fence, line, answer: answer.clone(), commands });
        drop(active);
        self.start(call_ref.clone(), fence, parts);
        Ok(answer)
    }

    /// Whether this task has the call.
    pub(crate) fn has(&self, call_ref: &CallRef) -> bool {
        self.lock().calls.contains_key(call_ref)
    }

    /// Ends a call on call-control's request, for the assignment with this fencing token and those before it, or for all of them
    /// without one. An offer of such an assignment that arrives later is refused.
    pub(crate) fn release(&self, call_ref: &CallRef, fence: Option<Fence>) -> CommandOutcome {
        let commands = self.lock().release(call_ref, fence, Instant::now());
        commands.map_or(CommandOutcome::NoCall, |commands| {
            admission::send(call_ref, &commands, SessionCommand::Release)
        })
    }

    /// Tells a call's agent that a WhatsApp message it sent has failed, if the call is here in this assignment.
    pub(crate) fn message_failed(
        &self,
        call_ref: &CallRef,
        failed: control_api::Undelivered,
    ) -> CommandOutcome {
        let active = self.lock();
        let call = active.calls.get(call_ref).filter(|call| call.fence == failed.fence);
        let command = SessionCommand::MessageFailed(failed.id);
        call.map_or(CommandOutcome::NoCall, |call| admission::send(call_ref, &call.commands, command))
    }

    /// Returns how many calls there are.
    pub(crate) fn used(&self) -> usize {
        self.lock().calls.len()
    }

    /// Returns how many calls there are whose sound is ours.
    pub(crate) fn used_slots(&self) -> usize {
        self.lock().on(Line::WhatsApp)
    }

    /// Returns how many calls there may be whose sound is ours: while the task is overloaded, no more than it has.
    pub(crate) fn slots(&self) -> usize {
        match self.lateness.load_level(Instant::now()) {
            LoadLevel::Calm | LoadLevel::Busy => self.slots.on(Line::WhatsApp),
            LoadLevel::Overloaded => self.used_slots(),
        }
    }

    /// Returns the lines besides WhatsApp whose calls the task takes.
    pub(crate) fn lines(&self) -> Vec<Line> {
        [Line::Sip].into_iter().filter(|line| self.slots.on(*line) > 0).collect()
    }

    /// Starts to drain: the task admits no further calls, ever.
    pub(crate) fn drain(&self) {
        self.lock().is_leaving = true;
        self.changed.send_replace(());
    }

    /// Sets whether this task stands aside for newer ones, and admits no calls meanwhile. Returns whether that changed.
    pub(crate) fn stand_aside(&self, is_aside: bool) -> bool {
        let was_aside = std::mem::replace(&mut self.lock().is_aside, is_aside);
        if was_aside != is_aside {
            self.changed.send_replace(());
        }
        was_aside != is_aside
    }

    /// Sets whether ECS refuses task protection; no calls are admitted meanwhile. Returns whether that changed.
    pub(crate) fn stand_unprotected(&self, is_unprotected: bool) -> bool {
        let was_unprotected = std::mem::replace(&mut self.lock().is_unprotected, is_unprotected);
        if was_unprotected != is_unprotected {
            self.changed.send_replace(());
        }
        was_unprotected != is_unprotected
    }

    /// Whether this task admits no calls because ECS refuses task protection.
    pub(crate) fn is_unprotected(&self) -> bool {
        self.lock().is_unprotected
    }

    /// Whether this task stands aside for newer ones.
    pub(crate) fn is_aside(&self) -> bool {
        self.lock().is_aside
    }

    /// Whether calls are admitted while there is a free slot.
    pub(crate) fn is_ready(&self) -> bool {
        let active = self.lock();
        !active.is_leaving && !active.is_aside && !active.is_unprotected
    }

    /// Whether this task is draining.
    pub(crate) fn is_leaving(&self) -> bool {
        self.lock().is_leaving
    }

    /// Ends every call with a goodbye; the second time at once.
    pub(crate) fn end_all(&self) {
        for (call_ref, call) in &self.lock().calls {
            admission::send(call_ref, &call.commands, SessionCommand::Drain);
        }
    }

    /// Returns a receiver that changes when a call starts or ends, and when admission stops or resumes.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Returns once there are no calls.
    pub(crate) async fn emptied(&self) {
        let mut changes = self.changes();
        while self.used() > 0 {
            changes.changed().await.expect("the sender lives as long as self");
        }
    }

    fn start(self: &Arc<Self>, call_ref: CallRef, fence: Fence, parts: SessionParts) {
        self.changed.send_replace(());
        let calls = self.clone();
        tokio::spawn(async move {
            // A task of its own, so that a panic frees the slot as well.
            if let Err(error) = tokio::spawn(parts.run()).await {
                tracing::error!(%call_ref, "call session ended by a panic: {error}");
            }
            calls.forget(&call_ref, fence);
        });
    }

    fn forget(&self, call_ref: &CallRef, fence: Fence) {
        self.lock().forget(call_ref, fence);
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, ActiveCalls> {
        self.active.lock().expect("nothing panics while it holds this lock")
    }
}
