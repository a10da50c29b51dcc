//! What is wrong with an agent file, in one line that may be shown to anybody.

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {field}: {reason}")]
pub struct AgentFileError {
    /// Its line, from 1.
    pub line: usize,
    /// Its field, dotted: `tools.http[0].url`; or `the file`.
    pub field: String,
    /// Why it is wrong, and what would be right. Holds nothing secret or personal.
    pub reason: String,
}

impl AgentFileError {
    /// Something that is not about one field.
    pub(crate) fn whole_file(reason: String) -> Self {
        Self { line: 1, field: WHOLE.to_owned(), reason }
    }
}

/// A broken rule, before its line is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The dotted field.
    pub(crate) field: String,
    /// Why it is wrong.
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// The name of the file as a field.
pub(crate) const WHOLE: &str = "the file";

/// At most 40 characters of something an operator wrote, fit for one line. Not for what may be secret or personal.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(37).filter(|c| !c.is_control()).collect();
    if text.chars().count() > 37 {
        short.push('…');
    }
    format!("\"{short}\"")
}
