//! How much of a text was heard, in any script, when so much of its sound was. The model tells no shortened transcript.

use std::time::Duration;
use unicode_segmentation::UnicodeSegmentation;

/// Letters of the Latin script that agents say in a second.
const PACE: f64 = 15.0;

/// A word of which more letters than this were heard is cut inside: its beginning says more than nothing.
const LONG_WORD: f64 = 20.0;

/// What sums of letters may be off by.
const ROUNDING: f64 = 1e-6;

/// The words of a text that were heard, when so much of its sound was: in proportion, and whole ones only where the script
/// has spaces between words.
pub fn heard_words(text: &str, heard: Duration, of: Duration) -> &str {
    if heard >= of {
        return text;
    }
    let all: f64 = text.graphemes(true).map(length).sum();
    cut(text, all * heard.div_duration_f64(of), length)
}

/// The words that are said in so much sound, when it is not known how much more is to come.
pub(crate) fn words_within(text: &str, sound: Duration) -> &str {
    cut(text, sound.as_secs_f64() * PACE, length)
}

/// At most so many letters of a text, and whole words only where the script has spaces between words.
pub(crate) fn shortened(text: &str, letters: usize) -> &str {
    cut(text, letters as f64, |_| 1.0)
}

/// Cuts a text at the last sensible place before its letters, as `length` measures them, are more than `most`.
fn cut(text: &str, most: f64, length: impl Fn(&str) -> f64) -> &str {
    let (mut said, mut place, mut said_at_place) = (0.0, 0, 0.0);
    let mut before = None;
    for (at, letter) in text.grapheme_indices(true) {
        if before.is_none_or(|before| is_place_between(before, letter)) {
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

/// Whether a text may be cut between two letters that follow each other.
fn is_place_between(before: &str, after: &str) -> bool {
    let (before, after) = (first(before), first(after));
    if before.is_whitespace() || after.is_whitespace() {
        return true;
    }
    let is_bracket = matches!(before, '「' | '『' | '（' | '【' | '《' | '〈' | '〔');
    !is_bracket && (stands_alone(before) || stands_alone(after))
}

/// Whether nothing in writing tells where a word of this letter begins or ends. Emoji are words of their own.
fn stands_alone(letter: char) -> bool {
    match letter {
        // Thai, Lao, Tibetan, Burmese, Khmer.
        '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => true,
        // Symbols and emoji.
        '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => true,
        // Chinese and Japanese, with their punctuation. Korean has spaces.
        '\u{2e80}'..='\u{312f}' | '\u{31a0}'..='\u{4dbf}' | '\u{4e00}'..='\u{a4cf}' => true,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}' => true,
        '\u{20000}'..='\u{3ffff}' => true,
        _ => false,
    }
}

/// How long it takes to say a letter, measured in letters of the Latin script. From how many syllables a second the
/// languages of a script are spoken at, and how many syllables a letter of it is.
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
