//! Watches one call's media: waits for the next setup step that has not happened, and reports a finding when it is
//! overdue.

use crate::observations::Observations;
use crate::stalls::Stalls;
use crate::{AudioActivity, DatagramKind, Diagnosis, Finding, MediaContext, SendError, evidence};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Meta answers no STUN check before it has our SDP answer, which takes as long as Graph takes.
const STUN_WITHIN: Duration = Duration::from_secs(8);

/// An ICE agent that must give up the controlling role learns so from its first 487.
const CONFLICT_SETTLES: Duration = Duration::from_millis(1_500);

/// A network that comes up late rejects datagrams for a moment.
const REFUSED_FOR: Duration = Duration::from_secs(3);

/// An offer without candidates never gains one: Meta does not trickle.
const NO_CANDIDATE_AFTER: Duration = Duration::from_secs(3);

/// The DTLS hello and its retransmissions after one and two seconds are rarely all lost.
const DTLS_WITHIN: Duration = Duration::from_secs(3);

/// A phone sends RTP as soon as the line is open, or as soon as it gets ours.
const RTP_WITHIN: Duration = Duration::from_secs(5);

/// A stream may begin with a packet of another payload type.
const WRONG_PAYLOAD_FOR: Duration = Duration::from_secs(1);

/// No pause between words is longer, and no phone that is unmuted sends nothing for as long.
const STOPPED_FOR: Duration = Duration::from_secs(5);

/// A caller who has just been answered is audible within this time, if only by breathing.
const SILENT_FROM_START_FOR: Duration = Duration::from_secs(20);

/// A caller may listen silently for a long time.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// An outage of some seconds is survived.
const GONE_FOR: Duration = Duration::from_secs(10);

/// Monitors one call's media, from setup to end.
#[derive(Debug, Clone)]
pub struct MediaMonitor {
    context: MediaContext,
    observations: Observations,
    stalls: Stalls,
    has_reported_cause: bool,
    has_reported_mute: bool,
    has_reported_stall: bool,
    findings: VecDeque<Finding>,
}

/// The diagnosis that is reported at a time unless something is observed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Suspicion {
    diagnosis: Diagnosis,
    at: Instant,
}

impl MediaMonitor {
    /// Creates the monitor of a call whose setup begins now.
    pub fn new(context: MediaContext, now: Instant) -> Self {
        Self {
            context,
            observations: Observations::new(now),
            stalls: Stalls::default(),
            has_reported_cause: false,
            has_reported_mute: false,
            has_reported_stall: false,
            findings: VecDeque::new(),
        }
    }

    /// Notes a received datagram.
    pub fn handle_in(&mut self, kind: DatagramKind, now: Instant) {
        self.observations.note_in(kind, &self.context, now);
    }

    /// Notes a sent datagram.
    pub fn handle_out(&mut self, kind: DatagramKind, now: Instant) {
        self.observations.note_out(kind, now);
    }

    /// Notes a datagram that could not be sent, or that came back as an ICMP error.
    pub fn handle_refusal(&mut self, refusal: SendError, now: Instant) {
        self.observations.note_refusal(refusal, now);
    }

    /// Notes that ICE and DTLS are done.
    pub fn handle_connected(&mut self, now: Instant) {
        self.observations.connected.get_or_insert(now);
    }

    /// Notes a decoded frame of the caller.
    pub fn handle_sound(&mut self, sound: AudioActivity, now: Instant) {
        self.observations.note_sound(sound, now);
    }

    /// Notes that the task woke up `late`. Call it before noting datagrams received meanwhile: the time does not
    /// count against them.
    pub fn handle_wake(&mut self, late: Duration, now: Instant) {
        let (lost, too_many) = self.stalls.note(late, now);
        if !lost.is_zero() {
            self.observations.shift(lost);
        }
        if let Some(too_many) = too_many.filter(|_| !self.has_reported_stall) {
            self.has_reported_stall = true;
            self.findings.push_back(evidence::stalled(too_many));
        }
    }

    /// Notes that the line is open, so that audio should come from now on.
    pub fn open(&mut self, now: Instant) {
        self.observations.opened.get_or_insert(now);
    }

    /// Reports why media are missing when the call ends during setup, however short the wait was.
    pub fn give_up(&mut self, now: Instant) {
        if self.observations.connected.is_none() && !self.has_reported_cause {
            self.report(self.suspect_setup().diagnosis, now);
        }
    }

    /// Returns when [`Self::handle_timeout`] may have a finding. Changes with every datagram.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.suspect().map(|suspicion| suspicion.at)
    }

    /// Reports the diagnoses that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.suspect().filter(|suspicion| suspicion.at <= now) {
            self.report(due.diagnosis, now);
        }
    }

    /// Returns the next finding. Each diagnosis is reported once.
    pub fn poll_finding(&mut self) -> Option<Finding> {
        self.findings.pop_front()
    }

    fn report(&mut self, diagnosis: Diagnosis, now: Instant) {
        match diagnosis {
            Diagnosis::CallerMuted => self.has_reported_mute = true,
            Diagnosis::NoStunAnswer
            | Diagnosis::RoleConflict
            | Diagnosis::CandidateUnreachable
            | Diagnosis::PortBlocked
            | Diagnosis::DtlsNever
            | Diagnosis::NoRtpIn
            | Diagnosis::WrongPayload
            | Diagnosis::OurRtpNotReaching => self.has_reported_cause = true,
            Diagnosis::ClockStalled => self.has_reported_stall = true,
        }
        self.findings.push_back(evidence::finding_for(diagnosis, &self.observations, &self.context, now));
    }

    /// Returns the next diagnosis. After the first cause there is none: what is missing then is missing because of
    /// it.
    fn suspect(&self) -> Option<Suspicion> {
        if self.has_reported_cause {
            return None;
        }
        if self.observations.connected.is_none() {
            return Some(self.suspect_setup());
        }
        let opened = self
            .observations
            .opened
            .max(self.observations.connected)
            .filter(|_| self.observations.opened.is_some())?;
        if self.observations.rtp.times == 0 {
            return Some(self.suspect_no_rtp(opened));
        }
        [self.suspect_absence(), self.suspect_mute(), self.suspect_silence(opened)]
            .into_iter()
            .flatten()
            .min_by_key(|suspicion| suspicion.at)
    }

    fn suspect_setup(&self) -> Suspicion {
        let observations = &self.observations;
        if let Some(answered) = observations.answers.first {
            return suspicion(Diagnosis::DtlsNever, answered + DTLS_WITHIN);
        }
        if let Some(first) = observations.conflicts.first {
            return suspicion(Diagnosis::RoleConflict, first + CONFLICT_SETTLES);
        }
        if let Some(first) = observations.refusals.first.filter(|_| observations.any.times == 0) {
            return suspicion(Diagnosis::PortBlocked, first + REFUSED_FOR);
        }
        if !self.context.has_candidate_to_check() {
            return suspicion(Diagnosis::CandidateUnreachable, observations.began + NO_CANDIDATE_AFTER);
        }
        let unreachable = self.context.unreachable().is_some();
        let diagnosis = if unreachable { Diagnosis::CandidateUnreachable } else { Diagnosis::NoStunAnswer };
        suspicion(diagnosis, observations.began + STUN_WITHIN)
    }

    fn suspect_no_rtp(&self, opened: Instant) -> Suspicion {
        match self.observations.wrong_payload.first {
            Some(first) => suspicion(Diagnosis::WrongPayload, first.max(opened) + WRONG_PAYLOAD_FOR),
            None => suspicion(Diagnosis::NoRtpIn, opened + RTP_WITHIN),
        }
    }

    fn suspect_absence(&self) -> Option<Suspicion> {
        Some(suspicion(Diagnosis::NoStunAnswer, self.observations.any.last? + GONE_FOR))
    }

    fn suspect_mute(&self) -> Option<Suspicion> {
        let stopped = self
            .observations
            .rtp
            .last
            .filter(|_| !self.has_reported_mute && self.observations.has_stopped())?;
        Some(suspicion(Diagnosis::CallerMuted, stopped + STOPPED_FOR))
    }

    /// Suspects a mute where RTP comes but is silent.
    fn suspect_silence(&self, opened: Instant) -> Option<Suspicion> {
        let (since, limit) = match self.observations.audible.last {
            Some(heard) => (heard, SILENT_FOR),
            None => (opened, SILENT_FROM_START_FOR),
        };
        let at = since + limit;
        let still_comes = self.observations.silent.last.is_some_and(|last| last + WRONG_PAYLOAD_FOR >= at);
        (still_comes && !self.has_reported_mute).then(|| suspicion(Diagnosis::CallerMuted, at))
    }
}

fn suspicion(diagnosis: Diagnosis, at: Instant) -> Suspicion {
    Suspicion { diagnosis, at }
}

#[cfg(test)]
#[path = "monitor_tests.rs"]
mod tests;
