//! Looks at the header of each packet the agent sends after `accept`, and finds what is wrong with the stream.

use super::Lateness;
use super::datagram::RtpHeader;
use crate::ProtocolViolation;
use crate::report::{Percentiles, Traffic};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

const OPUS: u8 = 111;
const TELEPHONE_EVENT: u8 = 126;
/// 20 ms at 48 kHz.
const STEP: i32 = 960;
const LONGEST_GAP: Duration = Duration::from_millis(60);
/// This many packets within `BURST_TIME` are 100 ms of sound at once.
const BURST: usize = 5;
const BURST_TIME: Duration = Duration::from_millis(10);

/// The stream so far.
#[derive(Debug, Default)]
pub(crate) struct Inspector {
    announced: Option<u32>,
    first: Option<RtpHeader>,
    last: Option<(RtpHeader, Instant)>,
    recent: VecDeque<Instant>,
    packets: u64,
    longest_gap: Duration,
    lateness: Lateness,
}

impl Inspector {
    /// The answer announced this stream.
    pub(crate) fn expect(&mut self, ssrc: Option<u32>) {
        self.announced = ssrc;
    }

    /// Looks at a packet; says what is wrong with it.
    pub(crate) fn inspect(&mut self, header: RtpHeader, now: Instant) -> Vec<ProtocolViolation> {
        let mut faults = self.inspect_header(header);
        let first = *self.first.get_or_insert(header);
        if header.ssrc != first.ssrc {
            faults.push(ProtocolViolation::SecondSsrc { ssrc: header.ssrc });
            return faults;
        }
        faults.extend(self.inspect_order(header));
        faults.extend(self.inspect_pace(now));
        self.packets += 1;
        self.last = Some((header, now));
        let ticks = header.timestamp.wrapping_sub(first.timestamp);
        self.lateness.note(Duration::from_micros(u64::from(ticks) * 1_000 / 48), now);
        faults
    }

    /// Forgets how late packets were, and the gaps between them. A gap that goes on counts from its beginning.
    pub(crate) fn measure_anew(&mut self) {
        self.longest_gap = Duration::ZERO;
        self.lateness = Lateness::default();
    }

    /// Adds what was counted.
    pub(crate) fn add_to(&self, traffic: &mut Traffic) {
        traffic.packets = self.packets;
        traffic.longest_gap = self.longest_gap;
        traffic.lateness = self.percentiles();
    }

    fn percentiles(&self) -> Percentiles {
        self.lateness.percentiles()
    }

    fn inspect_header(&self, header: RtpHeader) -> Vec<ProtocolViolation> {
        let mut faults = Vec::new();
        if header.has_extension {
            faults.push(ProtocolViolation::HeaderExtension);
        }
        if ![OPUS, TELEPHONE_EVENT].contains(&header.payload_type) {
            faults.push(ProtocolViolation::WrongPayloadType(header.payload_type));
        }
        if let Some(announced) = self.announced.filter(|ssrc| self.first.is_none() && *ssrc != header.ssrc) {
            faults.push(ProtocolViolation::UnannouncedSsrc { announced, used: header.ssrc });
        }
        faults
    }

    fn inspect_order(&self, header: RtpHeader) -> Vec<ProtocolViolation> {
        let Some((last, _)) = self.last else { return Vec::new() };
        let packets = i32::from(header.sequence.wrapping_sub(last.sequence) as i16);
        let ticks = header.timestamp.wrapping_sub(last.timestamp) as i32;
        let off = ticks.wrapping_sub(packets.wrapping_mul(STEP));
        let of_events = [header, last].iter().any(|header| header.payload_type == TELEPHONE_EVENT);
        let mut faults = Vec::new();
        if packets != 1 {
            faults.push(ProtocolViolation::SequenceJump(packets - 1));
        }
        // All packets of one telephone event bear the time it began (RFC 4733, section 2.1).
        if off != 0 && !of_events {
            faults.push(ProtocolViolation::TimestampJump(off));
        }
        faults
    }

    fn inspect_pace(&mut self, now: Instant) -> Vec<ProtocolViolation> {
        let mut faults = Vec::new();
        if let Some((_, last)) = self.last {
            let gap = now.saturating_duration_since(last);
            self.longest_gap = self.longest_gap.max(gap);
            if gap > LONGEST_GAP {
                faults.push(ProtocolViolation::Gap(gap));
            }
        }
        self.recent.push_back(now);
        self.recent.retain(|at| now.saturating_duration_since(*at) < BURST_TIME);
        if self.recent.len() >= BURST {
            faults.push(ProtocolViolation::Burst(self.recent.len()));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_has_no_faults_and_is_never_late() {
        let mut stream = Stream::new();

        for n in 0..200 {
            assert_eq!(stream.send(packet(n), 20 * u64::from(n)), []);
        }

        let traffic = stream.traffic();
        assert_eq!((traffic.packets, traffic.longest_gap.as_millis()), (200, 20));
        assert_eq!(traffic.lateness, Percentiles::default());
    }

    #[test]
    fn sequence_and_timestamp_may_wrap() {
        let mut stream = Stream::new();
        let header = RtpHeader { sequence: u16::MAX, timestamp: u32::MAX - 959, ..packet(0) };

        stream.send(header, 0);

        assert_eq!(stream.send(RtpHeader { sequence: 0, timestamp: 0, ..header }, 20), []);
    }

    #[test]
    fn flags_a_second_stream_and_keeps_the_first() {
        let mut stream = Stream::new();
        stream.send(packet(0), 0);

        let violations = stream.send(RtpHeader { ssrc: 2, ..packet(9) }, 10);
        assert_eq!(violations, [ProtocolViolation::SecondSsrc { ssrc: 2 }]);
        assert_eq!(stream.send(packet(1), 20), []);
    }

    #[test]
    fn flags_a_stream_the_answer_did_not_announce() {
        let mut stream = Stream::new();
        stream.inspector.expect(Some(7));

        assert_eq!(stream.send(packet(0), 0), [ProtocolViolation::UnannouncedSsrc { announced: 7, used: 1 }]);
        assert_eq!(stream.send(packet(1), 20), []);
    }

    #[test]
    fn flags_extensions_and_foreign_payload_types() {
        let mut stream = Stream::new();

        let violations = stream.send(RtpHeader { has_extension: true, ..packet(0) }, 0);
        assert_eq!(violations, [ProtocolViolation::HeaderExtension]);
        let violations = stream.send(RtpHeader { payload_type: 0, ..packet(1) }, 20);
        assert_eq!(violations, [ProtocolViolation::WrongPayloadType(0)]);
        assert_eq!(stream.send(RtpHeader { payload_type: 126, ..packet(2) }, 40), []);
    }

    #[test]
    fn flags_a_gap_over_60_ms_but_not_one_of_60() {
        let mut stream = Stream::new();
        stream.send(packet(0), 0);

        assert_eq!(stream.send(packet(1), 60), []);
        assert_eq!(stream.send(packet(2), 121), [ProtocolViolation::Gap(Duration::from_millis(61))]);
    }

    #[test]
    fn measured_anew_only_what_comes_counts_and_a_gap_that_goes_on() {
        let mut stream = Stream::new();
        stream.send(packet(0), 0);
        stream.send(packet(1), 220);
        stream.inspector.measure_anew();

        for n in 2..10 {
            stream.send(packet(n), 240 + 20 * u64::from(n));
        }

        let traffic = stream.traffic();
        assert_eq!((traffic.longest_gap.as_millis(), traffic.lateness), (60, Percentiles::default()));
    }

    #[test]
    fn flags_lost_and_repeated_packets() {
        let mut stream = Stream::new();
        stream.send(packet(0), 0);

        assert_eq!(stream.send(packet(3), 20), [ProtocolViolation::SequenceJump(2)]);
        assert_eq!(stream.send(packet(3), 40), [ProtocolViolation::SequenceJump(-1)]);
    }

    #[test]
    fn flags_timestamps_that_do_not_follow_the_packets() {
        let mut stream = Stream::new();
        stream.send(packet(0), 0);

        let violations = stream.send(RtpHeader { timestamp: 480, ..packet(1) }, 20);
        assert_eq!(violations, [ProtocolViolation::TimestampJump(-480)]);
    }

    #[test]
    fn flags_five_packets_at_once_but_not_four() {
        let mut stream = Stream::new();
        for n in 0..4 {
            assert_eq!(stream.send(packet(n), 2 * u64::from(n)), []);
        }

        assert_eq!(stream.send(packet(4), 8), [ProtocolViolation::Burst(5)]);
    }

    struct Stream {
        inspector: Inspector,
        start: Instant,
    }

    impl Stream {
        fn new() -> Stream {
            Stream { inspector: Inspector::default(), start: Instant::now() }
        }

        fn send(&mut self, header: RtpHeader, ms: u64) -> Vec<ProtocolViolation> {
            self.inspector.inspect(header, self.start + Duration::from_millis(ms))
        }

        fn traffic(&self) -> Traffic {
            let mut traffic = Traffic::default();
            self.inspector.add_to(&mut traffic);
            traffic
        }
    }

    fn packet(n: u16) -> RtpHeader {
        let timestamp = u32::from(n) * 960;
        RtpHeader { payload_type: 111, sequence: n, timestamp, ssrc: 1, has_extension: false }
    }
}
