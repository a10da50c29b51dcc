//! The jitter buffer: reorders the caller's RTP packets, recovers lost ones by FEC, and conceals or fills the rest.
//!
//! A packet in order is passed on at once. A gap waits for late packets, at most [`REORDER_WAIT`]; then the last
//! missing packet is recovered from the FEC of the one after it, those before it are concealed, and a long gap is
//! silence. When nothing comes (DTX, mute, an outage), silence is passed on: the model's clock is the audio it gets,
//! so it would otherwise never detect that a caller whose phone pauses has stopped speaking.
//!
//! Memory is bounded whatever is received: at most [`MAX_EARLY`] packets wait, and the audio passed on never exceeds
//! the time elapsed plus [`BURST`].

mod output_clock;
mod sequence;

use crate::{FRAME, Meter, Packet, SAMPLES, Sound};
use output_clock::OutputClock;
use sequence::{SequenceNumbers, SequencePosition};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a gap waits for missing packets.
const REORDER_WAIT: Duration = Duration::from_millis(40);

/// How many packets may wait behind a gap; the next one closes it.
const MAX_EARLY: usize = 32;

/// How far the audio passed on may lag behind the clock before silence fills in.
const MAX_LAG: Duration = Duration::from_millis(60);

/// How much more audio than time elapsed may come: what an outage held back arrives at once, but minutes of it are a
/// flood.
const BURST: Duration = Duration::from_secs(5);

/// The longest gap that is concealed, in samples; the rest of a longer one is silence.
const MAX_CONCEALED: usize = 4 * SAMPLES;

/// How long after another SSRC has begun packets of the previous one are dropped as stragglers.
const STRAGGLER_TIME: Duration = Duration::from_secs(1);

/// The longest audio in a packet, in samples: 120 ms.
const MAX_PACKET: usize = 6 * SAMPLES;

/// A step in decoding the caller's audio, in playout order. `P` is an encoded payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeStep<P> {
    /// Decode this packet.
    Decode(P),
    /// Recover this many samples before this packet from its FEC.
    Recover(P, usize),
    /// Conceal this many samples (packet loss concealment).
    Conceal(usize),
    /// Insert this many samples of digital silence.
    Silence(usize),
}

/// Buffers the caller's packets on their way to the decoder.
#[derive(Debug)]
pub(crate) struct JitterBuffer<P> {
    stream: Option<Stream>,
    sequence: Option<SequenceNumbers>,
    early: Vec<Early<P>>,
    steps: VecDeque<DecodeStep<P>>,
    clock: Option<OutputClock>,
    /// The RTP timestamp that continues the last packet without a pause.
    next_timestamp: Option<u32>,
    /// The length of the last packet, in samples.
    last_length: usize,
    /// Samples of silence filled in since the last packet, which a gap found later does not need again.
    filled: usize,
}

/// A packet received before an earlier one.
#[derive(Debug)]
struct Early<P> {
    position: u64,
    packet: Packet<P>,
    at: Instant,
}

/// The RTP stream in use.
#[derive(Debug, Clone, Copy)]
struct Stream {
    ssrc: u32,
    previous: Option<u32>,
    last_at: Instant,
}

impl<P> Default for JitterBuffer<P> {
    fn default() -> Self {
        Self {
            stream: None,
            sequence: None,
            early: Vec::with_capacity(MAX_EARLY),
            steps: VecDeque::with_capacity(2 * MAX_EARLY),
            clock: None,
            next_timestamp: None,
            last_length: SAMPLES,
            filled: 0,
        }
    }
}

impl<P: Clone> JitterBuffer<P> {
    /// Starts passing audio on. Packets received before are discarded.
    pub(crate) fn open(&mut self, now: Instant) {
        self.steps.clear();
        self.clock = Some(OutputClock::start(now));
    }

    /// Handles an RTP packet.
    pub(crate) fn handle_packet(&mut self, packet: Packet<P>, now: Instant, meter: &mut Meter) {
        if self.clock.is_none() {
            return;
        }
        if !self.select_stream(&packet, now, meter) {
            meter.tardy += u64::from(packet.sound.is_some());
            return;
        }
        let sequence = self.sequence.get_or_insert(SequenceNumbers::starting_at(packet.sequence));
        match sequence.find(packet.sequence) {
            SequencePosition::Next => self.accept(packet, now, meter),
            SequencePosition::Early(position)
                if self.early.iter().any(|early| early.position == position) =>
            {
                meter.duplicates += 1;
                return;
            }
            SequencePosition::Early(position) => {
                let at = self.early.partition_point(|early| early.position < position);
                self.early.insert(at, Early { position, packet, at: now });
                if self.early.len() == MAX_EARLY {
                    self.close_gap(now, meter);
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
            SequencePosition::OutOfRange => {
                meter.restarts += 1;
                self.reset_sequence();
                self.sequence = Some(SequenceNumbers::starting_at(packet.sequence));
                self.accept(packet, now, meter);
            }
        }
        meter.received += 1;
        self.accept_consecutive(now, meter);
    }

    /// Returns when [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let filled = self.clock.as_ref()?.silence_due_at();
        Some(self.gap_since().map_or(filled, |since| filled.min(since + REORDER_WAIT)))
    }

    /// Closes gaps that have waited long enough, and fills in silence where nothing came.
    pub(crate) fn handle_timeout(&mut self, now: Instant, meter: &mut Meter) {
        while self.gap_since().is_some_and(|since| now >= since + REORDER_WAIT) {
            self.close_gap(now, meter);
        }
        while self.clock.as_ref().is_some_and(|clock| now >= clock.silence_due_at()) {
            self.filled += SAMPLES;
            meter.filled += 1;
            self.emit(DecodeStep::Silence(SAMPLES), SAMPLES, now);
        }
    }

    /// Returns the next decode step.
    pub(crate) fn poll_step(&mut self) -> Option<DecodeStep<P>> {
        self.steps.pop_front()
    }

    /// Whether a packet belongs to the stream in use. Audio of another SSRC switches the stream, without a gap.
    fn select_stream(&mut self, packet: &Packet<P>, now: Instant, meter: &mut Meter) -> bool {
        let ssrc = packet.stream;
        let before = match self.stream {
            None => None,
            Some(stream) if stream.ssrc == ssrc => stream.previous,
            Some(stream) if stream.previous == Some(ssrc) && now < stream.last_at + STRAGGLER_TIME => {
                return false;
            }
            Some(_) if packet.sound.is_none() => return false,
            Some(stream) => {
                while !self.early.is_empty() {
                    self.close_gap(now, meter);
                }
                meter.restarts += 1;
                self.reset_sequence();
                Some(stream.ssrc)
            }
        };
        self.stream = Some(Stream { ssrc, previous: before, last_at: now });
        true
    }

    fn reset_sequence(&mut self) {
        self.early.clear();
        self.sequence = None;
        self.next_timestamp = None;
    }

    /// When the first packet behind the gap arrived.
    fn gap_since(&self) -> Option<Instant> {
        self.early.iter().map(|early| early.at).min()
    }

    fn accept_consecutive(&mut self, now: Instant, meter: &mut Meter) {
        while let Some(first) = self.early.first()
            && self.sequence.as_ref().is_some_and(|sequence| sequence.next() == first.position)
        {
            let packet = self.early.remove(0).packet;
            self.accept(packet, now, meter);
        }
    }

    /// Accepts the packet that is next in sequence.
    fn accept(&mut self, packet: Packet<P>, now: Instant, meter: &mut Meter) {
        self.sequence.iter_mut().for_each(SequenceNumbers::receive);
        let Some(sound) = packet.sound else { return };
        let length = sound.samples.clamp(1, MAX_PACKET);
        let paused =
            self.next_timestamp.map_or(0, |next_timestamp| samples_between(next_timestamp, packet.timestamp));
        self.next_timestamp = Some(packet.timestamp.wrapping_add(2 * length as u32));
        self.last_length = length;
        self.emit_silence(paused.saturating_sub(self.filled), length, now);
        self.filled = 0;
        let admitted = self.clock.as_mut().is_some_and(|clock| clock.admit(length, now));
        if admitted {
            self.emit(DecodeStep::Decode(sound.payload), length, now);
        } else {
            meter.flooded += 1;
        }
    }

    /// Gives up the packets missing before the first early one, and accepts that one.
    fn close_gap(&mut self, now: Instant, meter: &mut Meter) {
        let Some(sequence) = &mut self.sequence else { return };
        if self.early.is_empty() {
            return;
        }
        let after = self.early.remove(0);
        let missing = sequence.skip_to(after.position);
        meter.lost += missing;
        meter.gaps += 1;
        self.fill_gap(missing as usize, &after.packet, now, meter);
        self.accept(after.packet, now, meter);
        self.accept_consecutive(now, meter);
    }

    /// Recovers, conceals or fills the packets missing before `after`.
    fn fill_gap(&mut self, missing: usize, after: &Packet<P>, now: Instant, meter: &mut Meter) {
        let (each, sound) = (self.last_length, after.sound.as_ref());
        let elapsed = match (self.next_timestamp, sound) {
            (Some(next_timestamp), Some(_)) => samples_between(next_timestamp, after.timestamp),
            (Some(_) | None, _) => 0,
        };
        let gap = if elapsed == 0 { missing * each } else { elapsed };
        self.next_timestamp =
            self.next_timestamp.map(|next_timestamp| next_timestamp.wrapping_add(2 * gap as u32));
        // FEC of the last missing packet is used even if silence was already passed on for it.
        let mut left = gap.saturating_sub(self.filled).max(each);
        let correcting = sound.filter(|sound| sound.corrects);
        let recovered = if correcting.is_some() { each.min(left) } else { 0 };
        left -= recovered;
        if self.filled == 0 {
            let mut concealed = left.min(MAX_CONCEALED);
            left -= concealed;
            while concealed > 0 {
                let piece = concealed.min(each);
                meter.concealed += 1;
                self.emit(DecodeStep::Conceal(piece), piece, now);
                concealed -= piece;
            }
        }
        let next = sound.map_or(0, |sound| sound.samples);
        self.emit_silence(left, recovered + next, now);
        if let Some(Sound { payload, .. }) = correcting {
            meter.recovered += 1;
            self.emit(DecodeStep::Recover(payload.clone(), recovered), recovered, now);
        }
        self.filled = 0;
    }

    /// Emits silence, but not so much that the `before` samples that follow would run ahead of the clock.
    fn emit_silence(&mut self, samples: usize, before: usize, now: Instant) {
        let behind = self.clock.as_ref().map_or(0, |clock| clock.behind(now));
        let samples = samples.min(behind.saturating_sub(before));
        if samples > 0 {
            self.emit(DecodeStep::Silence(samples), samples, now);
        }
    }

    fn emit(&mut self, step: DecodeStep<P>, samples: usize, now: Instant) {
        if let Some(clock) = &mut self.clock {
            clock.advance(samples, now);
        }
        self.steps.push_back(step);
    }
}

/// Returns the samples at 24 kHz between two timestamps at 48 kHz, or 0 if the second is not after the first, or
/// minutes after.
fn samples_between(from: u32, to: u32) -> usize {
    let ticks = to.wrapping_sub(from);
    if ticks < 48_000 * 60 { ticks as usize / 2 } else { 0 }
}

#[cfg(test)]
#[path = "jitter_buffer_tests.rs"]
mod tests;
