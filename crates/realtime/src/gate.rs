//! The response gate: only one response at a time writes to the conversation, so the next waits for the end of the last.

use serde_json::Value;

/// Lets one `response.create` through at a time.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    ongoing: Option<String>,
    asked: Option<Asked>,
    owed: Option<Asked>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub event_id: String,
    pub response: Value,
}

impl Gate {
    /// Wants a response. What may be sent now; otherwise it is owed, and a later wish takes its place.
    pub(crate) fn ask(&mut self, wish: Asked) -> Option<Asked> {
        self.owed = Some(wish);
        self.let_through()
    }

    /// A response began.
    pub(crate) fn began(&mut self, id: &str) {
        self.asked = None;
        self.ongoing = Some(id.to_owned());
    }

    /// A response is over. What may be sent now.
    pub(crate) fn ended(&mut self, id: &str) -> Option<Asked> {
        if self.ongoing.as_deref() == Some(id) {
            self.ongoing = None;
        }
        self.let_through()
    }

    /// What was asked for was refused, since another response is active: it is owed again.
    pub(crate) fn crossed(&mut self) {
        self.owed = self.owed.take().or(self.asked.take());
    }

    /// The caller speaks: whatever is owed belonged to the turn before.
    pub(crate) fn forget_owed(&mut self) {
        self.owed = None;
    }

    fn let_through(&mut self) -> Option<Asked> {
        if self.ongoing.is_some() || self.asked.is_some() {
            return None;
        }
        self.asked = self.owed.take();
        self.asked.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_wish_waits_for_the_end_of_the_first_response() {
        let mut gate = Gate::default();
        assert_eq!(gate.ask(wish("a")), Some(wish("a")));
        assert_eq!(gate.ask(wish("b")), None);
        gate.began("r1");

        assert_eq!(gate.ended("r1"), Some(wish("b")));
    }

    #[test]
    fn a_wish_that_crossed_with_the_callers_turn_is_asked_again() {
        let mut gate = Gate::default();
        gate.ask(wish("a"));
        gate.crossed();
        gate.began("of the caller's turn");

        assert_eq!(gate.ended("of the caller's turn"), Some(wish("a")));
    }

    #[test]
    fn what_is_owed_to_an_old_turn_is_forgotten_when_the_caller_speaks() {
        let mut gate = Gate::default();
        gate.began("r1");
        gate.ask(wish("a"));

        gate.forget_owed();

        assert_eq!(gate.ended("r1"), None);
    }

    fn wish(event_id: &str) -> Asked {
        Asked { event_id: event_id.into(), response: Value::Null }
    }
}
