//! Answers the container's health check on an abstract Unix socket, which no network reaches, while heartbeats are tried.

use anyhow::Context;
use service::env::{Env, SettingError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;

/// How long after a heartbeat was tried the task is alive: longer than one takes whose every request to AWS times out. What is
/// done between heartbeats, and while the task leaves, beats, too.
const ALIVE_FOR: Duration = Duration::from_secs(60);

/// What the health check is answered.
pub(crate) const ALIVE: &[u8] = b"alive\n";

/// When a heartbeat was last tried. What came of it does not count: an outage at AWS is no reason to replace the task.
#[derive(Debug, Clone)]
pub struct Liveness(Arc<Mutex<Instant>>);

impl Liveness {
    /// The pulse of a task whose first heartbeat is about to be tried.
    pub fn begin(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Notes that a heartbeat is being tried.
    pub fn beat(&self, now: Instant) {
        *self.0.lock().expect("nothing panics while it holds this lock") = now;
    }

    /// Does some work, and beats at its start and then as often as said.
    pub(crate) async fn beat_during<T>(&self, work: impl Future<Output = T>, every: Duration) -> T {
        let mut next = tokio::time::interval(every);
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = next.tick() => self.beat(Instant::now()),
            }
        }
    }

    fn is_alive(&self, now: Instant) -> bool {
        now.duration_since(*self.0.lock().expect("nothing panics while it holds this lock")) < ALIVE_FOR
    }
}

/// Listens where `address` says.
///
/// # Errors
/// When the address is not known, or another process listens there.
pub fn listen(env: &Env) -> anyhow::Result<UnixListener> {
    UnixListener::bind(address(env)?).context("cannot listen for health checks")
}

/// Answers health checks until dropped. Without a pulse it closes the connection and says nothing.
pub async fn answer(listener: UnixListener, pulse: Liveness) {
    loop {
        match listener.accept().await {
            // So few bytes fit into the socket's buffer: this never waits.
            Ok((mut check, _)) if pulse.is_alive(Instant::now()) => drop(check.write_all(ALIVE).await),
            Ok(_) => {}
            // Too many open files, most likely: some will close.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Where the task in this container answers health checks. The last part of the metadata's URI names the container after its
/// task, so tasks that share a machine differ.
pub(crate) fn address(env: &Env) -> Result<String, SettingError> {
    let uri = env.required("ECS_CONTAINER_METADATA_URI_V4")?;
    Ok(format!("\0ahoy-media-task-{}", uri.rsplit('/').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_alive_for_a_minute_after_a_heartbeat_was_tried() {
        let (start, minute) = (Instant::now(), Duration::from_secs(60));
        let pulse = Liveness::begin(start);

        assert!(pulse.is_alive(start + minute - Duration::from_millis(1)));
        assert!(!pulse.is_alive(start + minute));
        pulse.beat(start + minute);
        assert!(pulse.is_alive(start + minute + Duration::from_secs(59)));
    }

    #[tokio::test]
    async fn the_pulse_goes_on_while_something_is_done() {
        let begun = Instant::now();
        let pulse = Liveness::begin(begun);
        let two_beats = async {
            for _ in 0..2 {
                let before = *pulse.0.lock().expect("no beat panics");
                while *pulse.0.lock().expect("no beat panics") == before {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            "written"
        };

        let beating = pulse.beat_during(two_beats, Duration::from_millis(2));

        let done = tokio::time::timeout(Duration::from_secs(20), beating).await;
        assert_eq!(done.expect("it beats twice"), "written");
    }

    #[test]
    fn the_socket_is_named_after_the_task() {
        let env = |uri| Env::of(&[("ECS_CONTAINER_METADATA_URI_V4", uri)]);

        let named = address(&env("http://169.254.170.2/v4/0123abcd-4567")).expect("it is set");
        assert_eq!(named, "\0ahoy-media-task-0123abcd-4567");
        assert!(address(&env("")).is_err());
    }
}
