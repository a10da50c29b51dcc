//! The faults of a call that happen by themselves: as it comes in, and in the middle of an answer.

use super::super::sockets::ToSocket;
use super::super::{CarrierEventKind, SipFault, SocketEventKind};
use super::{Alarm, Call, Phase};
use std::time::{Duration, Instant};

/// When a late sideband opens, after the accept.
pub(super) const LATE_SIDEBAND: Duration = Duration::from_secs(2);
/// Into the agent's answer, when something happens there.
const INTO_ANSWER: Duration = Duration::from_millis(700);

impl Call {
    pub(super) fn begin_with_fault(&mut self, now: Instant) {
        match self.fault {
            Some(SipFault::CallerGone | SipFault::DeadSession) => self.hang_up(now),
            Some(SipFault::Taken) => {
                self.carrier_sees(CarrierEventKind::Rejected(603), now);
                self.phase = Phase::Rejected;
                self.alarms.clear();
            }
            Some(SipFault::Stale) => {
                self.carrier_sees(CarrierEventKind::BadRequest, now);
                self.phase = Phase::Over;
                self.alarms.clear();
            }
            _ => {}
        }
    }

    /// The agent begins to speak: for the second time, it answers.
    pub(super) fn note_answer(&mut self, now: Instant) {
        let happens = matches!(
            self.fault,
            Some(SipFault::SidebandDrops | SipFault::LosesCall | SipFault::HangsUpInAnswer)
        );
        if happens && self.report.agent.len() == 2 {
            self.alarms.push((now + INTO_ANSWER, Alarm::InAnswer));
        }
    }

    pub(super) fn inject_in_answer(&mut self, now: Instant) {
        match self.fault {
            Some(SipFault::SidebandDrops) => self.drop_sockets(now),
            Some(SipFault::LosesCall) => self.forget_call(&ToSocket::Break, now),
            Some(SipFault::HangsUpInAnswer) => self.hang_up(now),
            _ => {}
        }
    }

    /// Breaks every sideband, while the call goes on.
    pub(crate) fn drop_sockets(&mut self, now: Instant) {
        self.note_socket(SocketEventKind::Dropped, now);
        self.sockets.end(&ToSocket::Break);
    }
}
