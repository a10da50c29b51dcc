//! Answers the container's health check on an abstract Unix socket, which no network reaches, while the heartbeat loop runs.

use anyhow::Context;
use service::env::{Env, SettingError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;

/// How long the task counts as alive after a heartbeat was tried: longer than one takes whose every request to AWS times out.
/// Work between heartbeats, and while the task exits, counts as heartbeats too.
const ALIVE_FOR: Duration = Duration::from_secs(60);

/// The reply to a health check.
pub(crate) const ALIVE: &[u8] = b"alive\n";

/// When a heartbeat was last tried. Its result does not count: an outage at AWS is no reason to replace the task.
#[derive(Debug, Clone)]
pub(crate) struct Liveness(Arc<Mutex<Instant>>);

impl Liveness {
    /// Starts with `now` as the time of the last heartbeat.
    pub(crate) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Notes that a heartbeat is being tried.
    pub(crate) fn note_heartbeat(&self, now: Instant) {
        *self.0.lock().expect("nothing panics while it holds this lock") = now;
    }

    /// Runs `work`, noting a heartbeat at its start and every `every` after that.
    pub(crate) async fn keep_alive_during<T>(&self, work: impl Future<Output = T>, every: Duration) -> T {
        let mut next = tokio::time::interval(every);
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = next.tick() => self.note_heartbeat(Instant::now()),
            }
        }
    }

    fn is_alive(&self, now: Instant) -> bool {
        now.duration_since(*self.0.lock().expect("nothing panics while it holds this lock")) < ALIVE_FOR
    }
}

/// Binds the socket for health checks.
///
/// # Errors
/// When `ECS_CONTAINER_METADATA_URI_V4` is not set, or another process has the address.
pub(crate) fn listen(env: &Env) -> anyhow::Result<UnixListener> {
    UnixListener::bind(address(env)?).context("cannot listen for health checks")
}

/// Answers health checks until the future is dropped. Once the task is no longer alive it closes connections without a reply.
pub(crate) async fn answer(listener: UnixListener, liveness: Liveness) {
    loop {
        match listener.accept().await {
            // This never waits: the socket's buffer has room for so few bytes.
            Ok((mut check, _)) if liveness.is_alive(Instant::now()) => drop(check.write_all(ALIVE).await),
            Ok(_) => {}
            // Too many open files, most likely: some will close.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Returns the address of this container's health check socket. The last part of the metadata's URI names the container after its
/// task, so tasks that share a machine differ.
pub(crate) fn address(env: &Env) -> Result<String, SettingError> {
    let uri = env.required("ECS_CONTAINER_METADATA_URI_V4")?;
    Ok(format!("\0ahoy-media-task-{}", uri.rsplit('/').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_alive_for_a_minute_after_a_heartbeat() {
        let (start, minute) = (Instant::now(), Duration::from_secs(60));
        let liveness = Liveness::new(start);

        assert!(liveness.is_alive(start + minute - Duration::from_millis(1)));
        assert!(!liveness.is_alive(start + minute));
        liveness.note_heartbeat(start + minute);
        assert!(liveness.is_alive(start + minute + Duration::from_secs(59)));
    }

    #[tokio::test]
    async fn heartbeats_continue_during_other_work() {
        let begun = Instant::now();
        let liveness = Liveness::new(begun);
        let two_heartbeats = async {
            for _ in 0..2 {
                let before = *liveness.0.lock().expect("no heartbeat panics");
                while *liveness.0.lock().expect("no heartbeat panics") == before {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            "written"
        };

        let working = liveness.keep_alive_during(two_heartbeats, Duration::from_millis(2));

        let done = tokio::time::timeout(Duration::from_secs(20), working).await;
        assert_eq!(done.expect("two heartbeats are noted"), "written");
    }

    #[test]
    fn the_health_check_socket_is_named_after_the_task() {
        let env = |uri| Env::of(&[("ECS_CONTAINER_METADATA_URI_V4", uri)]);

        let named = address(&env("http://169.254.170.2/v4/0123abcd-4567")).expect("it is set");
        assert_eq!(named, "\0ahoy-media-task-0123abcd-4567");
        assert!(address(&env("")).is_err());
    }
}
