//! Handles what the caller's phone sends: RTP audio and DTMF go to the jitter buffer, decoded audio to the model, RTCP to the encoder.

use super::{APPEND_SAMPLES, CallSession, SessionEnd, ms};
use crate::codec;
use crate::webrtc::PeerEvent;
use crate::webrtc::datagram::kind;
use audio::{DecodeStep, DtmfPacket, Packet};
use call::Ending;
use journal::JournalEvent;
use std::net::SocketAddr;
use std::time::Instant;
use store::Side;

impl CallSession {
    /// Handles a datagram from the call's socket.
    pub(super) fn handle_datagram(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        self.parts.monitor.handle_in(kind(datagram), now);
        if self.parts.peer.handle_datagram(datagram, from, now) {
            self.bridge.note_liveness(now);
        }
    }

    /// Handles every event that the WebRTC peer has queued.
    pub(super) fn poll_peer(&mut self, now: Instant) {
        while let Some(event) = self.parts.peer.poll_event(now) {
            match event {
                PeerEvent::Connected => {
                    self.answering.note_connected();
                    self.parts.monitor.handle_connected(now);
                    self.note(JournalEvent::MediaConnected { took_ms: ms(now - self.offered_at) });
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
                PeerEvent::RtcpReport => {
                    if let Some(remote) = self.parts.peer.report().remote {
                        self.tuning.handle_loss(remote.loss);
                    }
                }
            }
        }
    }

    /// Decodes what the jitter buffer releases, and appends it to the model's input, 40 ms at a time.
    pub(super) fn send_to_model(&mut self, now: Instant) {
        while let Some(step) = self.bridge.poll_step() {
            let start = self.caller_samples.len();
            if !self.decoder.decode(&step, &mut self.caller_samples) {
                self.bridge.count_malformed();
            }
            if matches!(step, DecodeStep::Decode(_)) {
                self.note_audio_activity(start, now);
            }
            self.levels
                .iter_mut()
                .for_each(|levels| levels.note(Side::Caller, &self.caller_samples[start..], now));
            self.bridge.gate(&mut self.caller_samples[start..], now);
            if self.caller_samples.len() >= APPEND_SAMPLES {
                self.parts.model.append_audio(&self.caller_samples, now);
                self.caller_samples.clear();
            }
        }
    }

    fn handle_peer_closed(&mut self) {
        let ending = if self.bridge.is_open() { Ending::CallerVanished } else { Ending::MediaNeverConnected };
        self.end.get_or_insert(SessionEnd::Unreported(ending));
    }
}
