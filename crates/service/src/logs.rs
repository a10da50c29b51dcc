//! Logs: one JSON line each, on standard output, where Lambda and ECS pick them up.

use std::io::{Stdout, Write, stdout};
use std::sync::OnceLock;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Who writes instead of the thread that has something to say, once somebody does.
static SCRIBE: OnceLock<NonBlocking> = OnceLock::new();

/// Starts logging. `RUST_LOG` chooses what; without it, what is worth knowing in production.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(pen)
        .try_init();
}

/// From now on a thread of its own writes: whoever reads our output can be slow, and threads with sound to send must not
/// wait for that. What does not fit into its queue of 128,000 lines is lost. All is written when the guard is dropped.
///
/// Not for functions: Lambda stops the clock for such a thread, too.
#[must_use = "what was said last is written when this is dropped"]
pub fn write_aside() -> WorkerGuard {
    let (scribe, guard) = tracing_appender::non_blocking(stdout());
    let _ = SCRIBE.set(scribe);
    guard
}

/// Writes a line that is JSON already: a journal's entry.
pub fn line(json: &str) {
    let _ = pen().write_all(format!("{json}\n").as_bytes());
}

/// What a line is written with.
enum LogFormat {
    Own(Stdout),
    Aside(NonBlocking),
}

fn pen() -> LogFormat {
    SCRIBE.get().map_or_else(|| LogFormat::Own(stdout()), |scribe| LogFormat::Aside(scribe.clone()))
}

impl Write for LogFormat {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Own(out) => out.write(text),
            Self::Aside(scribe) => scribe.write(text),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Own(out) => out.flush(),
            Self::Aside(scribe) => scribe.flush(),
        }
    }
}
