//! Asks for confirmation and secrets, and shows a spinner during requests; on a terminal only.

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::SecretString;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// How often the spinner moves.
const TICK: Duration = Duration::from_millis(100);

/// Asks a yes/no question; without a terminal the answer is no.
pub(crate) fn confirm(question: &str) -> bool {
    if !is_interactive() {
        return false;
    }
    let _ = write!(anstream::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Asks for a secret, which is not shown while it is typed; `None` without a terminal.
pub(crate) fn secret(question: &str) -> Option<SecretString> {
    if !is_interactive() {
        return None;
    }
    let _ = write!(anstream::stderr(), "{question} ");
    let typed = Term::stderr().read_secure_line().ok()?;
    Some(typed.trim().into())
}

/// Whether standard input is a terminal, so that a question can be answered.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal()
}

/// A spinner on the terminal, removed when dropped.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    /// Starts a spinner with a message such as `Asking Meta`.
    pub(crate) fn start(message: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(message);
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        bar.set_style(style.expect("the template is valid"));
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
