//! Prints to standard output and standard error. Colours go to terminals only, and a closed pipe is not an error.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::io::{IsTerminal, Write};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();

pub(crate) const BAD: Style = AnsiColor::Red.on_default();

pub(crate) const UNSURE: Style = AnsiColor::Yellow.on_default();

/// Prints a line to standard output.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Prints a line to standard error.
pub(crate) fn error_line(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints a value as JSON to standard output.
pub(crate) fn json(value: &impl Serialize) {
    line(serde_json::to_string_pretty(value).expect("output structs have string keys"));
}

/// Whether standard output is a terminal: what is printed is read by a person, and kept nowhere.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Replaces control characters, so that what people said cannot send escape sequences to the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
