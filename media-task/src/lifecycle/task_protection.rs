//! Task protection: keeps ECS from stopping a task that has calls. It is set before a call is accepted, renewed while there are
//! calls, and cleared when there are none. A request goes out only when the setting changes or needs renewal, one at a time.
//!
//! Only ECS's own refusal counts as one ([`ProtectionStatus`]). A time-out, throttling or an error of the ECS agent is retried
//! with the next heartbeat. No accept waits longer than two seconds: silence harms the caller for certain, and the task being
//! stopped in those seconds is only possible.

mod state;

use super::ecs::{ProtectionError, Task};
use state::ProtectionState;
pub use state::ProtectionStatus;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long accepting a call waits for the protection.
const MAX_ACCEPT_DELAY: Duration = Duration::from_secs(2);

/// Sets, renews and clears the protection of this task.
#[derive(Debug)]
pub struct TaskProtection {
    task: Task,
    state: Mutex<ProtectionState>,
    request_lock: tokio::sync::Mutex<()>,
    status_changed: Notify,
}

impl TaskProtection {
    /// Creates the protection of a task, which ECS may or may not protect already.
    pub fn new(task: Task) -> Self {
        Self {
            task,
            state: Mutex::default(),
            request_lock: tokio::sync::Mutex::default(),
            status_changed: Notify::new(),
        }
    }

    /// Requests protection before a call is accepted. Returns once it is granted or refused, or after two seconds, when the
    /// request goes on in the background.
    pub async fn acquire(self: &Arc<Self>) {
        let protection = self.clone();
        let request = tokio::spawn(async move { protection.update(|| true).await });
        if timeout(MAX_ACCEPT_DELAY, request).await.is_err() {
            let task = &self.task.id;
            tracing::warn!(
                %task,
                "task protection not acknowledged within {MAX_ACCEPT_DELAY:?}: a call is accepted without it"
            );
        }
    }

    /// Sets or clears the protection, as `is_wanted` says once earlier requests are done.
    pub async fn update(&self, is_wanted: impl Fn() -> bool) {
        let _guard = self.request_lock.lock().await;
        let requested_at = Instant::now();
        let change = self.state().change_for(is_wanted(), requested_at);
        let Some(on) = change else { return };
        self.state().note_request(on);
        let answer = self.task.set_protection(on).await;
        let before = self.status();
        self.state().note_answer(on, &answer, requested_at, Instant::now());
        self.report(on, &answer, before);
    }

    /// Whether ECS refuses to protect this task.
    pub fn status(&self) -> ProtectionStatus {
        self.state().status(Instant::now())
    }

    /// Returns once the kind of [`status`](Self::status) has changed.
    pub async fn status_changed(&self) {
        self.status_changed.notified().await;
    }

    fn report(&self, on: bool, answer: &Result<(), ProtectionError>, before: ProtectionStatus) {
        let task = &self.task.id;
        match answer {
            Ok(()) if before != ProtectionStatus::NotRefused => {
                tracing::info!(%task, on, "ECS no longer refuses task protection")
            }
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%task, on, "task protection not set; retry with the next heartbeat: {error}");
            }
        }
        if discriminant(&self.status()) != discriminant(&before) {
            self.status_changed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, ProtectionState> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }
}
