//! Takes long numbers out of words that others chose, before they get into a log.

/// A number of so many digits may be somebody's telephone number.
const LONG: usize = 8;

/// The text with "…" in place of each number of eight digits or more, however they are grouped.
pub(crate) fn redact(text: &str) -> String {
    let (mut redacted, mut number) = (String::new(), String::new());
    for letter in text.chars().chain(['\0']) {
        match letter {
            '0'..='9' | '+' => number.push(letter),
            ' ' | '-' | '(' | ')' if !number.is_empty() => number.push(letter),
            _ => {
                redacted += &short_or_not(&number);
                number.clear();
                redacted.push(letter);
            }
        }
    }
    redacted.pop();
    redacted
}

fn short_or_not(number: &str) -> String {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if digits < LONG {
        return number.to_owned();
    }
    let after = number.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    format!("…{}", &number[after.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_go_however_they_are_written() {
        for number in ["919900000001", "+91 99000 00001", "+1 (555) 000-1111"] {
            assert_eq!(redact(&format!("To {number}, no.")), "To …, no.");
        }
    }

    #[test]
    fn what_else_is_counted_stays() {
        for text in ["12 of 3000 packets from 127.0.0.1:50123", "code 138021", "", "20 s - 30 s", "Größe 7"]
        {
            assert_eq!(redact(text), text);
        }
    }
}
