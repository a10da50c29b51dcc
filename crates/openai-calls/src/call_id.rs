//! OpenAI's id of a call.

use std::fmt;

/// What every id begins with.
const PREFIX: &str = "rtc_";

/// The most characters after the prefix.
const LONGEST: usize = 200;

/// OpenAI's id of a call, checked: it becomes part of a URL. The one who has it and the key of the project can end the call.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CallId(String);

impl CallId {
    /// Returns the id if it is `rtc_` and 1 to 200 letters, digits, `_` or `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let is_id = (1..=LONGEST).contains(&rest.len()) && rest.bytes().all(is_allowed);
        is_id.then(|| Self(text.to_owned()))
    }

    /// Returns the id as OpenAI writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CallId {
    /// Leaves out the id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_does_not_fit_a_url_is_none() {
        let longest = format!("rtc_{}", "a".repeat(200));
        for id in ["rtc_u1_0123456789abcdef", "rtc_A-b_9", &longest] {
            assert_eq!(CallId::parse(id).as_ref().map(CallId::as_str), Some(id));
        }
        let too_long = format!("{longest}a");
        for id in [
            "",
            "rtc_",
            "rtc",
            "call_1",
            "RTC_1",
            " rtc_1",
            "rtc_1\n",
            "rtc_../x",
            "rtc_a/accept",
            "rtc_é",
            "rtc_%2e",
            &too_long,
        ] {
            assert_eq!(CallId::parse(id), None, "{id}");
        }
    }

    #[test]
    fn debug_output_shows_no_id() {
        assert_eq!(format!("{:?}", CallId::parse("rtc_planted")), "Some(CallId)");
    }
}
