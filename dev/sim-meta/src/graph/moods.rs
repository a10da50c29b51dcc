//! What Graph does to a call's actions on purpose: refuses them without a look, takes its time, or cuts the reply.

use super::GraphError;
use crate::call_faults::CallFaults;
use crate::{ActionName, InjectedFault};

/// Why Graph refuses the next action of this call, whatever it is.
pub(super) fn refusal(plot: &CallFaults) -> Option<GraphError> {
    if plot.does_once(InjectedFault::Graph500Once) || plot.does_times(InjectedFault::Graph500Twice, 2) {
        return Some(GraphError::connection());
    }
    if plot.does_once(InjectedFault::GraphTransientOnce) {
        return Some(GraphError::transient());
    }
    if plot.does_once(InjectedFault::SuccessFalseOnce) {
        return Some(GraphError::undone());
    }
    if plot.does_once(InjectedFault::Graph429Once) || plot.does(InjectedFault::Graph429Always) {
        return Some(GraphError::busy());
    }
    let lasting = [
        (InjectedFault::TokenInvalid, GraphError::bad_token as fn() -> GraphError),
        (InjectedFault::PaymentMissing, GraphError::payment_missing),
        (InjectedFault::CallingNotEnabled, GraphError::calling_not_enabled),
        (InjectedFault::SipEnabled, GraphError::sip_enabled),
    ];
    lasting.into_iter().find(|(mischief, _)| plot.does(*mischief)).map(|(_, refusal)| refusal())
}

/// Why Graph refuses a message to this caller.
pub(super) fn refusal_of_message(plot: &CallFaults) -> Option<GraphError> {
    if plot.does_once(InjectedFault::MessageTransientOnce) {
        return Some(GraphError::transient());
    }
    if plot.does_once(InjectedFault::MessageUndoneOnce) {
        return Some(GraphError::undone());
    }
    let lasting = [
        (InjectedFault::TokenInvalid, GraphError::bad_token as fn() -> GraphError),
        (InjectedFault::MessagePairLimit, GraphError::pair_limit),
        (InjectedFault::MessageUnpaid, GraphError::message_unpaid),
    ];
    lasting.into_iter().find(|(mischief, _)| plot.does(*mischief)).map(|(_, refusal)| refusal())
}

/// Whether the reply to an action that took effect is cut now.
pub(super) fn cuts(plot: &CallFaults, name: ActionName) -> bool {
    match name {
        ActionName::PreAccept => plot.does_once(InjectedFault::CutPreAccept),
        ActionName::Accept => plot.does_once(InjectedFault::CutAccept),
        ActionName::Terminate => plot.does_once(InjectedFault::CutTerminate),
        ActionName::Reject => false,
    }
}

/// Whether the reply to this action takes its time.
pub(super) fn is_slow(plot: &CallFaults, name: ActionName) -> bool {
    plot.does(InjectedFault::GraphSlow)
        || (name == ActionName::PreAccept && plot.does(InjectedFault::SlowPreAccept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_status_and_code() {
        let first =
            |mischief| refusal(&CallFaults::of([mischief])).map(|error| (error.status.as_u16(), error.code));

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
        for (mischief, told) in
            [(InjectedFault::MessageTransientOnce, (400, 2)), (InjectedFault::MessageUndoneOnce, (200, 0))]
        {
            let plot = CallFaults::of([mischief]);
            let refused = || refusal_of_message(&plot).map(|error| (error.status.as_u16(), error.code));

            assert_eq!((refused(), refused()), (Some(told), None), "{mischief}");
        }
    }

    #[test]
    fn what_refuses_every_action_says_so_of_itself() {
        for mischief in InjectedFault::ALL {
            let plot = CallFaults::of([*mischief]);
            let lasts = (0..10).all(|_| refusal(&plot).is_some());
            assert_eq!(lasts, mischief.refuses_every_action(), "{mischief}");
        }
    }

    #[test]
    fn a_reply_is_cut_once() {
        let plot = CallFaults::of([InjectedFault::CutTerminate]);

        assert!(!cuts(&plot, ActionName::Accept));
        assert!(cuts(&plot, ActionName::Terminate) && !cuts(&plot, ActionName::Terminate));
    }
}
