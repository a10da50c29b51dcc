//! How a call ends: the caller hangs up, a client does, the carrier takes the caller elsewhere, or the service has enough.

use super::super::sockets::ToSocket;
use super::super::{CarrierEventKind, HungUpBy, SocketEventKind};
use super::{Call, Phase};
use std::time::Instant;

impl Call {
    /// The caller hangs up, or gives up. Clients are not notified: their sockets break.
    pub(crate) fn hang_up(&mut self, now: Instant) {
        match self.phase {
            Phase::Ringing => {
                self.carrier_sees(CarrierEventKind::Cancelled, now);
                self.phase = Phase::Deserted;
            }
            Phase::Talking | Phase::HangingUp => self.end(HungUpBy::Caller, now),
            Phase::Deserted | Phase::Rejected | Phase::Over => {}
        }
    }

    /// Everything ends at once; what was on its way to clients is lost.
    pub(super) fn end(&mut self, by: HungUpBy, now: Instant) {
        self.carrier_sees(CarrierEventKind::Bye(by), now);
        self.forget_call(&ToSocket::Break, now);
    }

    /// The service closes the session, as it would close any: with a close frame.
    pub(super) fn end_session(&mut self, code: u16, reason: &str, now: Instant) {
        self.carrier_sees(CarrierEventKind::Bye(HungUpBy::Service), now);
        self.forget_call(&ToSocket::Close { code, reason: reason.to_owned() }, now);
    }

    /// The service knows the call no more. Whether the carrier's leg ends is another question.
    pub(super) fn forget_call(&mut self, farewell: &ToSocket, now: Instant) {
        let is_closed = matches!(farewell, ToSocket::Close { .. });
        self.note_socket(if is_closed { SocketEventKind::Closed } else { SocketEventKind::Dropped }, now);
        self.sockets.end(farewell);
        (self.phase, self.next_frame) = (Phase::Over, None);
        self.alarms.clear();
        if let Some(speech) = self.report.agent.last_mut().filter(|speech| speech.stopped.is_none()) {
            (speech.stopped, speech.was_cut) = (Some(now), true);
        }
        if let Some(session) = &self.session {
            session.lock().handle_close("the call is over", now);
        }
        self.pump(now);
    }
}
