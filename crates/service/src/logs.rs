//! Logs: one JSON line each, on standard output, where Lambda and ECS pick them up.

use std::io::Write;
use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` chooses what; without it, what is worth knowing in production.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stdout)
        .try_init();
}

/// Writes a line that is JSON already: a journal's entry.
pub fn line(json: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{json}");
}
