//! Finds where speech begins after a long quiet: a mark that both ends of a line know without a word being exchanged.

use crate::{RATE, samples};
use std::time::Duration;

/// A sample beyond this is speech: −30 dBFS.
const LOUD: u16 = 1_036;

/// The silence before an onset: longer than any pause within a sentence.
const QUIET: Duration = Duration::from_millis(1_000);

/// Listens to a stream of sound, piece by piece, however long the pieces are.
#[derive(Debug, Default)]
pub struct Onsets {
    quiet: usize,
}

impl Onsets {
    /// Whether speech begins in this piece, 24 kHz mono. Before anything was heard, nothing was quiet.
    pub fn is_in(&mut self, piece: &[i16]) -> bool {
        let is_loud = piece.iter().any(|sample| sample.unsigned_abs() > LOUD);
        let was_quiet = self.quiet >= samples(QUIET);
        self.quiet = if is_loud { 0 } else { (self.quiet + piece.len()).min(RATE as usize * 60) };
        is_loud && was_quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FRAME, tone};

    #[test]
    fn speech_begins_once_after_each_long_quiet() {
        let mut sound = tone::tone(440.0, Duration::from_millis(500));
        for pause in [400, 1_200] {
            sound.extend(vec![0; samples(Duration::from_millis(pause))]);
            sound.extend(tone::tone(440.0, Duration::from_millis(500)));
        }
        let mut onsets = Onsets::default();

        let frames = sound.chunks_exact(FRAME).enumerate();
        let found: Vec<usize> = frames.filter(|(_, frame)| onsets.is_in(frame)).map(|(n, _)| n).collect();

        assert_eq!(found, [25 + 20 + 25 + 60]);
    }
}
