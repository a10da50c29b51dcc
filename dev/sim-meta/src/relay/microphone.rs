//! The phone's microphone: clips, silence and keys in, one packet every 20 ms out.

mod encoder;
mod utterance;

use super::keypad::{Event, Key, KeyKind, Keypad};
use super::recorded::{Recorded, RecordedPacket};
use crate::RecordedKey;
use opus::Encoder;
use sim_audio::{Clip, FRAME};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
pub(crate) use utterance::Edge;
use utterance::Utterance;

/// The length of a packet.
pub(crate) const PACE: Duration = Duration::from_millis(20);
/// Ticks of the 48 kHz clock in a packet.
const STEP: u32 = 960;
/// How many silent frames let the encoder forget the last word. After them the same packet is sent
/// again and again, which costs nothing.
const LIVE_SILENCE: usize = 5;
const LARGEST_PACKET: usize = 400;

/// Turns what the caller says into packets, on the beat.
pub(crate) struct Microphone {
    encoder: Encoder,
    clips: VecDeque<Utterance>,
    silence: Vec<u8>,
    silent_frames: usize,
    next: Option<Instant>,
    keypad: Keypad,
    recorded: Recorded,
    muted: bool,
    /// Beats of 20 ms since it was opened.
    beats: u32,
    packets: u32,
    /// Whether the packet before was one of voice.
    talking: bool,
}

/// A packet to send, and what to report about it.
#[derive(Debug, PartialEq)]
pub(crate) struct Packet {
    /// `None` while the phone is muted: nothing leaves.
    pub(crate) payload: Option<Payload>,
    /// The beat it is for, from 0.
    pub(crate) beat: u32,
    /// Its number, from 0.
    pub(crate) n: u32,
    /// On the 48 kHz clock.
    pub(crate) timestamp: u32,
    /// Whether something begins with it: a key, or the voice after nothing was sent.
    pub(crate) marker: bool,
    /// When it should have left.
    pub(crate) due: Instant,
    pub(crate) edge: Option<Edge>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Payload {
    Voice(Vec<u8>),
    Key(Event),
    /// A packet of a key that is not the keypad's own.
    Recorded(RecordedPacket),
}

impl Microphone {
    /// A microphone that is not open yet.
    pub(crate) fn new() -> Result<Microphone, opus::Error> {
        encoder::ordinary().map(Microphone::with)
    }

    /// A microphone that costs less and sounds like a telephone.
    pub(crate) fn sparing() -> Result<Microphone, opus::Error> {
        encoder::sparing().map(Microphone::with)
    }

    /// A microphone whose packets each hold what recovers the one before.
    pub(crate) fn protecting() -> Result<Microphone, opus::Error> {
        encoder::protecting().map(Microphone::with)
    }

    fn with(encoder: Encoder) -> Microphone {
        Microphone {
            encoder,
            clips: VecDeque::new(),
            silence: Vec::new(),
            silent_frames: 0,
            next: None,
            keypad: Keypad::default(),
            recorded: Recorded::default(),
            muted: false,
            beats: 0,
            packets: 0,
            talking: false,
        }
    }

    /// From now on there is a packet every 20 ms. Opening an open microphone changes nothing.
    pub(crate) fn open(&mut self, now: Instant) {
        self.next.get_or_insert(now);
    }

    /// Says this after all that is still to be said.
    pub(crate) fn say(&mut self, clip: Clip) {
        self.clips.push_back(Utterance::new(clip));
    }

    /// Presses these keys, after all that are still to be pressed. While one is down the caller is silent: what is being said
    /// waits, and goes on after it.
    pub(crate) fn press(&mut self, keys: &[Key]) {
        self.keypad.press(keys);
    }

    /// Sends keys in this way.
    pub(crate) fn agree(&mut self, kind: KeyKind) {
        self.keypad.agree(kind);
    }

    /// Sends these packets, each at its time from the next beat on. Voice waits between the first and the last of them.
    pub(crate) fn play(&mut self, packets: &[RecordedKey]) {
        self.recorded.play(packets);
    }

    /// Sends no voice from now on, or sends it again. What is said meanwhile is lost.
    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// When the next packet is due; `None` while the microphone is not open.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// The packet that is due, if one is.
    pub(crate) fn poll_packet(&mut self, now: Instant) -> Option<Packet> {
        let due = self.next.filter(|due| *due <= now)?;
        if let Some(recorded) = self.recorded.poll(due, self.packets, self.beats) {
            return Some(self.recorded_packet(recorded, due));
        }
        self.next = Some(due + PACE);
        let beat = self.beats;
        self.beats += 1;
        let now = beat.wrapping_mul(STEP);
        if self.recorded.is_under_way() {
            return Some(self.packet(None, beat, due, None));
        }
        match self.keypad.poll_beat(now) {
            Some(event) => Some(self.packet(Some(Payload::Key(event)), beat, due, None)),
            None => {
                let (voice, edge) = self.next_voice();
                let payload = (!self.muted).then_some(Payload::Voice(voice));
                Some(self.packet(payload, beat, due, edge))
            }
        }
    }

    fn packet(&mut self, payload: Option<Payload>, beat: u32, due: Instant, edge: Option<Edge>) -> Packet {
        let n = self.packets;
        self.packets += u32::from(payload.is_some());
        let was_talking = self.talking;
        self.talking = matches!(payload, Some(Payload::Voice(_)));
        let (timestamp, marker) = match &payload {
            Some(Payload::Key(event)) => (event.timestamp, event.down.is_some()),
            Some(Payload::Voice(_) | Payload::Recorded(_)) | None => {
                (beat.wrapping_mul(STEP), self.talking && !was_talking)
            }
        };
        Packet { payload, beat, n, timestamp, marker, due, edge }
    }

    fn recorded_packet(&mut self, recorded: RecordedPacket, due: Instant) -> Packet {
        let RecordedPacket { n, timestamp, .. } = recorded;
        // Numbers that the recording skips were lost.
        self.packets = self.packets.max(n + 1);
        self.talking = false;
        let (beat, marker) = (self.beats, recorded.key.marker);
        Packet { payload: Some(Payload::Recorded(recorded)), beat, n, timestamp, marker, due, edge: None }
    }

    fn next_voice(&mut self) -> (Vec<u8>, Option<Edge>) {
        match self.clips.pop_front() {
            Some(utterance) => self.speak(utterance),
            None => (self.keep_silent(), None),
        }
    }

    fn speak(&mut self, mut utterance: Utterance) -> (Vec<u8>, Option<Edge>) {
        self.silent_frames = 0;
        let (frame, edge) = utterance.next_frame();
        let payload = self.encode(&frame);
        if !utterance.is_over() {
            self.clips.push_front(utterance);
        }
        (payload, edge)
    }

    fn keep_silent(&mut self) -> Vec<u8> {
        if self.silent_frames < LIVE_SILENCE {
            self.silent_frames += 1;
            self.silence = self.encode(&[0; FRAME]);
        }
        self.silence.clone()
    }

    fn encode(&mut self, frame: &[i16; FRAME]) -> Vec<u8> {
        self.encoder
            .encode_vec(frame, LARGEST_PACKET)
            .expect("20 ms of mono is what the encoder was made for")
    }
}

#[cfg(test)]
#[path = "microphone_tests.rs"]
mod tests;
