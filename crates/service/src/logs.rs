//! Logging: one JSON line per event on standard output, which Lambda and ECS collect.

use std::io::{Stdout, Write, stdout};
use std::sync::OnceLock;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// The background writer, once there is one.
static BACKGROUND: OnceLock<NonBlocking> = OnceLock::new();

/// Starts logging. `RUST_LOG` sets the filter; the default is `info`.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .try_init();
}

/// Moves writing to a background thread, since standard output can block and media threads must not wait for it. Lines over its queue of
/// 128,000 are dropped. The rest is written when the guard is dropped.
///
/// Not for functions: Lambda freezes such a thread, too.
#[must_use = "the last lines are written when this is dropped"]
pub fn write_in_background() -> WorkerGuard {
    let (background, guard) = tracing_appender::non_blocking(stdout());
    let _ = BACKGROUND.set(background);
    guard
}

/// Writes a line that is JSON already, such as a journal entry.
pub fn line(json: &str) {
    let _ = writer().write_all(format!("{json}\n").as_bytes());
}

/// The writer of log lines: this thread or the background one.
enum LogWriter {
    Direct(Stdout),
    Background(NonBlocking),
}

fn writer() -> LogWriter {
    BACKGROUND
        .get()
        .map_or_else(|| LogWriter::Direct(stdout()), |background| LogWriter::Background(background.clone()))
}

impl Write for LogWriter {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Direct(out) => out.write(text),
            Self::Background(background) => background.write(text),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Direct(out) => out.flush(),
            Self::Background(background) => background.flush(),
        }
    }
}
