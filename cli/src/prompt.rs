//! Asks whoever sits at the terminal, and shows that something is going on. In a pipe it does neither.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// How often what goes round goes on.
const TICK: Duration = Duration::from_millis(100);

/// Whether somebody says yes. Nobody there is a no.
pub fn consent(question: &str) -> bool {
    if !is_anybody_there() {
        return false;
    }
    let _ = write!(anstream::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Whether anybody sits at the terminal.
pub fn is_anybody_there() -> bool {
    std::io::stdin().is_terminal()
}

/// Shows, on a terminal, that something goes on until it is dropped.
pub struct Busy(ProgressBar);

impl Busy {
    /// With what goes on, such as `Asking Meta`.
    pub fn with(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        bar.set_style(style.expect("the template is right"));
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
