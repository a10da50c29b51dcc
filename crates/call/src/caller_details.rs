//! What the line's service says about a caller. The caller chose most of it, so it may be anything.

use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_general_category::{GeneralCategory, get_general_category};

/// The longest name that is spoken, in characters.
const LONGEST_SPOKEN_NAME: usize = 40;

/// The most marks on a letter.
const MOST_MARKS: usize = 3;

/// What the line's service says about a caller: for agents whose file asks for it, and for no log, journal or metric.
///
/// Texts are one line each, at most 512 characters, and as the caller wrote them: they may read like orders to a model.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerDetails {
    /// The digits of the phone number, unless hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Whether the line's service knows that the number is the caller's. A carrier only passes on what it was sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub number_verified: bool,
    /// The business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The name in the caller's profile; on the telephone line, the display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The caller's user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The payload of the link that the caller followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deeplink_payload: Option<String>,
    /// The payload of the call button that the caller pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cta_payload: Option<String>,
    /// The digits of the business number that was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_number: Option<String>,
}

impl CallerDetails {
    /// Returns the caller's name as it may be spoken: letters, marks, single spaces, `'`, `-` and `.`. A name with anything else in it, such
    /// as digits or an emoji, or longer than 40 characters, is none.
    pub fn spoken_name(&self) -> Option<String> {
        let name = self.name.as_deref()?.replace(is_unspoken, "").replace('’', "'");
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_short = name.chars().count() <= LONGEST_SPOKEN_NAME;
        let is_name = name.chars().all(is_of_a_name) && name.chars().any(char::is_alphabetic);
        (is_short && is_name && !has_stacked_marks(&name)).then_some(name)
    }

    /// Returns the phone number in the international form, E.164.
    pub fn international_number(&self) -> Option<String> {
        self.number.as_deref().map(international)
    }

    /// Returns the business number in the international form, E.164.
    pub fn international_called_number(&self) -> Option<String> {
        self.called_number.as_deref().map(international)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Debug for CallerDetails {
    /// Leaves everything out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerDetails").finish_non_exhaustive()
    }
}

fn international(digits: &str) -> String {
    format!("+{digits}")
}

/// Whether a character has neither width nor sound: it joins letters or keeps them apart, in Persian and Indian names for instance, or
/// selects a variant of a letter, in Japanese and Mongolian ones.
fn is_unspoken(letter: char) -> bool {
    matches!(
        letter,
        '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
    )
}

fn is_of_a_name(letter: char) -> bool {
    use GeneralCategory::{LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    let is_letter = |category| {
        matches!(category, LowercaseLetter | ModifierLetter | OtherLetter | TitlecaseLetter | UppercaseLetter)
    };
    matches!(letter, ' ' | '\'' | '-' | '.')
        || !is_invisible(letter) && (is_mark(letter) || is_letter(get_general_category(letter)))
}

fn is_mark(letter: char) -> bool {
    matches!(get_general_category(letter), GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark)
}

/// Whether a letter or mark shows nothing, such as the Hangul filler.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}')
}

/// Whether a letter has more marks than any script has.
fn has_stacked_marks(name: &str) -> bool {
    name.split(|letter| !is_mark(letter)).any(|marks| marks.chars().count() > MOST_MARKS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_any_script_are_spoken() {
        for (name, spoken) in [
            ("Asha", "Asha"),
            ("  Zoë   van der  Berg ", "Zoë van der Berg"),
            ("Seán O’Brien-Smith Jr.", "Seán O'Brien-Smith Jr."),
            ("आशा क्षत्रिय", "आशा क्षत्रिय"),
            ("مریم\u{200c}سادات", "مریمسادات"),
            ("王小明", "王小明"),
            ("葛\u{e0100}城", "葛城"),
            ("Zoe\u{fe00}\u{fe0f}\u{e01ef}", "Zoe"),
            ("Zoe\u{301}\u{a0}B", "Zoe\u{301} B"),
        ] {
            assert_eq!(spoken_name(name).as_deref(), Some(spoken), "{name}");
        }
        assert!(spoken_name(&"é".repeat(LONGEST_SPOKEN_NAME)).is_some());
    }

    #[test]
    fn what_is_no_name_is_not_spoken() {
        for name in [
            "",
            " .-' ",
            "919900000001",
            "+91 99000 00001",
            "Asha 2",
            "Asha 🌸",
            "{{caller_number}}",
            "Asha\u{202e}ahsA",
            "ignore: all",
            "<b>Asha</b>",
            "\u{301}",
            "\u{3164}\u{115f}",
            "Asha\u{3164}",
            "As\u{34f}ha",
            "Zoe\u{301}\u{302}\u{303}\u{304}",
        ] {
            assert_eq!(spoken_name(name), None, "{name}");
        }
        assert_eq!(spoken_name(&"é".repeat(LONGEST_SPOKEN_NAME + 1)), None);
    }

    #[test]
    fn debug_output_shows_nothing_of_the_caller() {
        let text = || Some("planted".to_owned());
        let details = CallerDetails {
            number: text(),
            number_verified: true,
            user_id: text(),
            name: text(),
            username: text(),
            deeplink_payload: text(),
            cta_payload: text(),
            called_number: text(),
        };

        assert_eq!(format!("{details:?}"), "CallerDetails { .. }");
    }

    #[test]
    fn nothing_is_written_of_an_unknown_caller() {
        assert_eq!(serde_json::to_string(&CallerDetails::default()).expect("it is JSON"), "{}");
    }

    proptest! {
        #[test]
        fn a_spoken_name_is_one_short_line_of_letters(name in "(?s)\\PC{0,60}|[\\p{L}\\p{M} .'-]{0,45}|.{0,60}") {
            if let Some(spoken) = spoken_name(&name) {
                prop_assert!(spoken.chars().count() <= LONGEST_SPOKEN_NAME);
                prop_assert!(!spoken.contains(is_never_spoken));
                prop_assert_eq!(spoken_name(&spoken), Some(spoken));
            }
        }
    }

    fn is_never_spoken(character: char) -> bool {
        character.is_control() || character.is_numeric() || "{}<>\"`".contains(character)
    }

    fn spoken_name(name: &str) -> Option<String> {
        CallerDetails { name: Some(name.to_owned()), ..CallerDetails::default() }.spoken_name()
    }
}
