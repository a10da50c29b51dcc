//! Receives from the agent: through the filter, into the peer, and out of the speaker.

use super::Relay;
use crate::ObservationKind;
use crate::relay::datagram::{self, Kind, RtpHeader};
use crate::relay::datagram_filter::Route;
use crate::relay::speech_detector::Change;
use std::net::SocketAddr;
use std::time::Instant;
use str0m::Event;
use str0m::rtp::RtpPacket;

const OPUS: u8 = 111;

impl Relay {
    /// Takes a datagram from the network.
    pub(super) async fn handle_datagram(&mut self, datagram: &[u8], from: SocketAddr) {
        let now = Instant::now();
        let decision = self.filter.judge(datagram, from.ip());
        if let Some(fault) = decision.fault {
            self.call.observe(ObservationKind::Violation(fault));
        }
        match decision.route {
            Route::Drop => {}
            Route::Reply(reply) => self.send(&reply, from).await,
            Route::Pass => self.let_in(datagram, from, now),
        }
        self.call.with(|state| state.early = self.filter.early());
    }

    fn let_in(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        match (datagram::kind(datagram), RtpHeader::parse(datagram)) {
            (Kind::Rtp, Some(header)) => self.inspect(header, now),
            (Kind::Rtcp, _) if self.filter.is_open() => {
                self.call.with(|state| state.reports += 1);
                self.call.step(|signalling| signalling.handle_rtcp(now));
            }
            _ => {}
        }
        let taken = self.peer.handle_datagram(datagram, from, now);
        self.survive(taken);
    }

    fn inspect(&mut self, header: RtpHeader, now: Instant) {
        self.peer.listen_to(header.ssrc);
        if self.replayer.is_some() {
            return;
        }
        for fault in self.call.with(|state| state.inspector.inspect(header, now)) {
            self.call.observe(ObservationKind::Violation(fault));
        }
    }

    /// Takes what the connection made of datagrams.
    pub(super) fn handle_event(&mut self, event: Event) {
        match event {
            Event::IceConnectionStateChange(state) if state.is_connected() && !self.filter.has_path() => {
                self.filter.handle_path();
                self.call.observe(ObservationKind::IceConnected);
            }
            Event::Connected => {
                self.connected = true;
                self.call.observe(ObservationKind::DtlsConnected);
                self.open_microphone(!self.waits_for_media());
            }
            Event::RtpPacket(packet) => self.hear(&packet),
            _ => {}
        }
    }

    fn hear(&mut self, packet: &RtpPacket) {
        let at = packet.timestamp;
        self.call.step(|signalling| signalling.handle_rtp(at));
        if self.call.with(|state| state.report.first_packet.is_none()) {
            self.call.observe_at(at, ObservationKind::FirstPacket);
        }
        self.open_microphone(true);
        if self.replayer.is_some() {
            let (header, bytes) = (&packet.header, packet.payload.len());
            let (timestamp, sequence) = (header.timestamp, header.sequence_number);
            return self.call.with(|state| state.counter.handle_packet(timestamp, sequence, bytes, at));
        }
        if *packet.header.payload_type == OPUS {
            self.play(packet.header.timestamp, &packet.payload, at);
        }
    }

    fn play(&mut self, timestamp: u32, payload: &[u8], at: Instant) {
        let played = self.speaker.play(timestamp, payload);
        if self.call.caller.keeps_recording {
            self.call.with(|state| state.recording.extend(played.samples));
        }
        if let Some(fault) = played.fault {
            self.call.observe(ObservationKind::Violation(fault));
        }
        let change = self.speech_detector.handle_frame(played.voiced, at);
        self.observe_voice(change, at);
    }

    /// Tells that the agent began to speak, or fell silent.
    pub(super) fn observe_voice(&self, change: Option<Change>, at: Instant) {
        match change {
            None => {}
            Some(Change::Began) => self.call.observe_at(at, ObservationKind::AgentVoice),
            Some(Change::FellSilent { since }) => {
                self.call.observe_at(at, ObservationKind::AgentSilent { since })
            }
        }
    }
}
