//! The findings of a monitored call on virtual time.

use super::*;
use Diagnosis::{
    CallerMuted, CandidateUnreachable, ClockStalled, DtlsNever, NoRtpIn, NoStunAnswer, PortBlocked,
    RoleConflict, WrongPayload,
};

const OPUS: DatagramKind = DatagramKind::Rtp { payload_type: 111 };
const PCMU: DatagramKind = DatagramKind::Rtp { payload_type: 0 };

#[test]
fn a_healthy_call_has_no_finding() {
    let mut call = MonitoredCall::connected();
    call.talks(0, 120_000);

    assert_eq!(call.verdicts(), []);
}

#[test]
fn unanswered_checks_are_reported_after_eight_seconds() {
    let mut call = MonitoredCall::ringing();
    call.checks(0, 7_980);
    assert_eq!(call.verdicts(), []);

    call.checks(8_000, 9_000);

    let finding = call.finding();
    assert_eq!(finding.verdict, NoStunAnswer);
    assert_eq!(finding.evidence, "401 STUN checks left in 8.0 s and no datagram came back.");
}

#[test]
fn a_late_answer_of_meta_is_no_finding() {
    let mut call = MonitoredCall::ringing();
    call.checks(0, 7_000);
    call.receive(DatagramKind::StunSuccess, 7_000);
    call.monitor.handle_connected(call.at(7_100));
    call.pass(30_000);

    assert_eq!(call.verdicts(), []);
}

#[test]
fn lasting_487_is_a_role_conflict_and_a_settled_one_is_not() {
    let (mut stubborn, mut settling) = (MonitoredCall::ringing(), MonitoredCall::ringing());
    for call in [&mut stubborn, &mut settling] {
        call.checks(0, 20);
        call.receive(DatagramKind::StunError(487), 20);
    }
    settling.receive(DatagramKind::StunSuccess, 60);
    settling.monitor.handle_connected(settling.at(80));

    stubborn.pass(1_600);
    settling.pass(1_600);

    assert_eq!((stubborn.verdicts(), settling.verdicts()), (vec![RoleConflict], vec![]));
}

#[test]
fn rejected_datagrams_are_a_blocked_port() {
    let mut call = MonitoredCall::ringing();
    for ms in (0..3_000).step_by(20) {
        call.monitor.handle_out(DatagramKind::StunRequest, call.at(ms));
        call.monitor.handle_refusal(SendError::Refused, call.at(ms));
    }
    call.pass(3_000);

    let finding = call.finding();
    assert_eq!(finding.verdict, PortBlocked);
    assert!(finding.evidence.contains("reports its port closed"), "{}", finding.evidence);
}

#[test]
fn a_private_address_is_a_finding_only_without_stun_answers() {
    let (mut silent, mut answered) = (MonitoredCall::behind("10.0.0.7"), MonitoredCall::behind("10.0.0.7"));
    answered.receive(DatagramKind::StunSuccess, 100);
    answered.monitor.handle_connected(answered.at(200));

    silent.pass(9_000);
    answered.pass(9_000);

    assert_eq!((silent.verdicts(), answered.verdicts()), (vec![CandidateUnreachable], vec![]));
}

#[test]
fn an_unanswered_dtls_handshake_is_reported_three_seconds_after_ice() {
    let mut call = MonitoredCall::ringing();
    call.receive(DatagramKind::StunSuccess, 500);
    for ms in [510, 1_510, 3_510] {
        call.monitor.handle_out(DatagramKind::Dtls, call.at(ms));
    }
    call.pass(3_499);
    assert_eq!(call.verdicts(), []);

    call.pass(3_500);

    assert_eq!(call.verdicts(), [DtlsNever]);
}

#[test]
fn an_open_line_without_rtp_is_the_only_finding_after_five_seconds() {
    let mut call = MonitoredCall::connected();
    for ms in (0..60_000).step_by(2_000) {
        call.receive(DatagramKind::StunSuccess, ms);
    }

    call.pass(60_000);

    assert_eq!(call.verdicts(), [NoRtpIn]);
}

#[test]
fn rtp_with_another_payload_type_is_reported_with_its_number() {
    let mut call = MonitoredCall::connected();
    for ms in (0..1_020).step_by(20) {
        call.receive(PCMU, ms);
    }

    let finding = call.finding();
    assert_eq!(finding.verdict, WrongPayload);
    assert!(finding.evidence.contains("payload type 0, and none with 111"), "{}", finding.evidence);
}

#[test]
fn a_first_packet_of_another_payload_type_is_no_finding() {
    let mut call = MonitoredCall::connected();
    call.receive(PCMU, 0);
    call.talks(20, 10_000);

    assert_eq!(call.verdicts(), []);
}

#[test]
fn a_caller_who_mutes_repeatedly_is_reported_once() {
    let mut call = MonitoredCall::connected();
    for start in [0, 20_000] {
        call.talks(start, start + 5_000);
        for ms in (start + 6_000..start + 20_000).step_by(2_000) {
            call.receive(DatagramKind::StunSuccess, ms);
        }
    }

    assert_eq!(call.verdicts(), [CallerMuted]);
}

#[test]
fn a_caller_never_audible_counts_as_muted_and_a_listener_does_not() {
    let (mut mute, mut listener) = (MonitoredCall::connected(), MonitoredCall::connected());
    listener.talks(0, 2_000);
    for ms in (2_000..40_000).step_by(20) {
        for call in [&mut mute, &mut listener] {
            call.receive(OPUS, ms);
            call.monitor.handle_sound(AudioActivity::Silent, call.at(ms));
        }
    }

    assert_eq!((mute.verdicts(), listener.verdicts()), (vec![CallerMuted], vec![]));
}

#[test]
fn an_outage_of_three_seconds_is_survived_one_of_ten_is_not() {
    let mut call = MonitoredCall::connected();
    call.talks(0, 5_000);
    call.talks(8_000, 10_000);
    assert_eq!(call.verdicts(), []);

    call.pass(19_980);

    let finding = call.finding();
    assert_eq!(finding.verdict, NoStunAnswer);
    assert!(finding.evidence.starts_with("Nothing has come for 10.0 s"), "{}", finding.evidence);
}

#[test]
fn a_stall_is_reported_and_its_time_counts_for_no_other_finding() {
    let mut call = MonitoredCall::connected();
    call.talks(0, 1_000);
    call.monitor.handle_wake(secs(12), call.at(13_000));
    call.talks(13_000, 14_000);

    let finding = call.finding();
    assert_eq!(finding.verdict, ClockStalled);
    assert!(finding.evidence.contains("by 12.0 s in total"), "{}", finding.evidence);
    assert_eq!(call.verdicts(), []);
}

#[test]
fn giving_up_early_reports_what_is_missing_by_then() {
    let (mut unanswered, mut unshaken, mut well) =
        (MonitoredCall::ringing(), MonitoredCall::ringing(), MonitoredCall::connected());
    unshaken.receive(DatagramKind::StunSuccess, 1_000);

    for call in [&mut unanswered, &mut unshaken, &mut well] {
        call.monitor.give_up(call.at(2_000));
    }

    assert_eq!(unanswered.verdicts(), [NoStunAnswer]);
    assert_eq!(unshaken.verdicts(), [DtlsNever]);
    assert_eq!(well.verdicts(), []);
}

/// A monitored call on virtual time.
struct MonitoredCall {
    start: Instant,
    monitor: MediaMonitor,
}

impl MonitoredCall {
    fn ringing() -> Self {
        Self::behind("127.0.0.1")
    }

    fn behind(advertised: &str) -> Self {
        let here = "127.0.0.1".parse().expect("it is an address");
        let context = MediaContext {
            advertised: advertised.parse().expect("it is an address"),
            bound: here,
            relays: vec![here],
            opus: 111,
            keys: vec![126],
        };
        let start = Instant::now();
        Self { start, monitor: MediaMonitor::new(context, start) }
    }

    fn connected() -> Self {
        let mut call = Self::ringing();
        call.receive(DatagramKind::StunSuccess, 0);
        call.monitor.handle_connected(call.start);
        call.monitor.open(call.start);
        call
    }

    fn checks(&mut self, from_ms: u64, to_ms: u64) {
        for ms in (from_ms..=to_ms).step_by(20) {
            self.monitor.handle_out(DatagramKind::StunRequest, self.at(ms));
            self.pass(ms);
        }
    }

    fn talks(&mut self, from_ms: u64, to_ms: u64) {
        for ms in (from_ms..to_ms).step_by(20) {
            self.receive(OPUS, ms);
            self.monitor.handle_sound(AudioActivity::Audible, self.at(ms));
        }
    }

    /// Handles the timeouts due before the datagram, then receives it.
    fn receive(&mut self, kind: DatagramKind, at_ms: u64) {
        self.pass(at_ms);
        self.monitor.handle_in(kind, self.at(at_ms));
        self.monitor.handle_timeout(self.at(at_ms));
    }

    fn pass(&mut self, to_ms: u64) {
        let end = self.at(to_ms);
        while let Some(due) = self.monitor.poll_timeout().filter(|due| *due <= end) {
            self.monitor.handle_timeout(due.max(self.start));
        }
    }

    fn finding(&mut self) -> Finding {
        self.monitor.poll_finding().expect("a finding is due")
    }

    fn verdicts(&mut self) -> Vec<Diagnosis> {
        std::iter::from_fn(|| self.monitor.poll_finding()).map(|finding| finding.verdict).collect()
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
