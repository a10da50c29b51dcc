//! Gathers the report of a call from its observations.

use crate::{ActionName, Ending, Event, ObservationKind, ProtocolViolation};
use std::time::{Duration, Instant};

const MOST_VIOLATIONS: usize = 200;

/// A call's timestamps, counts and faults, so far.
#[derive(Debug, Clone, Default)]
pub struct CallReport {
    /// The connect webhook was first sent, rightly signed.
    pub posted: Option<Instant>,
    /// The connect webhook was answered with 200.
    pub webhook_answered: Option<Instant>,
    /// The 200 of `pre_accept` left.
    pub pre_accepted: Option<Instant>,
    /// The agent nominated a path.
    pub ice_connected: Option<Instant>,
    /// The DTLS handshake was done.
    pub dtls_connected: Option<Instant>,
    /// The 200 of `accept` left, and the caller's sound was opened.
    pub accepted: Option<Instant>,
    /// The first RTP packet after that.
    pub first_packet: Option<Instant>,
    /// The first voiced packet.
    pub first_voice: Option<Instant>,
    /// The call ended.
    pub ended: Option<Instant>,
    /// When the agent spoke, turn by turn.
    pub agent_turns: Vec<Turn>,
    /// When the caller spoke, clip by clip: first and last voiced packet sent.
    pub caller_turns: Vec<Turn>,
    /// The keys the caller pressed, in order.
    pub keys: Vec<PressedKey>,
    /// What came and went over the wire.
    pub traffic: Traffic,
    /// What the agent's side did wrong, at most 200.
    pub violations: Vec<ProtocolViolation>,
    /// Who or what ended the call.
    pub ending: Option<Ending>,
    /// What the terminate webhook said.
    pub terminated: Option<Terminated>,
    /// The terminate webhook was answered with 200.
    pub terminate_answered: Option<Instant>,
    /// WhatsApp messages the business sent to the caller.
    pub messages: usize,
}

/// A stretch of speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its first voiced packet.
    pub began: Instant,
    /// Its last voiced packet, once it is known to be the last.
    pub ended: Option<Instant>,
}

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PressedKey {
    /// `0` to `9`, `*`, `#`, `A` to `D`.
    pub key: char,
    /// Its first packet left.
    pub at: Instant,
}

/// Counts and times of packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// RTP packets from the agent, after `accept`.
    pub packets: u64,
    /// RTP packets from the agent before that, all lost.
    pub early_packets: u64,
    /// RTCP packets from the agent.
    pub reports: u64,
    /// RTCP packets from the agent before `accept`.
    pub early_reports: u64,
    /// RTP packets the caller's phone sent.
    pub sent: u64,
    /// Longest time between two packets from the agent.
    pub longest_gap: Duration,
    /// How late the agent's packets came, against one every 20 ms.
    pub lateness: Percentiles,
    /// How late the phone itself was with its own packets: over 3 ms at p99, do not trust the figures.
    pub own_lateness: Percentiles,
}

/// Two points of a distribution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// Half are no later.
    pub p50: Duration,
    /// All but a hundredth are no later.
    pub p99: Duration,
}

/// What the terminate webhook said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminated {
    /// `COMPLETED` or `FAILED`.
    pub status: &'static str,
    /// The error's code, when it failed.
    pub code: Option<u32>,
    /// How long it lasted, in whole seconds, if it was answered.
    pub duration: Option<Duration>,
}

impl CallReport {
    /// Takes down one thing seen. `false`: that fault is known already.
    pub(crate) fn note(&mut self, at: Instant, what: &ObservationKind) -> bool {
        match what {
            ObservationKind::WebhookPosted { event: Event::Connect, attempt: 1.. } => {
                first(&mut self.posted, at)
            }
            ObservationKind::WebhookAnswered { event: Event::Connect, status: Some(200) } => {
                first(&mut self.webhook_answered, at)
            }
            ObservationKind::WebhookAnswered { event: Event::Terminate, status: Some(200) } => {
                first(&mut self.terminate_answered, at)
            }
            ObservationKind::Action { name: ActionName::PreAccept, status: 200, code: None } => {
                first(&mut self.pre_accepted, at)
            }
            ObservationKind::Action { name: ActionName::Accept, status: 200, code: None } => {
                first(&mut self.accepted, at)
            }
            ObservationKind::IceConnected => first(&mut self.ice_connected, at),
            ObservationKind::DtlsConnected => first(&mut self.dtls_connected, at),
            ObservationKind::FirstPacket => first(&mut self.first_packet, at),
            ObservationKind::AgentVoice => {
                first(&mut self.first_voice, at);
                self.agent_turns.push(Turn { began: at, ended: None });
            }
            ObservationKind::AgentSilent { since } => close(&mut self.agent_turns, *since),
            ObservationKind::CallerSpeaks { .. } => self.caller_turns.push(Turn { began: at, ended: None }),
            ObservationKind::CallerSpoke { .. } => close(&mut self.caller_turns, at),
            ObservationKind::Violation(fault) => return self.note_violation(*fault),
            ObservationKind::Ended(ending) => {
                first(&mut self.ended, at);
                self.ending = Some(*ending);
            }
            ObservationKind::Terminated { status, code, duration } => {
                self.terminated = Some(Terminated { status, code: *code, duration: *duration });
            }
            ObservationKind::MessageSent => self.messages += 1,
            ObservationKind::WebhookPosted { .. }
            | ObservationKind::WebhookAnswered { .. }
            | ObservationKind::Action { .. } => {}
        }
        true
    }

    /// Whether the agent is speaking now.
    pub fn agent_is_speaking(&self) -> bool {
        self.agent_turns.last().is_some_and(|turn| turn.ended.is_none())
    }

    fn note_violation(&mut self, fault: ProtocolViolation) -> bool {
        let new = self.violations.len() < MOST_VIOLATIONS && !self.violations.contains(&fault);
        if new {
            self.violations.push(fault);
        }
        new
    }
}

fn first(slot: &mut Option<Instant>, at: Instant) {
    slot.get_or_insert(at);
}

fn close(turns: &mut [Turn], at: Instant) {
    if let Some(turn) = turns.last_mut() {
        turn.ended = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_taken_down_once() {
        let mut report = CallReport::default();
        let now = Instant::now();

        assert!(report.note(now, &ObservationKind::Violation(ProtocolViolation::EarlyMedia)));
        assert!(!report.note(now, &ObservationKind::Violation(ProtocolViolation::EarlyMedia)));
        assert!(report.note(now, &ObservationKind::Violation(ProtocolViolation::WrongPayloadType(0))));

        let once = [ProtocolViolation::EarlyMedia, ProtocolViolation::WrongPayloadType(0)];
        assert_eq!(report.violations, once);
    }

    #[test]
    fn an_agents_turn_ends_with_its_last_voiced_packet() {
        let mut report = CallReport::default();
        let t0 = Instant::now();
        let t1 = t0 + Duration::from_secs(1);

        report.note(t0, &ObservationKind::AgentVoice);
        assert!(report.agent_is_speaking());
        report.note(t1 + Duration::from_millis(600), &ObservationKind::AgentSilent { since: t1 });

        assert_eq!(report.agent_turns, [Turn { began: t0, ended: Some(t1) }]);
        assert!(!report.agent_is_speaking());
    }

    #[test]
    fn a_forgery_does_not_start_the_clock() {
        let mut report = CallReport::default();
        let posted = |attempt| ObservationKind::WebhookPosted { event: Event::Connect, attempt };
        let t0 = Instant::now();
        let t1 = t0 + Duration::from_secs(1);

        report.note(t0, &posted(0));
        report.note(t1, &posted(1));

        assert_eq!(report.posted, Some(t1));
    }

    #[test]
    fn a_refused_accept_is_not_taken_for_an_answer() {
        let mut report = CallReport::default();

        let refused = ObservationKind::Action { name: ActionName::Accept, status: 400, code: Some(138_008) };
        report.note(Instant::now(), &refused);

        assert_eq!(report.accepted, None);
    }
}
