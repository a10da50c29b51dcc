//! Extends 16-bit RTP sequence numbers to 64 bits, and tells packets in order from early, late and duplicate ones.

/// The largest jump that counts as loss; a larger one is a new stream.
const MAX_JUMP: u64 = 500;

/// The sequence of a stream in positions, which do not wrap around.
#[derive(Debug)]
pub(super) struct SequenceNumbers {
    next: u64,
    /// Which of the 64 positions before `next` were received; the lowest bit is the last one.
    received: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SequencePosition {
    /// It is the next in sequence.
    Next,
    /// It is ahead of the next, at this position.
    Early(u64),
    /// It was received before.
    Duplicate,
    /// It comes after its gap was closed.
    Late,
    /// It is so far from the next that it must belong to another stream.
    OutOfRange,
}

impl SequenceNumbers {
    pub(super) fn starting_at(sequence: u16) -> Self {
        Self { next: u64::from(sequence) + 65_536, received: 0 }
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn find(&self, sequence: u16) -> SequencePosition {
        let ahead = sequence.wrapping_sub(self.next as u16) as i16;
        let position = self.next.saturating_add_signed(i64::from(ahead));
        let distance = position.abs_diff(self.next);
        if distance > MAX_JUMP {
            SequencePosition::OutOfRange
        } else if position == self.next {
            SequencePosition::Next
        } else if position > self.next {
            SequencePosition::Early(position)
        } else if distance <= 64 && self.received >> (distance - 1) & 1 == 1 {
            SequencePosition::Duplicate
        } else {
            SequencePosition::Late
        }
    }

    pub(super) fn receive(&mut self) {
        self.next += 1;
        self.received = self.received << 1 | 1;
    }

    /// Gives up all positions before this one, and returns how many were missing.
    pub(super) fn skip_to(&mut self, position: u64) -> u64 {
        let missing = position.saturating_sub(self.next);
        self.next += missing;
        self.received = u32::try_from(missing).ok().and_then(|n| self.received.checked_shl(n)).unwrap_or(0);
        missing
    }
}
