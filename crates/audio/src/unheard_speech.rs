//! Detects that the caller speaks and the agent does not hear it, by the level of the caller's sound.
//!
//! Speech is told from noise by its syllables: its level rises and falls several times a second, by more than that of a fan,
//! a hum, a tone or hiss. Beeps rise and fall too, and are all equally loud.

use crate::SAMPLES;
use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// How many of the last seconds are looked at.
const WINDOW: usize = 12;

/// In how many of them the caller must speak, unheard.
const SPOKEN: usize = 8;

/// Frames in a second.
const SECOND: usize = 50;

/// Louder than this, dB of full scale, a frame may be of speech: encoders' noise is far below, and quiet speech above.
const LOUD: f32 = -45.0;

/// What is quieter than this counts as this: in silence, a level means nothing.
const FLOOR: f32 = -60.0;

/// How many frames of a second of speech are loud at least: clicks and knocks are shorter.
const LOUD_FRAMES: usize = 15;

/// By how much, dB, the level must change to have risen or fallen.
const SWING: f32 = 6.0;

/// How often the level turns in a second of speech: engines turn more often.
const SWINGS: RangeInclusive<usize> = 4..=18;

/// The least standard deviation of the loud frames of a second of speech, dB.
const SPREAD: f32 = 3.0;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detection {
    /// The caller has spoken in the last second, and was not heard.
    Speech,
    /// The caller has spoken for so long that the agent must be deaf. Once.
    DeafAgent,
}

/// Listens to the caller's sound beside the agent.
#[derive(Debug)]
pub(crate) struct UnheardSpeech {
    levels: Vec<f32>,
    /// In which of the last seconds the caller spoke.
    seconds: VecDeque<bool>,
    has_found: bool,
}

impl Default for UnheardSpeech {
    /// With room for all it keeps: nothing is allocated while a call runs.
    fn default() -> Self {
        Self {
            levels: Vec::with_capacity(SECOND),
            seconds: VecDeque::with_capacity(WINDOW + 1),
            has_found: false,
        }
    }
}

impl UnheardSpeech {
    /// Takes what the agent hears of the caller. `counts`: it may be the caller's voice, and is not the agent's own echo.
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

    /// Forgets what was heard: the agent hears the caller, or is another one.
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

/// Whether levels, dB, are those of a voice.
fn is_speech(levels: &[f32]) -> bool {
    let loud = levels.iter().copied().filter(|level| *level > LOUD);
    loud.clone().count() >= LOUD_FRAMES && spread(loud) >= SPREAD && SWINGS.contains(&swings(levels))
}

/// The standard deviation.
fn spread(levels: impl Iterator<Item = f32> + Clone) -> f32 {
    let count = levels.clone().count() as f32;
    let mean = levels.clone().sum::<f32>() / count;
    (levels.map(|level| (level - mean).powi(2)).sum::<f32>() / count).sqrt()
}

/// How often the level turns from rising to falling or back.
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
        // It goes on in the same direction.
        turned_at = match is_rising {
            Some(true) => turned_at.max(*level),
            Some(false) => turned_at.min(*level),
            None => turned_at,
        };
    }
    swings
}

/// How loud a frame is, dB of full scale.
fn level(frame: &[i16]) -> f32 {
    let power: f32 = frame.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    let mean = power / frame.len().max(1) as f32 / f32::from(i16::MAX).powi(2);
    if mean > 0.0 { (10.0 * mean.log10()).max(FLOOR) } else { FLOOR }
}

#[cfg(test)]
#[path = "unheard_speech_tests.rs"]
pub(crate) mod tests;
