//! Says things to whoever sits at the terminal. Colours are for terminals only; a reader who has left is no failure.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::io::Write;

/// The style of what went well.
pub const GOOD: Style = AnsiColor::Green.on_default();

/// The style of what is wrong.
pub const BAD: Style = AnsiColor::Red.on_default();

/// The style of what is not known.
pub const UNSURE: Style = AnsiColor::Yellow.on_default();

/// A line on standard output.
pub fn line(text: impl Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// A line on standard error.
pub fn wrong(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// JSON on standard output.
pub fn json(value: &impl Serialize) {
    line(serde_json::to_string_pretty(value).expect("what commands say has text keys"));
}

/// A text in a style.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
