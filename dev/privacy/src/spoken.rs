//! Digits spoken as words, as a transcript has them: "seven three five nine".

/// So many in a row are no counting any more.
const MANY: usize = 4;

const WORDS: [&str; 12] =
    ["zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double"];

/// Whether a voice says a number digit by digit.
pub(crate) fn has_digits(text: &str) -> bool {
    let words = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty());
    let mut in_a_row = 0;
    for word in words {
        let is_digit = WORDS.iter().any(|digit| word.eq_ignore_ascii_case(digit));
        in_a_row = if is_digit { in_a_row + 1 } else { 0 };
        if in_a_row == MANY {
            return true;
        }
    }
    false
}
