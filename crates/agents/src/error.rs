//! Errors in an agent file, each one line without secrets and personal data.

/// The first error in an agent file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {field}: {reason}")]
pub struct AgentFileError {
    /// The line of the error, from 1.
    pub line: usize,
    /// The dotted field, such as `tools.http[0].url`, or `the file`.
    pub field: String,
    /// What is wrong and what is allowed. Contains nothing secret or personal.
    pub reason: String,
}

impl AgentFileError {
    /// Creates an error that is not about one field.
    pub(crate) fn whole_file(reason: String) -> Self {
        Self { line: 1, field: WHOLE.to_owned(), reason }
    }
}

/// A broken rule whose line is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// Stands for the file in place of a field.
pub(crate) const WHOLE: &str = "the file";

/// Quotes at most 40 characters of a text that is neither secret nor personal, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(37).filter(|c| !c.is_control()).collect();
    if text.chars().count() > 37 {
        short.push('…');
    }
    format!("\"{short}\"")
}
