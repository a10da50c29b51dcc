//! Sends to the agent: voice and keys of the microphone, or packets encoded before.

use super::Relay;
use crate::relay::microphone::{Edge, PACE, Packet, Payload};
use crate::relay::replayer::Replayed;
use crate::{InjectedFault, ObservationKind};
use std::time::Instant;

impl Relay {
    /// Sends a packet of the microphone, and notifies the waiter.
    pub(super) fn speak(&mut self, packet: Packet) {
        let now = Instant::now();
        self.call.with(|state| state.own_lateness.note(PACE * packet.beat, now));
        if let Some(payload) = packet.payload {
            self.note_key(&payload, now);
            if !self.muted {
                let sent = self.peer.send(packet.n, packet.timestamp, packet.marker, payload, now);
                self.survive(sent);
                self.call.with(|state| state.sent += 1);
            }
        }
        match packet.edge {
            None => {}
            Some(Edge::First(clip)) => self.begin_speech(clip, now),
            Some(Edge::Last(clip)) => self.end_speech(clip),
            Some(Edge::Only(clip)) => {
                self.begin_speech(clip.clone(), now);
                self.end_speech(clip);
            }
        }
    }

    /// Sends a packet of what was encoded before.
    pub(super) fn replay(&mut self, packet: Replayed) {
        let now = Instant::now();
        let Replayed { n, timestamp, due, payload, is_onset } = packet;
        let sent = self.peer.send(n, timestamp, n == 0, Payload::Voice(payload), now);
        self.survive(sent);
        self.call.with(|state| {
            state.sent += 1;
            state.counter.note_sent(due, is_onset, now);
        });
    }

    fn note_key(&mut self, payload: &Payload, now: Instant) {
        let is_last = match payload {
            Payload::Voice(_) => false,
            Payload::Recorded(packet) => packet.is_last,
            Payload::Key(event) => {
                if let Some(key) = event.down {
                    self.call.note_key(key, now);
                }
                event.is_last
            }
        };
        if let Some(done) = self.presses.pop_front_if(|_| is_last) {
            // The caller may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn begin_speech(&mut self, clip: String, now: Instant) {
        if let Some(speech) = self.speeches.front() {
            self.call.with(|state| state.said.push((now, speech.text.clone())));
        }
        self.call.observe(ObservationKind::CallerSpeaks { clip });
    }

    fn end_speech(&mut self, clip: String) {
        self.call.observe(ObservationKind::CallerSpoke { clip });
        if let Some(speech) = self.speeches.pop_front() {
            // The caller may have stopped waiting.
            let _ = speech.done.send(());
        }
    }

    pub(super) fn waits_for_media(&self) -> bool {
        self.call.caller.waits_for_media && !self.call.faults.has(InjectedFault::AgentUnheard)
    }

    /// The phone sends once the call is taken and the keys are there, and perhaps only after it heard something.
    pub(super) fn open_microphone(&mut self, heard: bool) {
        if heard && self.connected && self.filter.is_open() {
            match &mut self.replayer {
                Some(replayer) => replayer.open(Instant::now()),
                None => self.microphone.open(Instant::now()),
            }
        }
    }
}
