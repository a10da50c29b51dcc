//! Converts between RTCP reports and the WebRTC crate's packets: sender and receiver reports, and SDES.

use audio::{Report, ReportBlock};
use bytes::Bytes;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};

/// An RTCP packet of the WebRTC crate.
pub(super) type RtcpPacket = Box<dyn rtc::rtcp::Packet>;

/// An item of the far side's reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RtcpReceived {
    /// Its clock, from a sender report: the SSRC and the NTP timestamp.
    Clock(u32, u64),
    /// How one of our streams arrives.
    Block(ReportBlock),
}

/// Returns a compound packet of a sender report and our CNAME, as RFC 3550 requires.
pub(super) fn write(ours: u32, name: &str, report: &Report) -> Vec<RtcpPacket> {
    let sender = SenderReport {
        ssrc: ours,
        ntp_time: report.ntp,
        rtp_time: report.timestamp,
        packet_count: report.packets,
        octet_count: report.octets,
        reports: report.caller.iter().map(to_wire).collect(),
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

/// Passes each item of a compound packet to `handle`.
pub(super) fn read(packets: &[RtcpPacket], mut handle: impl FnMut(RtcpReceived)) {
    for packet in packets {
        let any = packet.as_any();
        if let Some(report) = any.downcast_ref::<SenderReport>() {
            handle(RtcpReceived::Clock(report.ssrc, report.ntp_time));
            report.reports.iter().map(from_wire).for_each(&mut handle);
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            report.reports.iter().map(from_wire).for_each(&mut handle);
        }
    }
}

fn to_wire(block: &ReportBlock) -> ReceptionReport {
    ReceptionReport {
        ssrc: block.stream,
        fraction_lost: block.lost_of_256,
        total_lost: block.lost,
        last_sequence_number: block.highest,
        jitter: block.jitter,
        last_sender_report: block.last_report,
        delay: block.since_last_report,
    }
}

fn from_wire(report: &ReceptionReport) -> RtcpReceived {
    // A signed 24-bit count: duplicates can make it negative.
    let lost = if report.total_lost > 0x7f_ffff { 0 } else { report.total_lost };
    RtcpReceived::Block(ReportBlock {
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
    fn reports_survive_a_round_trip() {
        let block =
            ReportBlock { stream: 7, lost_of_256: 3, lost: 9, highest: 70_000, ..ReportBlock::default() };
        let report = Report { ntp: 1 << 33, timestamp: 5, packets: 2, octets: 80, caller: Some(block) };
        let bytes = rtc::rtcp::packet::marshal(&write(42, "agent-1", &report)).expect("it can be written");

        let read_again = rtc::rtcp::packet::unmarshal(&mut bytes.clone()).expect("it is RTCP");

        let mut told = vec![];
        read(&read_again, |heard| told.push(heard));
        assert_eq!(told, [RtcpReceived::Clock(42, 1 << 33), RtcpReceived::Block(block)]);
        assert_eq!((bytes[1], bytes.len() % 4), (200, 0));
    }
}
