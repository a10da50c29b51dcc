//! Puts the caller's packets in order and fills what is missing.
//!
//! A packet in order is passed on at once. A gap waits for late packets, at most [`REORDER`]; then the last missing
//! packet is recovered from the one after it, those before it are concealed, and a long hole is silence. When
//! nothing comes at all, silence is passed on: the model's clock is the audio it gets, so a caller whose phone pauses
//! would otherwise never be heard to stop.
//!
//! Nothing here grows with what is received: what is early is at most [`EARLY`] packets, and no more sound is passed on
//! than time has passed, and [`BURST`].

mod playout_clock;
mod sequence;

use crate::{FRAME, Meter, Packet, SAMPLES, Sound};
use playout_clock::PlayoutClock;
use sequence::{SequenceNumbers, SequencePosition};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a missing packet may still come.
const REORDER: Duration = Duration::from_millis(40);

/// So many packets may be waiting for a missing one; the next one ends the wait.
const EARLY: usize = 32;

/// How far the passed-on sound may be behind the clock before silence makes up for it.
const LAG: Duration = Duration::from_millis(60);

/// How much more of the caller's sound may come than time has passed: what an outage held back comes at once, but
/// minutes are a flood.
const BURST: Duration = Duration::from_secs(5);

/// So much in a row is worth concealing, in samples; what is longer is silence.
const CONCEALED: usize = 4 * SAMPLES;

/// Once another stream has begun, packets of the one before are stragglers, unless the new one is silent for so long.
const STRAGGLING: Duration = Duration::from_secs(1);

/// The longest sound of a packet, in samples: 120 ms.
const LONGEST: usize = 6 * SAMPLES;

/// A piece of the caller's sound, in order. `P` is an encoded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeStep<P> {
    /// Decode this.
    Decode(P),
    /// Recover so many samples, that came before this, from its error correction.
    Recover(P, usize),
    /// Make up so many samples from what came before.
    Conceal(usize),
    /// So many samples of silence.
    Silence(usize),
}

/// The caller's sound on its way to the agent.
#[derive(Debug)]
pub struct JitterBuffer<P> {
    stream: Option<Stream>,
    places: Option<SequenceNumbers>,
    early: Vec<Early<P>>,
    slots: VecDeque<DecodeStep<P>>,
    clock: Option<PlayoutClock>,
    /// The timestamp that goes on where the last sound ended.
    expected: Option<u32>,
    /// How long the last packet was, in samples.
    length: usize,
    /// Samples that were filled since the last sound: a gap found later has been made up for by so much.
    filled: usize,
}

/// A packet that came before those in front of it.
#[derive(Debug)]
struct Early<P> {
    place: u64,
    packet: Packet<P>,
    at: Instant,
}

/// Which stream is listened to.
#[derive(Debug, Clone, Copy)]
struct Stream {
    name: u32,
    before: Option<u32>,
    last_at: Instant,
}

impl<P> Default for JitterBuffer<P> {
    fn default() -> Self {
        Self {
            stream: None,
            places: None,
            early: Vec::with_capacity(EARLY),
            slots: VecDeque::with_capacity(2 * EARLY),
            clock: None,
            expected: None,
            length: SAMPLES,
            filled: 0,
        }
    }
}

impl<P: Clone> JitterBuffer<P> {
    /// Starts passing sound on. What came before is forgotten.
    pub fn open(&mut self, now: Instant) {
        self.slots.clear();
        self.clock = Some(PlayoutClock::start(now));
    }

    /// Takes a packet.
    pub fn handle_packet(&mut self, packet: Packet<P>, now: Instant, meter: &mut Meter) {
        if self.clock.is_none() {
            return;
        }
        if !self.follow(&packet, now, meter) {
            meter.tardy += u64::from(packet.sound.is_some());
            return;
        }
        let places = self.places.get_or_insert(SequenceNumbers::starting_at(packet.sequence));
        match places.find(packet.sequence) {
            SequencePosition::Next => self.take(packet, now, meter),
            SequencePosition::Early(place) if self.early.iter().any(|early| early.place == place) => {
                meter.duplicates += 1;
                return;
            }
            SequencePosition::Early(place) => {
                let at = self.early.partition_point(|early| early.place < place);
                self.early.insert(at, Early { place, packet, at: now });
                if self.early.len() == EARLY {
                    self.give_up_gap(now, meter);
                }
            }
            SequencePosition::Duplicate => {
                meter.duplicates += 1;
                return;
            }
            SequencePosition::Late => {
                meter.tardy += 1;
                return;
            }
            SequencePosition::Elsewhere => {
                meter.restarts += 1;
                self.begin_again();
                self.places = Some(SequenceNumbers::starting_at(packet.sequence));
                self.take(packet, now, meter);
            }
        }
        meter.received += 1;
        self.take_those_in_order(now, meter);
    }

    /// When [`Uplink::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let filled = self.clock.as_ref()?.fills_at();
        Some(self.gap_since().map_or(filled, |since| filled.min(since + REORDER)))
    }

    /// Gives up on what is missing, and fills what never came.
    pub fn handle_timeout(&mut self, now: Instant, meter: &mut Meter) {
        while self.gap_since().is_some_and(|since| now >= since + REORDER) {
            self.give_up_gap(now, meter);
        }
        while self.clock.as_ref().is_some_and(|clock| now >= clock.fills_at()) {
            self.filled += SAMPLES;
            meter.filled += 1;
            self.pass_on(DecodeStep::Silence(SAMPLES), SAMPLES, now);
        }
    }

    /// The next piece, in order.
    pub fn poll_slot(&mut self) -> Option<DecodeStep<P>> {
        self.slots.pop_front()
    }

    /// Whether a packet is of the stream to listen to. Sound of another one than before begins again, without a hole.
    fn follow(&mut self, packet: &Packet<P>, now: Instant, meter: &mut Meter) -> bool {
        let name = packet.stream;
        let before = match self.stream {
            None => None,
            Some(stream) if stream.name == name => stream.before,
            Some(stream) if stream.before == Some(name) && now < stream.last_at + STRAGGLING => return false,
            Some(_) if packet.sound.is_none() => return false,
            Some(stream) => {
                while !self.early.is_empty() {
                    self.give_up_gap(now, meter);
                }
                meter.restarts += 1;
                self.begin_again();
                Some(stream.name)
            }
        };
        self.stream = Some(Stream { name, before, last_at: now });
        true
    }

    fn begin_again(&mut self) {
        self.early.clear();
        self.places = None;
        self.expected = None;
    }

    /// When the first packet came that waits for a missing one.
    fn gap_since(&self) -> Option<Instant> {
        self.early.iter().map(|early| early.at).min()
    }

    fn take_those_in_order(&mut self, now: Instant, meter: &mut Meter) {
        while let Some(first) = self.early.first()
            && self.places.as_ref().is_some_and(|places| places.next() == first.place)
        {
            let packet = self.early.remove(0).packet;
            self.take(packet, now, meter);
        }
    }

    /// Takes the packet that is next.
    fn take(&mut self, packet: Packet<P>, now: Instant, meter: &mut Meter) {
        self.places.iter_mut().for_each(SequenceNumbers::receive);
        let Some(sound) = packet.sound else { return };
        let length = sound.samples.clamp(1, LONGEST);
        let paused = self.expected.map_or(0, |expected| samples_between(expected, packet.timestamp));
        self.expected = Some(packet.timestamp.wrapping_add(2 * length as u32));
        self.length = length;
        self.keep_silent(paused.saturating_sub(self.filled), length, now);
        self.filled = 0;
        let admitted = self.clock.as_mut().is_some_and(|clock| clock.admit(length, now));
        if admitted {
            self.pass_on(DecodeStep::Decode(sound.payload), length, now);
        } else {
            meter.flooded += 1;
        }
    }

    /// Gives up on those missing before the first packet that waits, and takes it.
    fn give_up_gap(&mut self, now: Instant, meter: &mut Meter) {
        let Some(places) = &mut self.places else { return };
        if self.early.is_empty() {
            return;
        }
        let after = self.early.remove(0);
        let missing = places.skip_to(after.place);
        meter.lost += missing;
        meter.gaps += 1;
        self.make_up(missing as usize, &after.packet, now, meter);
        self.take(after.packet, now, meter);
        self.take_those_in_order(now, meter);
    }

    /// Makes up for so many packets that are missing before this one.
    fn make_up(&mut self, missing: usize, after: &Packet<P>, now: Instant, meter: &mut Meter) {
        let (each, sound) = (self.length, after.sound.as_ref());
        let spoken = match (self.expected, sound) {
            (Some(expected), Some(_)) => samples_between(expected, after.timestamp),
            (Some(_) | None, _) => 0,
        };
        let hole = if spoken == 0 { missing * each } else { spoken };
        self.expected = self.expected.map(|expected| expected.wrapping_add(2 * hole as u32));
        // The last one is worth its place even when silence has already been passed on for it.
        let mut left = hole.saturating_sub(self.filled).max(each);
        let correcting = sound.filter(|sound| sound.corrects);
        let recovered = if correcting.is_some() { each.min(left) } else { 0 };
        left -= recovered;
        if self.filled == 0 {
            let mut concealed = left.min(CONCEALED);
            left -= concealed;
            while concealed > 0 {
                let piece = concealed.min(each);
                meter.concealed += 1;
                self.pass_on(DecodeStep::Conceal(piece), piece, now);
                concealed -= piece;
            }
        }
        let next = sound.map_or(0, |sound| sound.samples);
        self.keep_silent(left, recovered + next, now);
        if let Some(Sound { payload, .. }) = correcting {
            meter.recovered += 1;
            self.pass_on(DecodeStep::Recover(payload.clone(), recovered), recovered, now);
        }
        self.filled = 0;
    }

    /// Passes so much silence on, but none that would put the sound that follows ahead of the clock.
    fn keep_silent(&mut self, samples: usize, before: usize, now: Instant) {
        let behind = self.clock.as_ref().map_or(0, |clock| clock.behind(now));
        let samples = samples.min(behind.saturating_sub(before));
        if samples > 0 {
            self.pass_on(DecodeStep::Silence(samples), samples, now);
        }
    }

    fn pass_on(&mut self, slot: DecodeStep<P>, samples: usize, now: Instant) {
        if let Some(clock) = &mut self.clock {
            clock.pass(samples, now);
        }
        self.slots.push_back(slot);
    }
}

/// Samples of 24 kHz from one timestamp of 48 kHz to another; none if it does not come after, or minutes after.
fn samples_between(from: u32, to: u32) -> usize {
    let ticks = to.wrapping_sub(from);
    if ticks < 48_000 * 60 { ticks as usize / 2 } else { 0 }
}

#[cfg(test)]
#[path = "jitter_buffer_tests.rs"]
mod tests;
