//! What Graph does to a call's actions on purpose: refuses them without a look, takes its time, or cuts the reply.

use super::GraphError;
use crate::plot::Plot;
use crate::{ActionName, Mischief};

/// Why Graph refuses the next action of this call, whatever it is.
pub(super) fn refusal(plot: &Plot) -> Option<GraphError> {
    if plot.does_once(Mischief::Graph500Once) || plot.does_times(Mischief::Graph500Twice, 2) {
        return Some(GraphError::connection());
    }
    if plot.does_once(Mischief::GraphTransientOnce) {
        return Some(GraphError::transient());
    }
    if plot.does_once(Mischief::SuccessFalseOnce) {
        return Some(GraphError::undone());
    }
    if plot.does_once(Mischief::Graph429Once) || plot.does(Mischief::Graph429Always) {
        return Some(GraphError::busy());
    }
    let lasting = [
        (Mischief::TokenInvalid, GraphError::bad_token as fn() -> GraphError),
        (Mischief::PaymentMissing, GraphError::payment_missing),
        (Mischief::CallingNotEnabled, GraphError::calling_not_enabled),
        (Mischief::SipEnabled, GraphError::sip_enabled),
    ];
    lasting.into_iter().find(|(mischief, _)| plot.does(*mischief)).map(|(_, refusal)| refusal())
}

/// Why Graph refuses a message to this caller.
pub(super) fn refusal_of_message(plot: &Plot) -> Option<GraphError> {
    if plot.does_once(Mischief::MessageTransientOnce) {
        return Some(GraphError::transient());
    }
    if plot.does_once(Mischief::MessageUndoneOnce) {
        return Some(GraphError::undone());
    }
    let lasting = [
        (Mischief::TokenInvalid, GraphError::bad_token as fn() -> GraphError),
        (Mischief::MessagePairLimit, GraphError::pair_limit),
        (Mischief::MessageUnpaid, GraphError::message_unpaid),
    ];
    lasting.into_iter().find(|(mischief, _)| plot.does(*mischief)).map(|(_, refusal)| refusal())
}

/// Whether the reply to an action that took effect is cut now.
pub(super) fn cuts(plot: &Plot, name: ActionName) -> bool {
    match name {
        ActionName::PreAccept => plot.does_once(Mischief::CutPreAccept),
        ActionName::Accept => plot.does_once(Mischief::CutAccept),
        ActionName::Terminate => plot.does_once(Mischief::CutTerminate),
        ActionName::Reject => false,
    }
}

/// Whether the reply to this action takes its time.
pub(super) fn is_slow(plot: &Plot, name: ActionName) -> bool {
    plot.does(Mischief::GraphSlow) || (name == ActionName::PreAccept && plot.does(Mischief::SlowPreAccept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_status_and_code() {
        let first =
            |mischief| refusal(&Plot::of([mischief])).map(|error| (error.status.as_u16(), error.code));

        assert_eq!(first(Mischief::Graph429Once), Some((429, 138_005)));
        assert_eq!(first(Mischief::TokenInvalid), Some((401, 190)));
        assert_eq!(first(Mischief::PaymentMissing), Some((400, 131_044)));
        assert_eq!(first(Mischief::CallingNotEnabled), Some((401, 138_000)));
        assert_eq!(first(Mischief::SipEnabled), Some((400, 131_055)));
        assert_eq!(first(Mischief::GraphTransientOnce), Some((400, 2)));
        assert_eq!(first(Mischief::SuccessFalseOnce), Some((200, 0)));
        assert_eq!(first(Mischief::CutAccept), None);
    }

    #[test]
    fn a_message_is_refused_once_by_each_answer_that_nothing_was_done() {
        for (mischief, told) in
            [(Mischief::MessageTransientOnce, (400, 2)), (Mischief::MessageUndoneOnce, (200, 0))]
        {
            let plot = Plot::of([mischief]);
            let refused = || refusal_of_message(&plot).map(|error| (error.status.as_u16(), error.code));

            assert_eq!((refused(), refused()), (Some(told), None), "{mischief}");
        }
    }

    #[test]
    fn what_refuses_every_action_says_so_of_itself() {
        for mischief in Mischief::ALL {
            let plot = Plot::of([*mischief]);
            let lasts = (0..10).all(|_| refusal(&plot).is_some());
            assert_eq!(lasts, mischief.refuses_every_action(), "{mischief}");
        }
    }

    #[test]
    fn a_reply_is_cut_once() {
        let plot = Plot::of([Mischief::CutTerminate]);

        assert!(!cuts(&plot, ActionName::Accept));
        assert!(cuts(&plot, ActionName::Terminate) && !cuts(&plot, ActionName::Terminate));
    }
}
