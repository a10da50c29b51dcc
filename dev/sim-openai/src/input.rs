//! The input audio buffer: the caller's sound, until a turn is made of it.

use crate::vad::{Edge, Hearing, Vad};
use sim_audio::RATE;

/// Older sound without speech is dropped.
const KEPT_SAMPLES: usize = 30 * RATE as usize;
const SAMPLES_IN_MS: usize = RATE as usize / 1_000;

#[derive(Debug)]
pub(crate) struct Input {
    sound: Vec<i16>,
    /// Samples written before the first one in `sound`.
    before: usize,
    vad: Vad,
    speech: Option<Speech>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Speech {
    /// The item it will become.
    pub item: String,
    pub audio_start_ms: u64,
}

impl Input {
    pub(crate) fn new(hearing: Hearing) -> Self {
        Self { sound: Vec::new(), before: 0, vad: Vad::new(hearing), speech: None }
    }

    pub(crate) fn listen(&mut self, hearing: Hearing) {
        self.vad.listen(hearing);
    }

    /// Audio written since the session began, ms.
    pub(crate) fn written_ms(&self) -> u64 {
        ((self.before + self.sound.len()) / SAMPLES_IN_MS) as u64
    }

    pub(crate) fn uncommitted_ms(&self) -> u64 {
        (self.sound.len() / SAMPLES_IN_MS) as u64
    }

    pub(crate) fn handle_audio(&mut self, samples: &[i16]) -> Vec<Edge> {
        self.sound.extend(samples);
        let edges = self.vad.handle_audio(samples);
        if !self.vad.is_speech() && edges.is_empty() {
            self.forget(self.sound.len().saturating_sub(KEPT_SAMPLES));
        }
        edges
    }

    pub(crate) fn begin_speech(&mut self, speech: Speech) {
        self.speech = Some(speech);
    }

    pub(crate) fn is_speaking(&self) -> bool {
        self.speech.is_some()
    }

    pub(crate) fn end_speech(&mut self) -> Option<Speech> {
        self.speech.take()
    }

    /// The sound from one moment to another. Everything before its end is gone from the buffer.
    pub(crate) fn take(&mut self, from_ms: u64, to_ms: u64) -> Vec<i16> {
        let place = |ms: u64| (ms as usize * SAMPLES_IN_MS).saturating_sub(self.before).min(self.sound.len());
        let (from, to) = (place(from_ms), place(to_ms));
        let turn = self.sound[from.min(to)..to].to_vec();
        self.forget(to);
        turn
    }

    pub(crate) fn take_all(&mut self) -> Vec<i16> {
        self.before += self.sound.len();
        std::mem::take(&mut self.sound)
    }

    fn forget(&mut self, samples: usize) {
        self.sound.drain(..samples);
        self.before += samples;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_cut_out_by_the_clock_of_the_whole_session() {
        let mut input = input();
        input.handle_audio(&[1; 24_000]);
        input.handle_audio(&[2; 24_000]);

        assert_eq!(input.take(500, 1_500), [[1; 12_000], [2; 12_000]].concat());
        assert_eq!(input.uncommitted_ms(), 500);
        assert_eq!(input.take(1_500, 1_600), [2; 2_400]);
        assert_eq!(input.written_ms(), 2_000);
    }

    #[test]
    fn what_was_taken_or_forgotten_cannot_be_taken_again() {
        let mut input = input();
        input.handle_audio(&[1; 24_000]);

        assert_eq!(input.take_all().len(), 24_000);
        assert!(input.take(0, 1_000).is_empty());
    }

    #[test]
    fn long_silence_does_not_fill_the_memory() {
        let mut input = input();
        for _ in 0..40 {
            input.handle_audio(&[0; 24_000]);
        }

        assert_eq!((input.uncommitted_ms(), input.written_ms()), (30_000, 40_000));
    }

    fn input() -> Input {
        Input::new(Hearing { threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500 })
    }
}
