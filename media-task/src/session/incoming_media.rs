//! What the caller's phone sends: its sound, to the agent; everything else, to whoever must know of it.

use super::{APPEND, CallSession, SessionEnd, ms};
use crate::codec;
use crate::datagram::kind;
use crate::webrtc::PeerEvent;
use audio::{DecodeStep, DtmfPacket, Packet};
use call::Ending;
use journal::JournalEvent;
use std::net::SocketAddr;
use std::time::Instant;
use store::Side;

impl CallSession {
    /// Takes a datagram from the call's socket.
    pub(super) fn receive(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        self.parts.doctor.handle_in(kind(datagram), now);
        if self.parts.peer.handle_datagram(datagram, from, now) {
            self.bridge.note_liveness(now);
        }
    }

    /// Takes everything the connection made of datagrams since.
    pub(super) fn notice_peer(&mut self, now: Instant) {
        while let Some(event) = self.parts.peer.poll_event(now) {
            match event {
                PeerEvent::Connected => {
                    self.answering.note_connected();
                    self.parts.doctor.handle_connected(now);
                    self.note(JournalEvent::MediaConnected { took_ms: ms(now - self.offered_at) });
                }
                PeerEvent::Closed => self.lose_peer(),
                PeerEvent::Sound { stream, sequence, timestamp, payload } => {
                    let sound = codec::read(payload);
                    if sound.is_none() {
                        self.bridge.count_malformed();
                    }
                    self.bridge.handle_packet(Packet { stream, sequence, timestamp, sound }, now);
                }
                PeerEvent::Key { stream, sequence, timestamp, clock, payload } => {
                    self.bridge.handle_packet(Packet { stream, sequence, timestamp, sound: None }, now);
                    let key = DtmfPacket { stream, sequence, timestamp, clock, payload: &payload };
                    self.bridge.handle_dtmf(&key, now);
                }
                PeerEvent::Foreign { stream, sequence, timestamp } => {
                    self.bridge.count_foreign();
                    self.bridge.handle_packet(Packet { stream, sequence, timestamp, sound: None }, now);
                }
                PeerEvent::Told => {
                    if let Some(told) = self.parts.peer.report().told {
                        self.tuning.handle_loss(told.loss);
                    }
                }
            }
        }
    }

    /// The caller's sound, to the agent.
    pub(super) fn pass_up(&mut self, now: Instant) {
        while let Some(slot) = self.bridge.poll_step() {
            let start = self.uplink.len();
            if !self.ear.hear(&slot, &mut self.uplink) {
                self.bridge.count_malformed();
            }
            if matches!(slot, DecodeStep::Decode(_)) {
                self.note_sound(start, now);
            }
            self.measuring
                .iter_mut()
                .for_each(|levels| levels.note(Side::Caller, &self.uplink[start..], now));
            self.bridge.gate(&mut self.uplink[start..], now);
            if self.uplink.len() >= APPEND {
                self.parts.agent.hear(&self.uplink, now);
                self.uplink.clear();
            }
        }
    }

    fn lose_peer(&mut self) {
        let ending = if self.bridge.is_open() { Ending::CallerVanished } else { Ending::MediaNeverConnected };
        self.over.get_or_insert(SessionEnd::Because(ending));
    }
}
