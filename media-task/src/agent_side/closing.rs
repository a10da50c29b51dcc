//! Keeps how far a call is on its way to its end: the goodbye, and the ending.

mod farewell;

use call::Ending;
use farewell::Farewell;
use realtime::{Purpose, ResponseId};

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// Call-control already knows that the call is over.
    Reported,
    /// This ending is still to be reported to call-control.
    Unreported(Ending),
}

/// How far the call is on its way to its end.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// The end, once it is decided.
    pub(crate) end: Option<SessionEnd>,
    farewell: Option<Farewell>,
    is_draining: bool,
    /// Whether the agent has spoken since the caller last spoke.
    has_agent_spoken: bool,
}

impl Closing {
    /// Ends the call, unless it has an end already; call-control receives the ending.
    pub(crate) fn end(&mut self, ending: Ending) {
        self.end.get_or_insert(SessionEnd::Unreported(ending));
    }

    /// Notes that the call is over, as call-control says.
    pub(crate) fn note_reported(&mut self) {
        self.end = Some(SessionEnd::Reported);
    }

    /// Notes that the task is draining, and returns whether it was before.
    pub(crate) fn note_draining(&mut self) -> bool {
        std::mem::replace(&mut self.is_draining, true)
    }

    /// Notes that the model was asked for a goodbye, after which the call ends.
    pub(crate) fn note_goodbye_asked(&mut self, ending: Ending) {
        self.farewell = Some(Farewell::asked(ending));
    }

    /// Notes that the last words are in the playout queue, after which the call ends.
    pub(crate) fn note_goodbye_queued(&mut self, ending: Ending) {
        self.farewell = Some(Farewell::queued(ending));
    }

    /// Gives the goodbye up: the call goes on.
    pub(crate) fn withdraw(&mut self) {
        self.farewell = None;
    }

    /// Whether a goodbye is under way.
    pub(crate) fn is_leaving(&self) -> bool {
        self.farewell.is_some()
    }

    /// Whether all of the goodbye is in the playout queue.
    pub(crate) fn has_said_goodbye(&self) -> bool {
        self.farewell.as_ref().is_some_and(Farewell::is_queued)
    }

    /// Whether the agent has spoken since the caller last spoke.
    pub(crate) fn has_agent_spoken(&self) -> bool {
        self.has_agent_spoken
    }

    /// Notes that the caller speaks.
    pub(crate) fn note_caller_speaks(&mut self) {
        self.has_agent_spoken = false;
    }

    /// Notes that a response has audio.
    pub(crate) fn note_audio(&mut self, response: &ResponseId) {
        self.has_agent_spoken = true;
        self.farewell.iter_mut().for_each(|farewell| farewell.note_audio(response));
    }

    /// Notes that a requested response begins: the goodbye, if one is due.
    pub(crate) fn note_requested_response(&mut self, response: &ResponseId) {
        self.farewell.iter_mut().for_each(|farewell| farewell.note_response_began(response));
    }

    /// Notes that a response is complete, and returns whether it was the goodbye.
    pub(crate) fn note_response_done(&mut self, response: &ResponseId) -> bool {
        self.farewell.as_mut().is_some_and(|farewell| farewell.note_ended(response))
    }

    /// Notes that a response came without audio twice, and returns whether it was the goodbye.
    pub(crate) fn note_silent_response(&mut self, purpose: Purpose) -> bool {
        self.farewell.as_mut().is_some_and(|farewell| farewell.note_silent(purpose))
    }

    /// Hangs up: the goodbye has been played.
    pub(crate) fn hang_up(&mut self) {
        let ending = self.farewell.take().map_or(Ending::AgentSaidGoodbye, |farewell| farewell.ending());
        self.end(ending);
    }
}
