//! Performs at Meta what a call asks for, and reads what comes of it.

use crate::record::Record;
use call::{Effect, Ending, Event};
use std::time::Duration;
use whatsapp::{Graph, GraphError};

/// How long to wait before trying again while the phone rings.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];

/// Performs an effect that is for Meta, a few times if that may help. What came of it, and what went wrong on the way.
pub(crate) async fn act(graph: &Graph, record: &Record, effect: &Effect) -> (Event, Option<GraphError>) {
    let mut pauses = PAUSES.into_iter();
    let mut again = record.call.attempts > 1;
    loop {
        let error = match attempt(graph, record, effect).await {
            Ok(()) => return (Event::Done(effect.clone()), None),
            Err(error) => error,
        };
        match pauses.next().filter(|_| error.is_worth_another_try()) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return (outcome(effect, &error, again), Some(error)),
        }
        again = true;
    }
}

async fn attempt(graph: &Graph, record: &Record, effect: &Effect) -> Result<(), GraphError> {
    let (number, wacid) = (&record.number, &record.wacid);
    let answer = record.call.answer.as_deref().unwrap_or_default();
    match effect {
        Effect::PreAccept => graph.pre_accept(number, wacid, answer).await,
        Effect::Accept => graph.accept(number, wacid, answer).await,
        Effect::Reject => graph.reject(number, wacid).await,
        Effect::Terminate => graph.terminate(number, wacid).await,
        Effect::TellCaller(ending) => graph.send_text(number, &record.caller(), apology(*ending)).await,
        Effect::FindSeat
        | Effect::LaunchTask
        | Effect::Offer(_)
        | Effect::Release(_)
        | Effect::CheckTask(_) => Ok(()),
    }
}

/// A refusal of something that was tried before means, most likely, that it was done then: the connection broke
/// after it took effect, or whoever did it died before noting it. Were that wrong, no media would follow, and the
/// call would end by that.
fn outcome(effect: &Effect, error: &GraphError, again: bool) -> Event {
    if error.is_worth_another_try() {
        return Event::Failed(effect.clone());
    }
    let refused_for_good = matches!(error, GraphError::Misconfigured { .. }) || error.is_about_sdp();
    if again && !refused_for_good {
        return Event::Done(effect.clone());
    }
    if *effect == Effect::Accept && !refused_for_good {
        return Event::NothingToAccept;
    }
    Event::Refused(effect.clone())
}

/// What the caller is told when nobody could talk to them.
fn apology(ending: Ending) -> &'static str {
    match ending {
        Ending::Lost => "Sorry, our line broke down. Please call again.",
        Ending::NoCapacity
        | Ending::AgentUnavailable
        | Ending::MediaNeverConnected
        | Ending::CallerHungUp
        | Ending::CallerGaveUp
        | Ending::CallerVanished
        | Ending::AgentSaidGoodbye
        | Ending::TookTooLong
        | Ending::BothSilent
        | Ending::OfferUnanswerable
        | Ending::MetaRefused
        | Ending::MediaFailed
        | Ending::Drained => {
            "Sorry, we could not take your call just now. Please try again in a moment, or write to us here."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_accept_that_was_tried_before_counts_as_done() {
        let in_progress = GraphError::Refused { code: 100, message: "call already in progress".into() };

        assert_eq!(outcome(&Effect::Accept, &in_progress, true), Event::Done(Effect::Accept));
    }

    #[test]
    fn an_accept_that_is_refused_at_once_comes_too_late() {
        let ended = GraphError::Refused { code: 100, message: "call has already ended".into() };

        assert_eq!(outcome(&Effect::Accept, &ended, false), Event::NothingToAccept);
    }

    #[test]
    fn a_refused_sdp_is_refused_however_often_it_was_tried() {
        let invalid = GraphError::Refused { code: 138_008, message: "SDP Validation error".into() };

        assert_eq!(outcome(&Effect::PreAccept, &invalid, true), Event::Refused(Effect::PreAccept));
    }
}
