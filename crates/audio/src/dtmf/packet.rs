//! Parses telephone-event packets (RFC 4733) and decides which of them belong to one key press.

use std::fmt;
use std::time::{Duration, Instant};

/// The keys by event code.
pub(super) const KEYS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// A packet at most this far behind the newest (five seconds) was reordered; one further behind begins a new stream.
const MAX_REORDER: u16 = 250;

/// The longest time between packets of one press whose timestamps differ. Phones send a packet every 20 to 50 ms.
const MAX_GAP: Duration = Duration::from_millis(100);

/// A telephone-event packet of the caller.
#[derive(Clone, Copy)]
pub struct DtmfPacket<'a> {
    /// The RTP stream's SSRC.
    pub stream: u32,
    /// The RTP sequence number.
    pub sequence: u16,
    /// The RTP timestamp: when the key was pressed.
    pub timestamp: u32,
    /// The clock rate of the payload type, the unit of the event's duration.
    pub clock: ClockRate,
    /// The payload in the format of RFC 4733, section 2.3.
    pub payload: &'a [u8],
}

/// The clock rate of a payload type of `telephone-event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockRate {
    /// `telephone-event/8000`, which Meta requires.
    Khz8,
    /// `telephone-event/48000`, which browsers send beside Opus.
    Khz48,
}

impl ClockRate {
    /// Returns the clock rate in ticks per second.
    pub fn rate(self) -> u32 {
        match self {
            Self::Khz8 => 8_000,
            Self::Khz48 => 48_000,
        }
    }
}

/// The state of a key press in one packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyPress {
    /// The key: 0-9, `*`, `#`, A-D.
    pub(crate) key: char,
    /// Whether the key was released.
    pub(crate) is_end: bool,
    /// The power level in dB below the maximum (0 dBm0).
    pub(crate) volume: u8,
    /// How long the key has been pressed.
    pub(crate) duration: Duration,
    /// Whether the duration field is nearly at its maximum: a key held longer continues under another timestamp.
    is_duration_maxed: bool,
}

impl fmt::Debug for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPress").field("is_end", &self.is_end).finish_non_exhaustive()
    }
}

impl KeyPress {
    /// Parses the payload of a telephone event. Returns `None` if it is too short or its event is no key; bytes after
    /// the fourth are ignored.
    pub(crate) fn read(payload: &[u8], clock: ClockRate) -> Option<Self> {
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

/// The newest packet and the state of its press.
#[derive(Clone, Copy)]
pub(super) struct LastPress {
    stream: u32,
    sequence: u16,
    timestamp: u32,
    press: KeyPress,
    at: Instant,
    /// Whether an end packet of this press has come.
    pub(super) has_ended: bool,
}

/// How a packet relates to the press before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PacketKind {
    /// It is older than the newest packet, or a duplicate.
    Reordered,
    /// It belongs to the same press.
    Continuation,
    /// It begins a new press.
    NewPress,
}

impl LastPress {
    pub(super) fn first(packet: &DtmfPacket<'_>, press: KeyPress, now: Instant) -> Self {
        let DtmfPacket { stream, sequence, timestamp, .. } = *packet;
        Self { stream, sequence, timestamp, press, at: now, has_ended: press.is_end }
    }

    /// Classifies the next packet.
    ///
    /// Some gateways give end packets other timestamps, or give all presses of a call the same one, so key, duration
    /// and arrival time decide first, and the timestamp only where those leave it open.
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

    /// Adds a packet to the same press.
    pub(super) fn extend(&mut self, packet: &DtmfPacket<'_>, press: KeyPress, now: Instant) {
        let has_ended = self.has_ended || press.is_end;
        *self = Self { has_ended, ..Self::first(packet, press, now) };
    }
}
