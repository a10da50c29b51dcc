//! The protection that keeps ECS from stopping a task that has calls: on before a call is accepted, renewed while there are
//! any, off when there are none. ECS is asked only where something is to change, and by one at a time, so that what it is
//! told last is what holds.

use crate::ecs::Task;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Minutes a protection holds when nobody renews it. CloudFormation waits three hours for a deployment.
pub const MINUTES: u32 = 30;

/// So old a protection is renewed.
const RENEWED_AFTER: Duration = Duration::from_secs(60 * MINUTES as u64 / 2);

/// The protection of this task.
#[derive(Debug)]
pub struct Protection {
    task: Task,
    known: Mutex<Known>,
}

/// What ECS was told last, as far as it took it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Known {
    /// Nobody knows: it was not told, or did not answer.
    #[default]
    Nothing,
    Off,
    OnSince(Instant),
}

impl Protection {
    /// A task whose protection nobody knows yet.
    pub fn of(task: Task) -> Self {
        Self { task, known: Mutex::default() }
    }

    /// Has this task protected: returns once it is.
    ///
    /// # Errors
    /// When ECS refuses, as it does when it has decided to stop this task.
    pub async fn hold(&self) -> anyhow::Result<()> {
        self.keep(|| true).await
    }

    /// Has this task protected, or not, as is needed when its turn has come.
    ///
    /// # Errors
    /// When ECS refuses.
    pub async fn keep(&self, is_needed: impl Fn() -> bool) -> anyhow::Result<()> {
        let mut known = self.known.lock().await;
        let Some(on) = known.change_for(is_needed(), Instant::now()) else { return Ok(()) };
        // Whatever becomes of the request, should nobody wait for it to its end.
        *known = Known::Nothing;
        self.task.protect(on).await?;
        *known = if on { Known::OnSince(Instant::now()) } else { Known::Off };
        Ok(())
    }
}

impl Known {
    /// What ECS must be told now.
    fn change_for(self, is_needed: bool, now: Instant) -> Option<bool> {
        let holds = match self {
            Self::Nothing => false,
            Self::Off => !is_needed,
            Self::OnSince(at) => is_needed && now.saturating_duration_since(at) < RENEWED_AFTER,
        };
        (!holds).then_some(is_needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecs_is_told_what_it_does_not_know() {
        let now = Instant::now();

        assert_eq!(Known::Nothing.change_for(true, now), Some(true));
        assert_eq!(Known::Nothing.change_for(false, now), Some(false));
        assert_eq!(Known::Off.change_for(true, now), Some(true));
        assert_eq!(Known::OnSince(now).change_for(false, now), Some(false));
    }

    #[test]
    fn ecs_is_not_told_what_it_knows_until_a_protection_is_half_over() {
        let then = Instant::now();

        assert_eq!(Known::Off.change_for(false, then), None);
        assert_eq!(Known::OnSince(then).change_for(true, then + Duration::from_secs(899)), None);
        assert_eq!(Known::OnSince(then).change_for(true, then + Duration::from_secs(900)), Some(true));
    }
}
