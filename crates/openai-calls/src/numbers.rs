//! Telephone numbers as they stand in SIP headers.

use percent_encoding::percent_decode_str;

/// What is written between digits to make them readable (RFC 3966, "visual separators"), and a space.
const SEPARATORS: [char; 5] = ['-', '.', '(', ')', ' '];

/// The digits of a number: fewer are an extension, more are none.
const DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// Returns the digits of a number, as a user part has it: `+356 2100-0000`, `0035621000000` and `35621000000` are one number. `None` when
/// it is no number: `000000` stands for one that is withheld.
pub fn digits(user: &str) -> Option<String> {
    let decoded = percent_decode_str(user).decode_utf8().ok()?;
    let plain: String = decoded.chars().filter(|letter| !SEPARATORS.contains(letter)).collect();
    let digits = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00")).unwrap_or(&plain);
    let is_number = DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_withheld = digits.bytes().all(|byte| byte == b'0');
    (is_number && !is_withheld).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_form() {
        for written in [
            "+35621000000",
            "35621000000",
            "0035621000000",
            "+356 2100-0000",
            "+356(21)00.00.00",
            "%2B35621000000",
            "%2b35621%30%30%30000",
        ] {
            assert_eq!(digits(written).as_deref(), Some("35621000000"), "{written}");
        }
        assert_eq!(digits("12345").as_deref(), Some("12345"));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for written in [
            "",
            "+",
            "1234",
            "1234567890123456",
            "anonymous",
            "proj_test",
            "+356a1000000",
            "++35621000000",
            "٣٥٦٢١٠٠٠",
            "%ff%fe",
            "35621#00",
            "00000",
            "+00000",
            "000000000000",
        ] {
            assert_eq!(digits(written), None, "{written}");
        }
    }
}
