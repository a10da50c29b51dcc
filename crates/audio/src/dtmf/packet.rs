//! Reads key packets (RFC 4733, named events) and decides which of them are one press.

use std::fmt;
use std::time::{Duration, Instant};

/// The keys, by the number of their event.
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// A packet at most this far behind the newest, in packets, was overtaken: five seconds. Further behind, the stream has
/// started again.
const MAX_REORDER: u16 = 250;

/// Packets of one press are no further apart when their timestamps differ. Phones send one every 20 to 50 ms.
const MAX_GAP: Duration = Duration::from_millis(100);

/// One packet of the caller's keypad, as it came.
#[derive(Clone, Copy)]
pub struct DtmfPacket<'a> {
    /// SSRC.
    pub stream: u32,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp: the moment the key went down.
    pub timestamp: u32,
    /// The clock of its payload type, in which its duration counts.
    pub clock: ClockRate,
    /// As RFC 4733 has it.
    pub payload: &'a [u8],
}

/// The clock rate of a payload type of `telephone-event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockRate {
    /// `telephone-event/8000`, which Meta requires.
    Khz8,
    /// `telephone-event/48000`, which goes with Opus in browsers.
    Khz48,
}

impl ClockRate {
    /// Ticks in a second.
    pub fn rate(self) -> u32 {
        match self {
            Self::Khz8 => 8_000,
            Self::Khz48 => 48_000,
        }
    }
}

/// What one packet of a press says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyPress {
    /// 0-9, `*`, `#`, A-D.
    pub key: char,
    /// Whether the key has been let go.
    pub is_end: bool,
    /// How loud: so many dB below the loudest.
    pub volume: u8,
    /// How long it has been pressed.
    pub duration: Duration,
    /// Whether the packet can hardly tell a longer duration: a key still held goes on under another timestamp.
    is_duration_maxed: bool,
}

impl fmt::Debug for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPress").field("is_end", &self.is_end).finish_non_exhaustive()
    }
}

impl KeyPress {
    /// Reads the payload of a named event. `None` for what is no key, or too short; what follows the four bytes is
    /// not looked at.
    pub fn read(payload: &[u8], clock: ClockRate) -> Option<Self> {
        let [event, flags, high, low] = *payload.first_chunk()?;
        let key = *KEYS.get(usize::from(event))?;
        let ticks = u16::from_be_bytes([high, low]);
        let micros = u64::from(ticks) * 1_000_000 / u64::from(clock.rate());
        Some(Self {
            key,
            is_end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: Duration::from_micros(micros),
            is_duration_maxed: u32::from(u16::MAX - ticks) <= clock.rate() / 10,
        })
    }
}

/// The newest packet, and what is known of its press.
#[derive(Clone, Copy)]
pub(super) struct LastPress {
    stream: u32,
    sequence: u16,
    timestamp: u32,
    press: KeyPress,
    at: Instant,
    /// An end packet of this press has come.
    pub(super) has_ended: bool,
}

/// What a packet is to the press before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PacketKind {
    /// It was overtaken by the newest packet, or came twice.
    Reordered,
    /// More of the same press.
    Continuation,
    /// The first of a new press.
    NewPress,
}

impl LastPress {
    pub(super) fn first(packet: &DtmfPacket<'_>, press: KeyPress, now: Instant) -> Self {
        let DtmfPacket { stream, sequence, timestamp, .. } = *packet;
        Self { stream, sequence, timestamp, press, at: now, has_ended: press.is_end }
    }

    /// What the next packet to come is.
    ///
    /// Gateways give end packets other timestamps, and presses of one call the same one, so that key, duration and time
    /// decide, and the timestamp only where those leave it open.
    pub(super) fn classify(&self, packet: &DtmfPacket<'_>, press: KeyPress, now: Instant) -> PacketKind {
        let behind = self.sequence.wrapping_sub(packet.sequence);
        if self.stream == packet.stream && behind <= MAX_REORDER {
            return PacketKind::Reordered;
        }
        let is_shorter = press.duration < self.press.duration;
        if self.press.key != press.key || (self.has_ended && is_shorter) {
            return PacketKind::NewPress;
        }
        let has_same_timestamp = self.stream == packet.stream && self.timestamp == packet.timestamp;
        let is_close = now.saturating_duration_since(self.at) <= MAX_GAP;
        let continues_after_max = !self.has_ended && self.press.is_duration_maxed;
        if has_same_timestamp || (is_close && !is_shorter) || continues_after_max {
            PacketKind::Continuation
        } else {
            PacketKind::NewPress
        }
    }

    /// Takes more of the same press.
    pub(super) fn extend(&mut self, packet: &DtmfPacket<'_>, press: KeyPress, now: Instant) {
        let has_ended = self.has_ended || press.is_end;
        *self = Self { has_ended, ..Self::first(packet, press, now) };
    }
}
