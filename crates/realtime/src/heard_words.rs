//! Estimates which words of a transcript were heard when only part of its audio was played, in any script.
//!
//! The Realtime API truncates an item's audio, but sends no shortened transcript.

use std::time::Duration;
use unicode_segmentation::UnicodeSegmentation;

/// The letters of the Latin script that agents say in a second.
const PACE: f64 = 15.0;

/// The heard length, in Latin letters, beyond which a word is cut inside: its beginning says more than nothing.
const LONG_WORD: f64 = 20.0;

/// The rounding error allowed in sums of letters.
const ROUNDING: f64 = 1e-6;

/// Returns the words of a transcript that were heard, when `heard` of its audio was played: in proportion, and whole words where the script
/// has spaces.
pub fn heard_words(text: &str, heard: Duration, of: Duration) -> &str {
    if heard >= of {
        return text;
    }
    let all: f64 = text.graphemes(true).map(length).sum();
    cut(text, all * heard.div_duration_f64(of), length)
}

/// Returns the words that take this much audio to say, when the full duration is unknown.
pub fn words_within(text: &str, audio: Duration) -> &str {
    cut(text, audio.as_secs_f64() * PACE, length)
}

/// Returns at most this many letters of a text, and whole words where the script has spaces.
pub(crate) fn shortened(text: &str, letters: usize) -> &str {
    cut(text, letters as f64, |_| 1.0)
}

/// Cuts a text at the last sensible place before its letters, as `length` measures them, exceed `most`.
fn cut(text: &str, most: f64, length: impl Fn(&str) -> f64) -> &str {
    let (mut said, mut place, mut said_at_place) = (0.0, 0, 0.0);
    let mut before = None;
    for (at, letter) in text.grapheme_indices(true) {
        if before.is_none_or(|before| may_cut_between(before, letter)) {
            (place, said_at_place) = (at, said);
        }
        let heard = said;
        said += length(letter);
        if said > most + ROUNDING {
            let end = if heard - said_at_place > LONG_WORD { at } else { place };
            return text[..end].trim_end();
        }
        before = Some(letter);
    }
    text
}

/// Whether a text may be cut between two adjacent letters.
fn may_cut_between(before: &str, after: &str) -> bool {
    let (before, after) = (first(before), first(after));
    if before.is_whitespace() || after.is_whitespace() {
        return true;
    }
    let is_bracket = matches!(before, '「' | '『' | '（' | '【' | '《' | '〈' | '〔');
    !is_bracket && (has_no_word_boundary(before) || has_no_word_boundary(after))
}

/// Whether a script marks no word boundaries around a letter. Emoji are words of their own.
fn has_no_word_boundary(letter: char) -> bool {
    match letter {
        // Thai, Lao, Tibetan, Burmese and Khmer.
        '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => true,
        // Symbols and emoji stand alone.
        '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => true,
        // Chinese and Japanese, with their punctuation. Korean has spaces.
        '\u{2e80}'..='\u{312f}' | '\u{31a0}'..='\u{4dbf}' | '\u{4e00}'..='\u{a4cf}' => true,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}' => true,
        '\u{20000}'..='\u{3ffff}' => true,
        _ => false,
    }
}

/// Returns how long a letter takes to say, in letters of the Latin script: from the syllables per second of the script's languages, and the
/// syllables per letter.
fn length(letter: &str) -> f64 {
    match first(letter) {
        letter if letter.is_whitespace() => 1.0,
        letter if letter.is_numeric() => 3.0,
        letter if !letter.is_alphabetic() => 0.0,
        // Hebrew, Arabic and their neighbours write few vowels.
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' => 1.5,
        // Devanagari and the other scripts of India: a syllable, mostly.
        '\u{900}'..='\u{dff}' => 2.0,
        // Thai, Lao, Tibetan, Burmese, Khmer.
        '\u{e00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => 1.5,
        // Ethiopic: a syllable.
        '\u{1200}'..='\u{139f}' => 2.5,
        // Kana: eight a second.
        '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => 2.0,
        // Hangul: a syllable.
        '\u{ac00}'..='\u{d7af}' => 2.5,
        // Han: a syllable in Chinese, often two in Japanese.
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => 3.0,
        _ => 1.0,
    }
}

fn first(letter: &str) -> char {
    letter.chars().next().unwrap_or_default()
}

#[cfg(test)]
#[path = "heard_words_tests.rs"]
mod tests;
