//! Finds one telephone number in a line, however its digits are written.

use regex::Regex;
use std::sync::LazyLock;

/// Digits alone.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+").expect("it is a regex"));

/// Digits with what people put between them.
static GROUPED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d(?:[ ().\u{a0}-]{0,2}\d)*").expect("it is a regex"));

/// Returns the digits of a number in each way to dial it.
pub(crate) fn forms(country: &str, national: &str) -> Vec<String> {
    let national: String = national.chars().filter(char::is_ascii_digit).collect();
    let country = country.trim_start_matches('+');
    let mut forms: Vec<_> =
        ["", "0", country, &format!("00{country}")].map(|before| format!("{before}{national}")).into();
    forms.dedup();
    forms
}

/// Whether one of these numbers is in a line: as a whole, not within a longer number or a hash.
pub(crate) fn is_in(line: &str, forms: &[String]) -> bool {
    // Of a percent-encoded `+` the B is no letter of a hash.
    let line = line.replace("%2B", "+").replace("%2b", "+");
    [&DIGITS, &GROUPED].into_iter().any(|written| {
        written.find_iter(&line).any(|found| {
            let (before, after) =
                (line[..found.start()].chars().next_back(), line[found.end()..].chars().next());
            let is_whole = ![before, after].into_iter().flatten().any(char::is_alphanumeric);
            let digits: String = found.as_str().chars().filter(char::is_ascii_digit).collect();
            is_whole && forms.contains(&digits)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_every_way_it_is_written() {
        let number = forms("+356", "99000001");

        for written in [
            "+35699000001",
            "35699000001",
            "0035699000001",
            "99000001",
            "9900 0001",
            "(356) 9900-0001",
            "tel:+35699000001",
            "sip:35699000001@carrier.example;user=phone",
            "sips:99000001@carrier.example",
            "to=%2B35699000001&x",
            r#"{"to":"99000001"}"#,
            "at 12:30 99000001 rang",
        ] {
            assert!(is_in(written, &number), "{written}");
        }
    }

    #[test]
    fn a_part_of_another_number_or_of_a_hash_is_none() {
        let number = forms("+356", "99000001");

        for written in ["1799000001795", "35799000001", "5a99000001f0", "99000002", "", "990000011"] {
            assert!(!is_in(written, &number), "{written}");
        }
    }
}
