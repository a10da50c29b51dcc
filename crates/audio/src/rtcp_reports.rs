//! RTCP sender and receiver reports (RFC 3550): loss, jitter and round-trip time in both directions.
//!
//! Computes the values only; the WebRTC stack encodes and decodes the packets.

use std::time::{Duration, Instant};

/// The report interval. A compound packet of both streams with CNAME takes some 100 bytes, 2 % of the audio's bit
/// rate.
const INTERVAL: Duration = Duration::from_secs(2);

/// The RTP clock rate of Opus, in ticks per second.
const CLOCK: u64 = 48_000;

/// The values of an RTCP report to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The current time as an NTP timestamp: seconds since 1900 in the upper half, fractions in the lower.
    pub ntp: u64,
    /// The current time as an RTP timestamp of our stream.
    pub timestamp: u32,
    /// The number of packets sent so far.
    pub packets: u32,
    /// The number of payload bytes sent so far.
    pub octets: u32,
    /// The report block about the caller's stream; `None` before its first packet.
    pub caller: Option<ReportBlock>,
}

/// A report block (RFC 3550, 6.4.1): the reception quality of a stream, as its receiver sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The SSRC of the stream that is reported on.
    pub stream: u32,
    /// The fraction lost since the last report, in 256ths.
    pub lost_of_256: u8,
    /// The cumulative number of packets lost.
    pub lost: u32,
    /// The extended highest sequence number: the wrap-around count in the upper half.
    pub highest: u32,
    /// The interarrival jitter, in ticks of 48 kHz.
    pub jitter: u32,
    /// The middle 32 bits of the NTP timestamp of the last sender report (LSR); zero without one.
    pub last_report: u32,
    /// The delay since that report (DLSR), in 65,536ths of a second.
    pub since_last_report: u32,
}

/// The reception quality of our stream, as the far side reports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RemoteReport {
    /// The share of our packets lost since its last report, 0 to 1.
    pub loss: f32,
    /// The share of all our packets that was lost, 0 to 1.
    pub loss_so_far: f32,
    /// The interarrival jitter of our packets.
    pub jitter: Duration,
    /// The round-trip time, once a report block has echoed a sender report of ours.
    pub round_trip: Option<Duration>,
}

/// The state of RTCP reporting of a call.
#[derive(Debug)]
pub struct RtcpReports {
    epoch: Instant,
    /// The time from 1900 to `epoch`.
    ntp_epoch: Duration,
    next_at: Option<Instant>,
    sent: Option<(u32, Instant)>,
    packets: u32,
    octets: u32,
    source: Option<Source>,
    remote: Option<RemoteReport>,
    jitter: Duration,
}

/// The reception statistics of the caller's stream.
#[derive(Debug)]
struct Source {
    stream: u32,
    first: u64,
    highest: u64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    transit: Option<i64>,
    jitter: f64,
    sender_report: Option<(u32, Instant)>,
}

impl RtcpReports {
    /// Creates the state of a call without packets. `unix` is the time since 1970 at `now`.
    pub fn new(now: Instant, unix: Duration) -> Self {
        let since_1900 = Duration::from_secs(2_208_988_800);
        Self {
            epoch: now,
            ntp_epoch: unix + since_1900,
            next_at: None,
            sent: None,
            packets: 0,
            octets: 0,
            source: None,
            remote: None,
            jitter: Duration::ZERO,
        }
    }

    /// Notes an RTP packet that we send. The first report is due half an interval after the first packet.
    pub fn note_sent(&mut self, timestamp: u32, octets: usize, now: Instant) {
        self.sent = Some((timestamp, now));
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
        self.next_at.get_or_insert(now + INTERVAL / 2);
    }

    /// Notes an RTP packet of the caller. `timestamp` is that of audio; telephone events have no part in the jitter.
    pub fn note_received(&mut self, stream: u32, sequence: u16, timestamp: Option<u32>, now: Instant) {
        let is_known = self.source.as_ref().is_some_and(|source| source.stream == stream);
        if !is_known {
            self.source = None;
        }
        let arrival = ticks(now.saturating_duration_since(self.epoch));
        let source = self.source.get_or_insert_with(|| Source::new(stream, sequence));
        source.receive(sequence, timestamp, arrival);
        self.jitter = duration(source.jitter);
    }

    /// Handles the caller's sender report. Its NTP time is echoed in our report block, from which the far side
    /// computes the round-trip time.
    pub fn handle_sender_report(&mut self, stream: u32, ntp: u64, now: Instant) {
        if let Some(source) = self.source.as_mut().filter(|source| source.stream == stream) {
            source.sender_report = Some(((ntp >> 16) as u32, now));
        }
    }

    /// Handles the far side's report block about our stream.
    pub fn handle_report_block(&mut self, block: &ReportBlock, now: Instant) {
        let round_trip = (block.last_report != 0)
            .then(|| (self.ntp(now) >> 16) as u32)
            .map(|now| now.wrapping_sub(block.last_report).wrapping_sub(block.since_last_report))
            // The far side's clock was set, or the block is nonsense: no call has a round-trip time of over a minute.
            .filter(|units| *units < 60 << 16)
            .map(|units| Duration::from_secs_f64(f64::from(units) / 65_536.0));
        self.remote = Some(RemoteReport {
            loss: f32::from(block.lost_of_256) / 256.0,
            loss_so_far: (block.lost as f32 / self.packets.max(1) as f32).min(1.0),
            jitter: duration(f64::from(block.jitter)),
            round_trip: round_trip.or(self.remote.and_then(|remote| remote.round_trip)),
        });
    }

    /// Returns the far side's last report of our stream.
    pub fn remote(&self) -> Option<RemoteReport> {
        self.remote
    }

    /// Returns the interarrival jitter of the caller's packets.
    pub fn jitter(&self) -> Duration {
        self.jitter
    }

    /// Returns when [`Self::poll`] has a report.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_at
    }

    /// Returns the report that is due.
    pub fn poll(&mut self, now: Instant) -> Option<Report> {
        self.next_at.filter(|at| *at <= now)?;
        self.next_at = Some(now + INTERVAL);
        let (timestamp, at) = self.sent?;
        let since = ticks(now.saturating_duration_since(at)) as u32;
        Some(Report {
            ntp: self.ntp(now),
            timestamp: timestamp.wrapping_add(since),
            packets: self.packets,
            octets: self.octets,
            caller: self.source.as_mut().map(|source| source.report(now)),
        })
    }

    fn ntp(&self, now: Instant) -> u64 {
        let since = self.ntp_epoch + now.saturating_duration_since(self.epoch);
        let parts = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        since.as_secs() << 32 | parts
    }
}

impl Source {
    fn new(stream: u32, sequence: u16) -> Self {
        let first = u64::from(sequence);
        Self {
            stream,
            first,
            highest: first,
            received: 0,
            expected_before: 0,
            received_before: 0,
            transit: None,
            jitter: 0.0,
            sender_report: None,
        }
    }

    fn receive(&mut self, sequence: u16, timestamp: Option<u32>, arrival: u64) {
        let ahead = sequence.wrapping_sub(self.highest as u16) as i16;
        self.highest = self.highest.max(self.highest.saturating_add_signed(i64::from(ahead)));
        self.received += 1;
        let Some(timestamp) = timestamp else { return };
        let transit = i64::from((arrival as u32).wrapping_sub(timestamp) as i32);
        if let Some(last) = self.transit {
            // RFC 3550, A.8, modulo 2³² because the RTP timestamp wraps around every day.
            let moved = f64::from((transit as u32).wrapping_sub(last as u32) as i32).abs();
            self.jitter += (moved - self.jitter) / 16.0;
        }
        self.transit = Some(transit);
    }

    fn report(&mut self, now: Instant) -> ReportBlock {
        let expected = self.highest - self.first + 1;
        let expected_since = expected - self.expected_before;
        let received_since = self.received - self.received_before;
        let lost_since = expected_since.saturating_sub(received_since);
        (self.expected_before, self.received_before) = (expected, self.received);
        let (last_report, since) = match self.sender_report {
            Some((ntp, at)) => (ntp, now.saturating_duration_since(at)),
            None => (0, Duration::ZERO),
        };
        ReportBlock {
            stream: self.stream,
            lost_of_256: (lost_since * 256 / expected_since.max(1)).min(255) as u8,
            lost: expected.saturating_sub(self.received).min(0x7f_ffff) as u32,
            highest: self.highest as u32,
            jitter: self.jitter as u32,
            last_report,
            since_last_report: (since.as_secs_f64() * 65_536.0) as u32,
        }
    }
}

fn ticks(duration: Duration) -> u64 {
    duration.as_micros() as u64 * CLOCK / 1_000_000
}

fn duration(ticks: f64) -> Duration {
    Duration::from_secs_f64(ticks.max(0.0) / CLOCK as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_reported_since_the_last_report_and_in_total() {
        let (start, mut reports) = begun();
        for n in (0..100).filter(|n| n % 4 != 3) {
            reports.note_received(7, n, Some(u32::from(n) * 960), start + ms(u64::from(n) * 20));
        }
        reports.note_received(7, 100, Some(96_000), start + ms(2_000));

        let first =
            reports.poll(start + ms(2_000)).and_then(|report| report.caller).expect("a report is due");
        for n in 101..151 {
            reports.note_received(7, n, Some(u32::from(n) * 960), start + ms(u64::from(n) * 20));
        }
        let second =
            reports.poll(start + ms(4_000)).and_then(|report| report.caller).expect("a report is due");

        assert_eq!((first.stream, first.lost, first.highest), (7, 25, 100));
        assert_eq!(first.lost_of_256, (25 * 256 / 101) as u8);
        assert_eq!((second.lost, second.lost_of_256, second.jitter), (25, 0, 0));
    }

    #[test]
    fn jitter_follows_rfc_3550_and_ignores_telephone_events() {
        let (start, mut reports) = begun();
        for n in 0..400_u16 {
            // Every other packet is 10 ms late: each differs from the last by 480 ticks.
            let late = u64::from(n % 2) * 10;
            reports.note_received(7, n, Some(u32::from(n) * 960), start + ms(u64::from(n) * 20 + late));
        }
        reports.note_received(7, 400, None, start + ms(30_000));

        assert!((9..=10).contains(&reports.jitter().as_millis()), "{:?}", reports.jitter());
    }

    #[test]
    fn round_trip_is_computed_from_our_echoed_report() {
        let (start, mut reports) = begun();
        let ours = reports.poll(start + ms(1_000)).expect("a report is due");

        let block = ReportBlock {
            lost_of_256: 64,
            lost: 1,
            last_report: (ours.ntp >> 16) as u32,
            since_last_report: 65_536 / 2,
            ..ReportBlock::default()
        };
        reports.handle_report_block(&block, start + ms(1_620));

        let remote = reports.remote().expect("a report block was just handled");
        let round_trip = remote.round_trip.expect("our report came back").as_millis();
        assert!((119..=121).contains(&round_trip), "{round_trip} ms");
        assert_eq!((remote.loss, remote.loss_so_far), (0.25, 1.0));
    }

    #[test]
    fn the_callers_sender_report_is_echoed_with_its_age() {
        let (start, mut reports) = begun();
        reports.note_received(7, 65_535, Some(0), start);
        reports.note_received(7, 0, Some(960), start + ms(20));
        reports.handle_sender_report(7, 0x1234_5678_9abc_def0, start + ms(500));
        reports.handle_sender_report(8, 1, start + ms(600));

        let block =
            reports.poll(start + ms(1_000)).and_then(|report| report.caller).expect("a report is due");

        assert_eq!((block.last_report, block.since_last_report), (0x5678_9abc, 32_768));
        assert_eq!((block.highest, block.lost), (65_536, 0), "the sequence numbers wrapped");
    }

    #[test]
    fn ntp_and_rtp_timestamps_name_the_same_moment() {
        let (start, mut reports) = begun();

        let report = reports.poll(start + ms(1_000)).expect("a report is due");

        assert_eq!(report.ntp >> 32, 2_208_988_800 + 1_700_000_001);
        assert_eq!((report.timestamp, report.packets, report.octets), (5_000 + 48_000, 1, 50));
        assert_eq!(reports.poll_timeout(), Some(start + ms(3_000)));
    }

    fn begun() -> (Instant, RtcpReports) {
        let start = Instant::now();
        let mut reports = RtcpReports::new(start, Duration::from_secs(1_700_000_000));
        reports.note_sent(5_000, 50, start);
        (start, reports)
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}
