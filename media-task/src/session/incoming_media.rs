//! Handles what the caller's phone sends: RTP audio and DTMF go to the jitter buffer, decoded audio to the model.

use super::{CallSession, ms};
use crate::codec;
use crate::webrtc::PeerEvent;
use audio::{DtmfPacket, Packet};
use call::Ending;
use journal::JournalEvent;
use std::net::SocketAddr;
use std::time::Instant;
use store::Side;

impl CallSession {
    /// Handles a datagram from the call's socket.
    pub(super) fn handle_datagram(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        if self.media.handle_datagram(datagram, from, now) {
            self.bridge.note_liveness(now);
        }
    }

    /// Handles every event that the WebRTC peer has queued.
    pub(super) fn poll_peer(&mut self, now: Instant) {
        while let Some(event) = self.media.poll_event(now) {
            match event {
                PeerEvent::Connected => {
                    self.acceptance.progress.note_connected();
                    let took_ms = ms(self.acceptance.since_offer(now));
                    self.agent.record.note(JournalEvent::MediaConnected { took_ms });
                }
                PeerEvent::Closed => self.handle_peer_closed(),
                PeerEvent::Audio { stream, sequence, timestamp, payload } => {
                    let sound = codec::inspect(payload);
                    if sound.is_none() {
                        self.bridge.count_malformed();
                    }
                    self.bridge.handle_packet(Packet { stream, sequence, timestamp, sound }, now);
                }
                PeerEvent::Dtmf { stream, sequence, timestamp, clock, payload } => {
                    self.bridge.handle_packet(Packet { stream, sequence, timestamp, sound: None }, now);
                    let key = DtmfPacket { stream, sequence, timestamp, clock, payload: &payload };
                    self.bridge.handle_dtmf(&key, now);
                }
                PeerEvent::Foreign { stream, sequence, timestamp } => {
                    self.bridge.count_foreign();
                    self.bridge.handle_packet(Packet { stream, sequence, timestamp, sound: None }, now);
                }
                PeerEvent::RtcpReport => {}
            }
        }
    }

    /// Decodes what the jitter buffer releases, and appends it to the model's input, 40 ms at a time.
    pub(super) fn send_to_model(&mut self, now: Instant) {
        while let Some(step) = self.bridge.poll_step() {
            let (samples, is_decoded) = self.media.decode(&step, now);
            if !is_decoded {
                self.bridge.count_malformed();
            }
            self.agent.record.note_level(Side::Caller, samples, now);
            self.bridge.gate(samples, now);
            self.media.append_when_full(|samples| self.agent.model.append_audio(samples, now));
        }
    }

    fn handle_peer_closed(&mut self) {
        let ending = if self.bridge.is_open() { Ending::CallerVanished } else { Ending::MediaNeverConnected };
        self.agent.closing.end(ending);
    }

    /// Writes new findings about the call's media to the journal.
    pub(super) fn note_findings(&mut self, now: Instant) {
        self.media.diagnose(now);
        while let Some(finding) = self.media.poll_finding() {
            self.agent.record.note_finding(finding);
        }
    }
}
