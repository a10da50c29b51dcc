//! One telephone call: what carrier, caller, clients and time do to it, and what each of them gets. Opens no socket and reads
//! no clock.

mod caller;
mod deciding;
mod ending;
mod faults;
mod sideband;

use super::sockets::Sockets;
use super::{
    CallReport, CallSpec, CarrierEvent, CarrierEventKind, HungUpBy, SipFault, SocketEvent, SocketEventKind,
};
use crate::session_registry::Shared;
use crate::{Config, Observation, random};
use caller::Caller;
use fastrand::Rng;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How much sound a caller sends at once.
const FRAME: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Call {
    /// How many calls came before.
    number: usize,
    config: Arc<Config>,
    spec: CallSpec,
    fault: Option<SipFault>,
    /// Whether the fault that happens once has happened.
    has_failed: bool,
    rng: Rng,
    phase: Phase,
    alarms: Vec<(Instant, Alarm)>,
    caller: Caller,
    /// When the caller's next sound is due.
    next_frame: Option<Instant>,
    session: Option<Shared>,
    /// From when on sidebands are let in.
    opens: Instant,
    sockets: Sockets,
    /// How often a client has learned that the call is over.
    gone_answers: usize,
    keys_heard: usize,
    observations: VecDeque<Observation>,
    report: CallReport,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No one has decided.
    Ringing,
    /// No one has decided, and the caller has left.
    Deserted,
    /// Accepted. A dead session has no caller.
    Talking,
    /// A client has hung up; the sockets are still open.
    HangingUp,
    /// Rejected.
    Rejected,
    /// The service knows it no more.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    /// No one has decided in time.
    Undecided,
    CallerGivesUp,
    /// What a client's hangup takes has passed.
    HungUp,
    /// The carrier has followed a refer.
    Transferred,
    /// The fault in the agent's answer.
    InAnswer,
}

impl Call {
    /// A call that has just come in.
    pub(crate) fn placed(number: usize, spec: CallSpec, config: Arc<Config>, now: Instant) -> Self {
        let mut rng = random::of_call(config.seed, number);
        let id = random::id(&mut rng, "rtc_u1");
        let fault = spec.fault.or_else(|| config.fault.and_then(|fault| fault.of_calls()));
        let mut call = Self {
            number,
            caller: Caller::new(&spec.script, config.sip.quiet, now),
            report: CallReport::new(id, now),
            spec,
            fault,
            has_failed: false,
            rng,
            phase: Phase::Ringing,
            alarms: vec![(now + config.sip.decision_window, Alarm::Undecided)],
            next_frame: None,
            session: None,
            opens: now,
            sockets: Sockets::default(),
            gone_answers: 0,
            keys_heard: 0,
            observations: VecDeque::new(),
            config,
        };
        if let Some(rings_for) = call.spec.rings_for {
            call.alarms.push((now + rings_for, Alarm::CallerGivesUp));
        }
        call.begin_with_fault(now);
        call
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.poll_timeout().filter(|due| *due <= now) {
            if let Some(index) = self.alarms.iter().position(|(then, _)| *then == due) {
                let (_, alarm) = self.alarms.remove(index);
                self.ring_alarm(alarm, now);
            } else if self.next_frame == Some(due) {
                self.next_frame = Some(due + FRAME);
                self.hear_caller(now);
            } else if let Some(session) = &self.session {
                session.lock().handle_timeout(now);
            }
            self.pump(now);
        }
    }

    /// When [`Call::handle_timeout`] is next due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let alarms = self.alarms.iter().map(|(due, _)| *due);
        let session = self.session.as_ref().and_then(|session| session.lock().poll_timeout());
        alarms.chain(self.next_frame).chain(session).min()
    }

    /// What was seen in the call's session since it was last asked.
    pub(crate) fn poll_observation(&mut self) -> Option<Observation> {
        self.observations.pop_front()
    }

    pub(crate) fn id(&self) -> &str {
        &self.report.id
    }

    pub(crate) fn report(&self) -> &CallReport {
        &self.report
    }

    pub(crate) fn report_mut(&mut self) -> &mut CallReport {
        &mut self.report
    }

    pub(crate) fn spec(&self) -> &CallSpec {
        &self.spec
    }

    pub(crate) fn fault(&self) -> Option<SipFault> {
        self.fault
    }

    pub(crate) fn quiet(&self) -> Duration {
        self.config.sip.quiet
    }

    /// Whether nothing will happen in it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over || self.phase == Phase::Rejected
    }

    /// What the caller has heard since the call was answered.
    pub(crate) fn heard_by_caller(&self, now: Instant) -> Vec<i16> {
        let until = self.report.ending().map_or(now, |ending| ending.at);
        let session = self.session.as_ref().zip(self.report.answered());
        session.map(|(session, since)| session.lock().played_since(since, until)).unwrap_or_default()
    }

    fn ring_alarm(&mut self, alarm: Alarm, now: Instant) {
        match alarm {
            Alarm::Undecided if matches!(self.phase, Phase::Ringing | Phase::Deserted) => {
                self.carrier_sees(CarrierEventKind::BadRequest, now);
                self.phase = Phase::Over;
            }
            Alarm::CallerGivesUp if self.phase == Phase::Ringing => self.hang_up(now),
            Alarm::HungUp => self.end(HungUpBy::Client, now),
            Alarm::Transferred => self.end(HungUpBy::Transfer, now),
            Alarm::InAnswer => self.inject_in_answer(now),
            Alarm::Undecided | Alarm::CallerGivesUp => {}
        }
    }

    /// The carrier sees nothing more of a call that is over.
    fn carrier_sees(&mut self, kind: CarrierEventKind, now: Instant) {
        if self.report.ending().is_none() {
            self.report.carrier.push(CarrierEvent { at: now, kind });
        }
    }

    fn note_socket(&mut self, kind: SocketEventKind, now: Instant) {
        self.report.sockets.push(SocketEvent { at: now, kind });
    }

    /// Whether this is the call's fault, for the first time.
    fn is_first(&mut self, fault: SipFault) -> bool {
        self.fault == Some(fault) && !std::mem::replace(&mut self.has_failed, true)
    }
}
