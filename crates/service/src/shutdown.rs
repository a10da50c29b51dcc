//! Shutdown signals: SIGTERM from ECS, SIGINT from a terminal.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when shutdown is requested.
pub async fn requested() {
    let mut terminate = signal(SignalKind::terminate()).expect("the runtime handles signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("the runtime handles signals");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
