//! Reads the lines of an SDP answer.

use super::flaw::{LARGEST, SdpFlaw};

/// The lines of an answer, and rules about its attributes.
pub(super) struct Lines<'a>(pub(super) Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(super) fn split(sdp: &'a str) -> Result<Lines<'a>, SdpFlaw> {
        if sdp.len() >= LARGEST {
            return Err(SdpFlaw::TooLarge(sdp.len()));
        }
        let lines: Vec<&str> = sdp.strip_suffix("\r\n").ok_or(SdpFlaw::LineEnds)?.split("\r\n").collect();
        if lines.iter().any(|line| line.contains(['\r', '\n']) || line.is_empty()) {
            return Err(SdpFlaw::LineEnds);
        }
        if lines[0] == "v=0" { Ok(Lines(lines)) } else { Err(SdpFlaw::NoVersion) }
    }

    pub(super) fn attribute(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
    }

    pub(super) fn only(&self, name: &'static str) -> Result<&'a str, SdpFlaw> {
        let values: Vec<&str> = self.attribute(name).collect();
        match values[..] {
            [only] => Ok(only),
            _ => Err(SdpFlaw::Count(name, values.len())),
        }
    }

    pub(super) fn must_be(&self, name: &'static str, value: &str) -> Result<(), SdpFlaw> {
        if self.only(name)? == value { Ok(()) } else { Err(SdpFlaw::Value(name, value.to_owned())) }
    }

    /// What was offered must be there, and what was not must not.
    pub(super) fn must_mirror(&self, name: &'static str, offered: Option<String>) -> Result<(), SdpFlaw> {
        match offered {
            Some(value) => self.must_be(name, &value),
            None if self.attribute(name).next().is_some() => Err(SdpFlaw::NotOffered(name)),
            None => Ok(()),
        }
    }

    pub(super) fn has_flag(&self, name: &str) -> bool {
        self.0.iter().any(|line| line.strip_prefix("a=") == Some(name))
    }
}
