//! Meta's record of a call, for audits of many.

use crate::{ActionName, Ending, InjectedFault};
use std::time::Instant;

/// One call, as Meta has it on file.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// `wacid.` and base64. It holds phone numbers.
    pub id: String,
    /// The caller's number, even where a fault hides it from the business.
    pub number: Option<String>,
    /// The caller's business-scoped user id.
    pub user_id: String,
    /// What went wrong on purpose.
    pub faults: Vec<InjectedFault>,
    /// When it began to ring.
    pub rang: Instant,
    /// When `connect` was first answered with 200.
    pub connect_answered: Option<Instant>,
    /// All that the business tried, in order.
    pub actions: Vec<TriedAction>,
    /// When it ended; until then it is open.
    pub ended: Option<Instant>,
    /// Who or what ended it.
    pub ending: Option<Ending>,
    /// Whether the `terminate` webhook was sent.
    pub terminate_sent: bool,
    /// How many WhatsApp messages the business sent because of it: to its caller, before their next call.
    pub messages: usize,
}

/// One call action of the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriedAction {
    /// Which one.
    pub name: ActionName,
    /// When it was decided; its reply leaves later, or never where a fault cuts it.
    pub at: Instant,
    /// The HTTP status of the reply: 200 where it took effect, and where it says `success: false`.
    pub status: u16,
    /// Graph's error code, where it was refused; 0 where it says no more than `success: false`.
    pub code: Option<u32>,
}

impl CallRecord {
    /// Whether Meta still holds the call.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// How often an action was tried, refusals included.
    pub fn tried(&self, name: ActionName) -> usize {
        self.actions.iter().filter(|action| action.name == name).count()
    }

    /// How often an action took effect.
    pub fn taken(&self, name: ActionName) -> usize {
        self.actions.iter().filter(|action| action.name == name && action.took_effect()).count()
    }

    /// When the business took the call.
    pub fn accepted(&self) -> Option<Instant> {
        self.first(|name| name == ActionName::Accept)
    }

    /// When the caller's waiting ended by the business: it accepted, rejected or terminated the call.
    pub fn settled(&self) -> Option<Instant> {
        self.first(|name| match name {
            ActionName::Accept | ActionName::Reject | ActionName::Terminate => true,
            ActionName::PreAccept => false,
        })
    }

    fn first(&self, wanted: impl Fn(ActionName) -> bool) -> Option<Instant> {
        self.actions.iter().find(|action| action.took_effect() && wanted(action.name)).map(|action| action.at)
    }
}

impl TriedAction {
    /// Whether Meta did it.
    pub fn took_effect(&self) -> bool {
        self.status == 200 && self.code.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_action_was_tried_but_did_not_take_effect() {
        let record = with([(ActionName::Accept, 500), (ActionName::Accept, 200), (ActionName::Accept, 400)]);

        assert_eq!((record.tried(ActionName::Accept), record.taken(ActionName::Accept)), (3, 1));
        assert_eq!(record.accepted(), Some(record.actions[1].at));
    }

    #[test]
    fn a_pre_accept_settles_nothing() {
        assert_eq!(with([(ActionName::PreAccept, 200)]).settled(), None);

        let record = with([(ActionName::PreAccept, 200), (ActionName::Reject, 200)]);
        assert_eq!(record.settled(), Some(record.actions[1].at));
        assert_eq!(record.accepted(), None);
    }

    fn with<const N: usize>(actions: [(ActionName, u16); N]) -> CallRecord {
        let rang = Instant::now();
        let at = |n: usize| rang + std::time::Duration::from_secs(n as u64);
        let tried = |(n, (name, status))| TriedAction { name, at: at(n), status, code: None };
        CallRecord {
            id: "wacid.A".to_owned(),
            number: None,
            user_id: "IN.1".to_owned(),
            faults: Vec::new(),
            rang,
            connect_answered: None,
            actions: actions.into_iter().enumerate().map(tried).collect(),
            ended: None,
            ending: None,
            terminate_sent: false,
            messages: 0,
        }
    }
}
