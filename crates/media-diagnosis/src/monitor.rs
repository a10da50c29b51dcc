//! Suspects one thing at a time, the first step that has not happened; and says so when it has waited long enough.

use crate::observations::Observations;
use crate::stalls::Stalls;
use crate::{AudioActivity, DatagramKind, Diagnosis, Finding, MediaContext, SendError, evidence};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Meta answers no check before it has our answer, which takes as long as Graph takes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);

/// An agent that must not control learns so from its first 487.
const CONFLICT_SETTLES: Duration = Duration::from_millis(1_500);

/// A network that comes up late refuses for a moment.
const REFUSED_FOR: Duration = Duration::from_secs(3);

/// An offer without anybody to check will not have anybody later.
const NOBODY_COMES: Duration = Duration::from_secs(3);

/// Two hellos, repeated after one second and after two, are lost rarely.
const SHAKEN_WITHIN: Duration = Duration::from_secs(3);

/// A phone sends as soon as the line is open, or as soon as it hears us.
const SPEAKS_WITHIN: Duration = Duration::from_secs(5);

/// A stream may begin with a packet of some other kind.
const STRAYS_FOR: Duration = Duration::from_secs(1);

/// No pause between words is longer, and no phone that talks sends nothing for so long.
const STOPPED_FOR: Duration = Duration::from_secs(5);

/// After the sound has stopped so long, a report or a STUN answer shows that the line lives.
const LIVES_AFTER: Duration = Duration::from_secs(2);

/// Somebody who was called for is heard within this, be it a breath.
const NEVER_HEARD_FOR: Duration = Duration::from_secs(20);

/// A caller listens for a long time without a sound.
const NOT_HEARD_FOR: Duration = Duration::from_secs(60);

/// An outage of some seconds is survived.
const GONE_FOR: Duration = Duration::from_secs(10);

/// Looks after one call's media.
#[derive(Debug, Clone)]
pub struct MediaMonitor {
    premises: MediaContext,
    signs: Observations,
    stalls: Stalls,
    has_told_cause: bool,
    has_told_mute: bool,
    has_told_stall: bool,
    findings: VecDeque<Finding>,
}

/// What is concluded, and when, if nothing happens before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Suspicion {
    verdict: Diagnosis,
    at: Instant,
}

impl MediaMonitor {
    /// A doctor for a call that is being set up from now on.
    pub fn new(premises: MediaContext, now: Instant) -> Self {
        Self {
            premises,
            signs: Observations::new(now),
            stalls: Stalls::default(),
            has_told_cause: false,
            has_told_mute: false,
            has_told_stall: false,
            findings: VecDeque::new(),
        }
    }

    /// A datagram came.
    pub fn handle_in(&mut self, kind: DatagramKind, now: Instant) {
        self.signs.note_in(kind, &self.premises, now);
    }

    /// A datagram left.
    pub fn handle_out(&mut self, kind: DatagramKind, now: Instant) {
        self.signs.note_out(kind, now);
    }

    /// A datagram could not be sent, or one that left before was sent back.
    pub fn handle_refusal(&mut self, refusal: SendError, now: Instant) {
        self.signs.note_refusal(refusal, now);
    }

    /// ICE and DTLS are done.
    pub fn handle_connected(&mut self, now: Instant) {
        self.signs.connected.get_or_insert(now);
    }

    /// A frame of the caller's was decoded.
    pub fn handle_sound(&mut self, sound: AudioActivity, now: Instant) {
        self.signs.note_sound(sound, now);
    }

    /// The task woke up so much later than it wanted to. To be told before anything that came meanwhile.
    pub fn handle_wake(&mut self, late: Duration, now: Instant) {
        let (lost, too_late) = self.stalls.note(late, now);
        if !lost.is_zero() {
            self.signs.forgive(lost);
        }
        if let Some(too_late) = too_late.filter(|_| !self.has_told_stall) {
            self.has_told_stall = true;
            self.findings.push_back(evidence::stalled(too_late));
        }
    }

    /// The line is open: from now on sound should come.
    pub fn open(&mut self, now: Instant) {
        self.signs.opened.get_or_insert(now);
    }

    /// Nobody waits for the media any more: if they are not there, this is why, however short the wait was.
    pub fn give_up(&mut self, now: Instant) {
        if self.signs.connected.is_none() && !self.has_told_cause {
            self.tell(self.suspect_setup().verdict, now);
        }
    }

    /// When [`Doctor::handle_timeout`] may have something to conclude. Every datagram changes it.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.suspect().map(|suspicion| suspicion.at)
    }

    /// Concludes what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.suspect().filter(|suspicion| suspicion.at <= now) {
            self.tell(due.verdict, now);
        }
    }

    /// What is wrong. Each verdict is told once.
    pub fn poll_finding(&mut self) -> Option<Finding> {
        self.findings.pop_front()
    }

    fn tell(&mut self, verdict: Diagnosis, now: Instant) {
        match verdict {
            Diagnosis::CallerMuted => self.has_told_mute = true,
            Diagnosis::NoStunAnswer
            | Diagnosis::RoleConflict
            | Diagnosis::CandidateUnreachable
            | Diagnosis::PortBlocked
            | Diagnosis::DtlsNever
            | Diagnosis::NoRtpIn
            | Diagnosis::WrongPayload
            | Diagnosis::OurRtpNotReaching => self.has_told_cause = true,
            Diagnosis::ClockStalled => self.has_told_stall = true,
        }
        self.findings.push_back(evidence::found(verdict, &self.signs, &self.premises, now));
    }

    /// What is missing after the first cause is only missing because of it.
    fn suspect(&self) -> Option<Suspicion> {
        if self.has_told_cause {
            return None;
        }
        if self.signs.connected.is_none() {
            return Some(self.suspect_setup());
        }
        let opened = self.signs.opened.max(self.signs.connected).filter(|_| self.signs.opened.is_some())?;
        if self.signs.rtp.times == 0 {
            return Some(self.suspect_sound(opened));
        }
        [self.suspect_absence(), self.suspect_mute(), self.suspect_silence(opened)]
            .into_iter()
            .flatten()
            .min_by_key(|suspicion| suspicion.at)
    }

    fn suspect_setup(&self) -> Suspicion {
        let signs = &self.signs;
        if let Some(answered) = signs.answers.first {
            return suspicion(Diagnosis::DtlsNever, answered + SHAKEN_WITHIN);
        }
        if let Some(first) = signs.conflicts.first {
            return suspicion(Diagnosis::RoleConflict, first + CONFLICT_SETTLES);
        }
        if let Some(first) = signs.refusals.first.filter(|_| signs.any.times == 0) {
            return suspicion(Diagnosis::PortBlocked, first + REFUSED_FOR);
        }
        if !self.premises.has_somebody_to_check() {
            return suspicion(Diagnosis::CandidateUnreachable, signs.began + NOBODY_COMES);
        }
        let unreachable = self.premises.unreachable().is_some();
        let verdict = if unreachable { Diagnosis::CandidateUnreachable } else { Diagnosis::NoStunAnswer };
        suspicion(verdict, signs.began + ANSWERED_WITHIN)
    }

    fn suspect_sound(&self, opened: Instant) -> Suspicion {
        match self.signs.strays.first {
            Some(first) => suspicion(Diagnosis::WrongPayload, first.max(opened) + STRAYS_FOR),
            None => suspicion(Diagnosis::NoRtpIn, opened + SPEAKS_WITHIN),
        }
    }

    fn suspect_absence(&self) -> Option<Suspicion> {
        Some(suspicion(Diagnosis::NoStunAnswer, self.signs.any.last? + GONE_FOR))
    }

    fn suspect_mute(&self) -> Option<Suspicion> {
        let stopped = self.signs.rtp.last.filter(|_| !self.has_told_mute && has_stopped(&self.signs))?;
        Some(suspicion(Diagnosis::CallerMuted, stopped + STOPPED_FOR))
    }

    /// Frames come, and nothing is in them.
    fn suspect_silence(&self, opened: Instant) -> Option<Suspicion> {
        let (since, patience) = match self.signs.audible.last {
            Some(heard) => (heard, NOT_HEARD_FOR),
            None => (opened, NEVER_HEARD_FOR),
        };
        let at = since + patience;
        let still_comes = self.signs.silent.last.is_some_and(|last| last + STRAYS_FOR >= at);
        (still_comes && !self.has_told_mute).then(|| suspicion(Diagnosis::CallerMuted, at))
    }
}

/// Whether the caller's sound has stopped though the line lives.
pub(crate) fn has_stopped(signs: &Observations) -> bool {
    signs.rtp.last.zip(signs.others.last).is_some_and(|(sound, other)| other >= sound + LIVES_AFTER)
}

fn suspicion(verdict: Diagnosis, at: Instant) -> Suspicion {
    Suspicion { verdict, at }
}

#[cfg(test)]
#[path = "monitor_tests.rs"]
mod tests;
