//! Injects faults into a call's actions at Graph: refusals, delays, cut replies.

use super::error::GraphError;
use crate::call_faults::CallFaults;
use crate::{ActionName, InjectedFault};

/// Why Graph refuses the next action of this call, whatever it is.
pub(super) fn refusal(faults: &CallFaults) -> Option<GraphError> {
    if faults.fires_once(InjectedFault::Graph500Once) || faults.fires_times(InjectedFault::Graph500Twice, 2) {
        return Some(GraphError::connection());
    }
    if faults.fires_once(InjectedFault::GraphTransientOnce) {
        return Some(GraphError::transient());
    }
    if faults.fires_once(InjectedFault::SuccessFalseOnce) {
        return Some(GraphError::undone());
    }
    if faults.fires_once(InjectedFault::Graph429Once) || faults.has(InjectedFault::Graph429Always) {
        return Some(GraphError::busy());
    }
    let lasting = [
        (InjectedFault::TokenInvalid, GraphError::bad_token as fn() -> GraphError),
        (InjectedFault::PaymentMissing, GraphError::payment_missing),
        (InjectedFault::CallingNotEnabled, GraphError::calling_not_enabled),
        (InjectedFault::SipEnabled, GraphError::sip_enabled),
    ];
    lasting.into_iter().find(|(fault, _)| faults.has(*fault)).map(|(_, refusal)| refusal())
}

pub(super) fn refusal_of_message(faults: &CallFaults) -> Option<GraphError> {
    if faults.fires_once(InjectedFault::MessageTransientOnce) {
        return Some(GraphError::transient());
    }
    if faults.fires_once(InjectedFault::MessageUndoneOnce) {
        return Some(GraphError::undone());
    }
    let lasting = [
        (InjectedFault::TokenInvalid, GraphError::bad_token as fn() -> GraphError),
        (InjectedFault::MessagePairLimit, GraphError::pair_limit),
        (InjectedFault::MessageUnpaid, GraphError::message_unpaid),
    ];
    lasting.into_iter().find(|(fault, _)| faults.has(*fault)).map(|(_, refusal)| refusal())
}

/// Whether the reply to an action that took effect is cut now.
pub(super) fn cuts(faults: &CallFaults, name: ActionName) -> bool {
    match name {
        ActionName::PreAccept => faults.fires_once(InjectedFault::CutPreAccept),
        ActionName::Accept => faults.fires_once(InjectedFault::CutAccept),
        ActionName::Terminate => faults.fires_once(InjectedFault::CutTerminate),
        ActionName::Reject => false,
    }
}

/// Whether the reply to this action takes its time.
pub(super) fn is_slow(faults: &CallFaults, name: ActionName) -> bool {
    faults.has(InjectedFault::GraphSlow)
        || (name == ActionName::PreAccept && faults.has(InjectedFault::SlowPreAccept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_status_and_code() {
        let first =
            |fault| refusal(&CallFaults::of([fault])).map(|error| (error.status.as_u16(), error.code));

        assert_eq!(first(InjectedFault::Graph429Once), Some((429, 138_005)));
        assert_eq!(first(InjectedFault::TokenInvalid), Some((401, 190)));
        assert_eq!(first(InjectedFault::PaymentMissing), Some((400, 131_044)));
        assert_eq!(first(InjectedFault::CallingNotEnabled), Some((401, 138_000)));
        assert_eq!(first(InjectedFault::SipEnabled), Some((400, 131_055)));
        assert_eq!(first(InjectedFault::GraphTransientOnce), Some((400, 2)));
        assert_eq!(first(InjectedFault::SuccessFalseOnce), Some((200, 0)));
        assert_eq!(first(InjectedFault::CutAccept), None);
    }

    #[test]
    fn a_message_is_refused_once_by_each_answer_that_nothing_was_done() {
        for (fault, refusal) in
            [(InjectedFault::MessageTransientOnce, (400, 2)), (InjectedFault::MessageUndoneOnce, (200, 0))]
        {
            let faults = CallFaults::of([fault]);
            let refused = || refusal_of_message(&faults).map(|error| (error.status.as_u16(), error.code));

            assert_eq!((refused(), refused()), (Some(refusal), None), "{fault}");
        }
    }

    #[test]
    fn what_refuses_every_action_says_so_of_itself() {
        for fault in InjectedFault::ALL {
            let faults = CallFaults::of([*fault]);
            let lasts = (0..10).all(|_| refusal(&faults).is_some());
            assert_eq!(lasts, fault.refuses_every_action(), "{fault}");
        }
    }

    #[test]
    fn a_reply_is_cut_once() {
        let faults = CallFaults::of([InjectedFault::CutTerminate]);

        assert!(!cuts(&faults, ActionName::Accept));
        assert!(cuts(&faults, ActionName::Terminate) && !cuts(&faults, ActionName::Terminate));
    }
}
