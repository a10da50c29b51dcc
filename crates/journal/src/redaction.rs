//! Redacts long numbers, which may be phone numbers, from text that enters a log.

/// The fewest digits that may be a phone number.
const PHONE_NUMBER_DIGITS: usize = 8;

/// Returns the text with "…" in place of each number of eight digits or more, however its digits are grouped.
pub(crate) fn redact(text: &str) -> String {
    let (mut redacted, mut number) = (String::new(), String::new());
    for letter in text.chars().chain(['\0']) {
        match letter {
            '0'..='9' | '+' => number.push(letter),
            ' ' | '-' | '(' | ')' if !number.is_empty() => number.push(letter),
            _ => {
                redacted += &redact_if_long(&number);
                number.clear();
                redacted.push(letter);
            }
        }
    }
    redacted.pop();
    redacted
}

fn redact_if_long(number: &str) -> String {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if digits < PHONE_NUMBER_DIGITS {
        return number.to_owned();
    }
    let after = number.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    format!("…{}", &number[after.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_are_redacted_in_any_format() {
        for number in ["919900000001", "+91 99000 00001", "+1 (555) 000-1111"] {
            assert_eq!(redact(&format!("To {number}, no.")), "To …, no.");
        }
    }

    #[test]
    fn shorter_numbers_are_kept() {
        for text in ["12 of 3000 packets from 127.0.0.1:50123", "code 138021", "", "20 s - 30 s", "Größe 7"]
        {
            assert_eq!(redact(text), text);
        }
    }
}
