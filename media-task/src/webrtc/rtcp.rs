//! RTCP as it is written: a bridge's reports to the stack's packets, and back.

use audio::{Report, ReportBlock};
use bytes::Bytes;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};

/// A packet of RTCP.
pub(super) type RtcpPacket = Box<dyn rtc::rtcp::Packet>;

/// What the far side tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RtcpReceived {
    /// Its clock: which stream, and NTP's time.
    Clock(u32, u64),
    /// How a stream of ours arrives.
    About(ReportBlock),
}

/// A report and our name, in one datagram as RFC 3550 wants it.
pub(super) fn write(ours: u32, name: &str, report: &Report) -> Vec<RtcpPacket> {
    let sender = SenderReport {
        ssrc: ours,
        ntp_time: report.ntp,
        rtp_time: report.timestamp,
        packet_count: report.packets,
        octet_count: report.octets,
        reports: report.caller.iter().map(written).collect(),
        ..Default::default()
    };
    let name = SourceDescriptionItem {
        sdes_type: SdesType::SdesCname,
        text: Bytes::copy_from_slice(name.as_bytes()),
    };
    let names =
        SourceDescription { chunks: vec![SourceDescriptionChunk { source: ours, items: vec![name] }] };
    vec![Box::new(sender), Box::new(names)]
}

/// Tells what a compound packet says.
pub(super) fn read(packets: &[RtcpPacket], mut told: impl FnMut(RtcpReceived)) {
    for packet in packets {
        let any = packet.as_any();
        if let Some(report) = any.downcast_ref::<SenderReport>() {
            told(RtcpReceived::Clock(report.ssrc, report.ntp_time));
            report.reports.iter().map(understood).for_each(&mut told);
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            report.reports.iter().map(understood).for_each(&mut told);
        }
    }
}

fn written(about: &ReportBlock) -> ReceptionReport {
    ReceptionReport {
        ssrc: about.stream,
        fraction_lost: about.lost_of_256,
        total_lost: about.lost,
        last_sequence_number: about.highest,
        jitter: about.jitter,
        last_sender_report: about.last_report,
        delay: about.since_last_report,
    }
}

fn understood(report: &ReceptionReport) -> RtcpReceived {
    // 24 bits with a sign: duplicates can make it negative.
    let lost = if report.total_lost > 0x7f_ffff { 0 } else { report.total_lost };
    RtcpReceived::About(ReportBlock {
        stream: report.ssrc,
        lost_of_256: report.fraction_lost,
        lost,
        highest: report.last_sequence_number,
        jitter: report.jitter,
        last_report: report.last_sender_report,
        since_last_report: report.delay,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let about =
            ReportBlock { stream: 7, lost_of_256: 3, lost: 9, highest: 70_000, ..ReportBlock::default() };
        let report = Report { ntp: 1 << 33, timestamp: 5, packets: 2, octets: 80, caller: Some(about) };
        let bytes = rtc::rtcp::packet::marshal(&write(42, "agent-1", &report)).expect("it can be written");

        let read_again = rtc::rtcp::packet::unmarshal(&mut bytes.clone()).expect("it is RTCP");

        let mut told = vec![];
        read(&read_again, |heard| told.push(heard));
        assert_eq!(told, [RtcpReceived::Clock(42, 1 << 33), RtcpReceived::About(about)]);
        assert_eq!((bytes[1], bytes.len() % 4), (200, 0));
    }
}
