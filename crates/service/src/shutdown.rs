//! Being told to stop: SIGTERM from ECS, SIGINT from a person.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when this process is told to stop.
pub async fn requested() {
    let mut terminate = signal(SignalKind::terminate()).expect("the runtime handles signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("the runtime handles signals");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
