//! Follows the transfer of a call: announced to the caller, asked for, and watched, since a transfer that the line's service took may never
//! happen.

use realtime::ToolCallId;
use std::time::{Duration, Instant};

/// How long a call may still be on after the line's service took its transfer.
const HAPPENS_WITHIN: Duration = Duration::from_secs(8);

/// How long the announcement may take to be played, from the end of its response.
const HEARD_WITHIN: Duration = Duration::from_secs(20);

/// The transfer of one call: at most one is ever asked for.
#[derive(Debug, Default, Clone)]
pub(super) struct Transfer {
    underway: Option<Underway>,
    was_asked: bool,
    /// Whether the sideband is lost, so that it is not known whether the call is still on.
    is_lost: bool,
}

/// The model's call of the tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TransferRequest {
    pub(super) call_id: ToolCallId,
    pub(super) tool: String,
    pub(super) began: Instant,
}

#[derive(Debug, Clone)]
struct Underway {
    request: TransferRequest,
    stage: TransferStage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransferStage {
    /// The agent says that it connects the caller, in the response that called the tool.
    Announcing,
    /// That response has ended, and is played until then at the latest.
    Playing { until: Instant },
    /// Call-control was asked.
    Asked,
    /// The line's service took it: it happens until then, or not at all.
    Taken { until: Instant },
}

/// What to do about a transfer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TransferStep {
    /// Nothing yet.
    Wait,
    /// Ask call-control: the announcement was heard.
    Ask(TransferRequest),
    /// Tell the model that the transfer failed: the call is still on.
    Failed(TransferRequest),
}

impl TransferStage {
    /// Whether call-control was asked: from then on the call may be over at any time.
    fn is_asked(self) -> bool {
        match self {
            Self::Announcing | Self::Playing { .. } => false,
            Self::Asked | Self::Taken { .. } => true,
        }
    }
}

impl Transfer {
    /// Whether the model may use the tool: once in a call.
    pub(super) fn is_available(&self) -> bool {
        !self.was_asked && self.underway.is_none()
    }

    /// Begins a transfer: the response that called the tool goes on.
    pub(super) fn begin(&mut self, request: TransferRequest) {
        self.underway = Some(Underway { request, stage: TransferStage::Announcing });
    }

    /// Notes that a response has ended. Returns the request if the caller has heard no word of it: it is given up.
    pub(super) fn note_response_done(
        &mut self,
        was_announced: bool,
        now: Instant,
    ) -> Option<TransferRequest> {
        let underway = self.underway.as_mut()?;
        if underway.stage != TransferStage::Announcing {
            return None;
        }
        if was_announced {
            underway.stage = TransferStage::Playing { until: now + HEARD_WITHIN };
            return None;
        }
        self.withdraw()
    }

    /// Gives the transfer up, and returns its request, unless call-control was asked already.
    pub(super) fn withdraw(&mut self) -> Option<TransferRequest> {
        self.underway.take_if(|underway| !underway.stage.is_asked()).map(|underway| underway.request)
    }

    /// Does what is due; `is_playing` says whether the caller still hears the agent.
    pub(super) fn step(&mut self, is_playing: bool, now: Instant) -> TransferStep {
        let Some(Underway { request, stage }) = &mut self.underway else { return TransferStep::Wait };
        match *stage {
            TransferStage::Playing { until } if !is_playing || until <= now => {
                (*stage, self.was_asked) = (TransferStage::Asked, true);
                TransferStep::Ask(request.clone())
            }
            TransferStage::Taken { until } if until <= now && !self.is_lost => {
                let request = request.clone();
                self.underway = None;
                TransferStep::Failed(request)
            }
            TransferStage::Announcing
            | TransferStage::Playing { .. }
            | TransferStage::Asked
            | TransferStage::Taken { .. } => TransferStep::Wait,
        }
    }

    /// Returns when [`Transfer::step`] is due if nothing is noted before.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.underway.as_ref()?.stage {
            TransferStage::Playing { until } => Some(until),
            TransferStage::Taken { until } => Some(until).filter(|_| !self.is_lost),
            TransferStage::Announcing | TransferStage::Asked => None,
        }
    }

    /// Notes call-control's reply to a tool call, and returns whether it is a transfer that is to be watched now: the line's service took it.
    pub(super) fn note_reply(&mut self, call_id: &ToolCallId, was_taken: bool, now: Instant) -> bool {
        let Some(underway) = self.underway.as_mut().filter(|underway| underway.request.call_id == *call_id)
        else {
            return false;
        };
        if was_taken {
            underway.stage = TransferStage::Taken { until: now + HAPPENS_WITHIN };
        } else {
            self.underway = None;
        }
        was_taken
    }

    /// Notes whether the sideband is lost. While it is, the transfer may have happened.
    pub(super) fn note_sideband(&mut self, is_lost: bool) {
        self.is_lost = is_lost;
    }

    /// Notes that the call is over at the line's service, and returns the request if its transfer is the reason. Call-control's reply may
    /// come later than that.
    pub(super) fn note_call_gone(&mut self) -> Option<TransferRequest> {
        self.underway.take_if(|underway| underway.stage.is_asked()).map(|underway| underway.request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transfer_is_asked_for_once_its_announcement_was_heard() {
        let (mut transfer, t0) = begun();
        assert_eq!(transfer.step(false, t0), TransferStep::Wait, "the response goes on");

        assert_eq!(transfer.note_response_done(true, t0 + s(1)), None);
        assert_eq!(transfer.step(true, t0 + s(2)), TransferStep::Wait);

        assert_eq!(transfer.step(false, t0 + s(3)), TransferStep::Ask(request(t0)));
        assert_eq!(transfer.step(false, t0 + s(3)), TransferStep::Wait, "once");
    }

    #[test]
    fn an_announcement_whose_end_is_never_reported_is_not_waited_for() {
        let (mut transfer, t0) = begun();
        transfer.note_response_done(true, t0);

        assert_eq!(transfer.poll_timeout(), Some(t0 + s(20)));
        assert_eq!(transfer.step(true, t0 + s(20)), TransferStep::Ask(request(t0)));
    }

    #[test]
    fn a_transfer_without_a_word_to_the_caller_is_not_asked_for() {
        let (mut transfer, t0) = begun();

        assert_eq!(transfer.note_response_done(false, t0), Some(request(t0)));
        assert_eq!(transfer.step(false, t0), TransferStep::Wait);
        assert!(transfer.is_available(), "the model may try again");
    }

    #[test]
    fn a_caller_who_speaks_meanwhile_is_answered_first() {
        let (mut transfer, t0) = begun();
        transfer.note_response_done(true, t0);

        assert_eq!(transfer.withdraw(), Some(request(t0)));
        assert!(transfer.is_available(), "the caller may still want it");

        let (mut transfer, _) = asked();
        assert_eq!(transfer.withdraw(), None, "it is too late");
    }

    #[test]
    fn a_call_that_is_over_after_its_transfer_was_taken_was_transferred() {
        let (mut transfer, t0) = asked();
        assert!(transfer.note_reply(&"call_1".into(), true, t0));

        assert_eq!(transfer.step(false, t0 + s(1)), TransferStep::Wait);
        assert_eq!(transfer.note_call_gone(), Some(request(t0)));

        let (mut faster, t0) = asked();
        assert_eq!(faster.note_call_gone(), Some(request(t0)), "the reply comes after it");
        let (mut announcing, _) = begun();
        assert_eq!(announcing.note_call_gone(), None, "the caller hung up");
    }

    #[test]
    fn a_transfer_that_does_not_happen_has_failed_after_eight_seconds() {
        let (mut transfer, t0) = asked();
        transfer.note_reply(&"call_1".into(), true, t0);
        assert_eq!(transfer.poll_timeout(), Some(t0 + s(8)));

        assert_eq!(transfer.step(false, t0 + s(8)), TransferStep::Failed(request(t0)));

        assert!(!transfer.is_available(), "one a call");
        assert_eq!(transfer.note_call_gone(), None, "the caller hangs up later");
    }

    #[test]
    fn a_lost_sideband_decides_first_whether_the_call_is_over() {
        let (mut transfer, t0) = asked();
        transfer.note_reply(&"call_1".into(), true, t0);

        transfer.note_sideband(true);
        assert_eq!((transfer.step(false, t0 + s(9)), transfer.poll_timeout()), (TransferStep::Wait, None));

        assert_eq!(transfer.clone().note_call_gone(), Some(request(t0)));
        transfer.note_sideband(false);
        assert_eq!(transfer.step(false, t0 + s(10)), TransferStep::Failed(request(t0)));
    }

    #[test]
    fn a_refused_transfer_is_over_and_was_the_only_one() {
        let (mut transfer, t0) = asked();

        assert!(!transfer.note_reply(&"call_1".into(), false, t0));

        assert_eq!((transfer.step(false, t0 + s(60)), transfer.is_available()), (TransferStep::Wait, false));
        assert!(!transfer.note_reply(&"call_2".into(), true, t0), "another tool's");
    }

    fn begun() -> (Transfer, Instant) {
        let (mut transfer, t0) = (Transfer::default(), Instant::now());
        transfer.begin(request(t0));
        (transfer, t0)
    }

    fn asked() -> (Transfer, Instant) {
        let (mut transfer, t0) = begun();
        transfer.note_response_done(true, t0);
        assert_eq!(transfer.step(false, t0), TransferStep::Ask(request(t0)));
        (transfer, t0)
    }

    fn request(began: Instant) -> TransferRequest {
        TransferRequest { call_id: "call_1".into(), tool: "transfer_call".into(), began }
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }
}
