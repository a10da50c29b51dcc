//! Finds personal data and secrets by their shape alone.

use regex::Regex;
use std::sync::LazyLock;

/// Each kind, and what it looks like.
pub const SHAPES: [(&str, &str); 12] = [
    ("a telephone number", r"(?:\+|%2[Bb])\d[\d ().-]{6,}\d"),
    ("a telephone's address", r"(?i)\b(?:tel|sips?):\(?\d[\d()-]{4,}"),
    // Grouped or not, it is eleven digits or more: of fewer, everything is counted in some test.
    ("a long number, as a telephone number is", r"(?:^|[^\w.:/+#=-])\d{11,15}(?:$|[^\w:/#=-])"),
    ("Meta's id of a call or a message", r"\bw(?:ac|am)id\.[A-Za-z0-9+/=]{12,}"),
    ("a user's id at Meta", r"\b[A-Z]{2}\.\d{12,}\b"),
    ("a token of Meta's", r"\bEAA[A-Za-z0-9]{12,}"),
    ("a key of OpenAI's", r"\b(?:sk|ek)[-_][A-Za-z0-9_-]{6,}"),
    ("OpenAI's id of a call", r"\brtc_[A-Za-z0-9_-]{12,}"),
    ("a secret of a webhook", r"\bwhsec_[A-Za-z0-9+/_-]{8,}"),
    ("a bearer token", r"\b[Bb]earer\s+[A-Za-z0-9._~+/=-]{6,}"),
    ("an SDP", r"\bv=0(?:\s|\\r|\\n|$)|\bo=\S+ \d+ \d+ IN IP[46]\b|\bm=audio \d+ "),
    ("a secret part of an SDP", r"\ba=(?:ice-pwd|ice-ufrag|fingerprint|candidate|crypto|setup):"),
];

static KINDS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let compiled =
        SHAPES.iter().map(|(kind, shape)| (*kind, Regex::new(shape).expect("the shape is a regex")));
    compiled.collect()
});

pub(crate) fn kinds_in(text: &str) -> Vec<&'static str> {
    KINDS.iter().filter(|(_, shape)| shape.is_match(text)).map(|(kind, _)| *kind).collect()
}
