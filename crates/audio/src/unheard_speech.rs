//! Detects that the caller speaks and the model's voice activity detection misses it, by the level of the caller's
//! audio.
//!
//! Speech differs from noise by its syllables: its level rises and falls several times a second, by more than that of
//! a fan, a hum, a tone or hiss. Beeps rise and fall too, but are all equally loud.

use crate::SAMPLES;
use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// The window, in seconds.
const WINDOW: usize = 12;

/// In how many seconds of the window the caller must speak unheard.
const SPOKEN: usize = 8;

/// The number of frames in a second.
const SECOND: usize = 50;

/// The level, dB of full scale, above which a frame may be speech: encoder noise is far below it, quiet speech above.
const LOUD: f32 = -45.0;

/// Lower levels count as this, dB of full scale: near silence, differences of level mean nothing.
const FLOOR: f32 = -60.0;

/// The least number of loud frames in a second of speech: clicks and knocks are shorter.
const LOUD_FRAMES: usize = 15;

/// The least change of level, dB, that counts as a rise or a fall.
const SWING: f32 = 6.0;

/// How often the level turns in a second of speech: engines turn more often.
const SWINGS: RangeInclusive<usize> = 4..=18;

/// The least standard deviation of the loud frames of a second of speech, dB.
const SPREAD: f32 = 3.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detection {
    /// The caller spoke in the last second, unheard.
    Speech,
    /// The caller has spoken unheard long enough to show that the session is deaf. Reported once.
    DeafAgent,
}

/// Listens to the caller's audio beside the model.
#[derive(Debug)]
pub(crate) struct UnheardSpeech {
    levels: Vec<f32>,
    /// Whether the caller spoke in each second of the window.
    seconds: VecDeque<bool>,
    has_found: bool,
}

impl Default for UnheardSpeech {
    /// Reserves all memory up front: nothing is allocated while a call runs.
    fn default() -> Self {
        Self {
            levels: Vec::with_capacity(SECOND),
            seconds: VecDeque::with_capacity(WINDOW + 1),
            has_found: false,
        }
    }
}

impl UnheardSpeech {
    /// Handles audio of the caller as the model gets it. `counts` is false while it may be the agent's echo.
    pub(crate) fn note(&mut self, samples: &[i16], counts: bool) -> Option<Detection> {
        if self.has_found {
            return None;
        }
        let mut found = None;
        for frame in samples.chunks(SAMPLES) {
            self.levels.push(if counts { level(frame) } else { FLOOR });
            if self.levels.len() == SECOND {
                let is_speech = is_speech(&self.levels);
                self.levels.clear();
                found = self.note_second(is_speech).or(found);
            }
        }
        found
    }

    /// Forgets earlier seconds: the model hears the caller, or its session was replaced.
    pub(crate) fn clear(&mut self) {
        self.levels.clear();
        self.seconds.clear();
    }

    fn note_second(&mut self, is_speech: bool) -> Option<Detection> {
        self.seconds.push_back(is_speech);
        let too_many = self.seconds.len().saturating_sub(WINDOW);
        self.seconds.drain(..too_many);
        self.has_found = self.seconds.iter().filter(|is_speech| **is_speech).count() >= SPOKEN;
        match (self.has_found, is_speech) {
            (true, _) => Some(Detection::DeafAgent),
            (false, true) => Some(Detection::Speech),
            (false, false) => None,
        }
    }
}

/// Whether the frames' levels, dB, are those of speech.
fn is_speech(levels: &[f32]) -> bool {
    let loud = levels.iter().copied().filter(|level| *level > LOUD);
    loud.clone().count() >= LOUD_FRAMES && spread(loud) >= SPREAD && SWINGS.contains(&swings(levels))
}

fn spread(levels: impl Iterator<Item = f32> + Clone) -> f32 {
    let count = levels.clone().count() as f32;
    let mean = levels.clone().sum::<f32>() / count;
    (levels.map(|level| (level - mean).powi(2)).sum::<f32>() / count).sqrt()
}

/// Counts how often the level turns from rising to falling or back.
fn swings(levels: &[f32]) -> usize {
    let Some(first) = levels.first() else { return 0 };
    let (mut turned_at, mut is_rising, mut swings) = (*first, None, 0);
    for level in levels {
        let (rises, falls) = (*level - turned_at >= SWING, turned_at - *level >= SWING);
        let turns = match is_rising {
            Some(true) => falls,
            Some(false) => rises,
            None => rises || falls,
        };
        if turns {
            (turned_at, is_rising) = (*level, Some(rises));
            swings += 1;
        }
        // The level moves on in the same direction.
        turned_at = match is_rising {
            Some(true) => turned_at.max(*level),
            Some(false) => turned_at.min(*level),
            None => turned_at,
        };
    }
    swings
}

/// Returns a frame's level, dB of full scale.
fn level(frame: &[i16]) -> f32 {
    let power: f32 = frame.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    let mean = power / frame.len().max(1) as f32 / f32::from(i16::MAX).powi(2);
    if mean > 0.0 { (10.0 * mean.log10()).max(FLOOR) } else { FLOOR }
}

#[cfg(test)]
#[path = "unheard_speech_tests.rs"]
pub(crate) mod tests;
