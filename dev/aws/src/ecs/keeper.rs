//! Keeps a service at the number of tasks it is to have: decides, and has it done.

use super::Ecs;
use super::task::{StopCode, Task};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

/// A task that lives shorter than this died young.
const YOUNG: Duration = Duration::from_secs(5);
/// How long to wait before replacing the first task that died young; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest such wait. ECS itself goes up to 27 minutes ("Service throttle logic").
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What to do so that a service has the tasks it is to have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// So many tasks are missing.
    start: usize,
    /// These tasks are too many.
    stop: Vec<String>,
    /// Things will look different then, even if nothing happens.
    again_at: Option<SystemTime>,
}

/// How a service's tasks have been dying.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Losses {
    in_a_row: u32,
    pause_until: Option<SystemTime>,
}

/// Decides. Only unprotected tasks are stopped, the oldest first; ECS promises no order.
fn plan(desired: usize, tasks: &[&Task], losses: Losses, now: SystemTime) -> Plan {
    let wanted: Vec<&&Task> = tasks.iter().filter(|task| task.is_wanted()).collect();
    let Some(surplus) = wanted.len().checked_sub(desired) else {
        return match losses.pause_until {
            Some(until) if until > now => Plan { again_at: Some(until), ..Plan::default() },
            Some(_) | None => Plan { start: desired - wanted.len(), ..Plan::default() },
        };
    };
    let unprotected = wanted.iter().filter(|task| !task.is_protected(now));
    let stop: Vec<String> = unprotected.take(surplus).map(|task| task.id.clone()).collect();
    let next_expiry = wanted.iter().filter_map(|task| task.protection.expires(now)).min();
    Plan { start: 0, again_at: next_expiry.filter(|_| stop.len() < surplus), stop }
}

impl Losses {
    /// A task died by itself after living so long.
    pub(super) fn lost(&mut self, lived: Duration, now: SystemTime) {
        if lived >= YOUNG {
            *self = Self::default();
            return;
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.in_a_row)).min(LONGEST_PAUSE);
        *self = Self { in_a_row: self.in_a_row + 1, pause_until: Some(now + pause) };
    }
}

impl Ecs {
    /// Keeps one service until the cloud ends.
    pub(super) async fn keep(self: Arc<Self>, service: String) {
        let mut standing = self.standing.subscribe();
        while !self.processes.is_closing() {
            let again_in = self.tend(&service);
            tokio::select! {
                Ok(()) = standing.changed() => {}
                () = sleep(again_in) => {}
                () = self.processes.closing() => return,
            }
        }
    }

    /// Does what is to be done now, and tells how long until one should look again.
    fn tend(self: &Arc<Self>, name: &str) -> Duration {
        let now = SystemTime::now();
        let (config, plan) = self.look(|state| {
            let service = state.service(name).expect("services are never removed");
            let tasks: Vec<&Task> = state.tasks_of(name).collect();
            (service.config.clone(), plan(service.config.desired, &tasks, service.losses, now))
        });
        for _ in 0..plan.start {
            self.launch(Task::of_service(&self.cluster, &config), config.start_delay);
        }
        if !plan.stop.is_empty() {
            self.scale_in(name, &plan.stop);
        }
        let until = plan.again_at.map(|at| at.duration_since(now).unwrap_or_default());
        until.unwrap_or(LONGEST_PAUSE)
    }

    fn scale_in(&self, service: &str, ids: &[String]) {
        let reason = format!("Scaling activity initiated by (service {service})");
        self.change(|state| {
            for task in state.tasks.iter_mut().filter(|task| ids.contains(&task.id)) {
                task.ask_to_stop(StopCode::ServiceSchedulerInitiated, &reason);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::protection::Protection;
    use super::*;
    use crate::config::Service;

    const T0: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn missing_tasks_are_started() {
        let task = task();

        assert_eq!(plan(3, &[&task], Losses::default(), T0), Plan { start: 2, ..Plan::default() });
    }

    #[test]
    fn a_task_that_is_stopping_is_missing_already() {
        let mut task = task();
        task.ask_to_stop(StopCode::UserInitiated, "because");

        assert_eq!(plan(1, &[&task], Losses::default(), T0).start, 1);
    }

    #[test]
    fn enough_tasks_are_left_alone() {
        let task = task();

        assert_eq!(plan(1, &[&task], Losses::default(), T0), Plan::default());
    }

    #[test]
    fn protected_tasks_survive_scale_in_until_protection_expires() {
        let (mut first, second) = (task(), task());
        first.protection = Protection::new(true, Some(1), T0).unwrap();
        let expiry = T0 + Duration::from_secs(60);

        let now = plan(0, &[&first, &second], Losses::default(), T0);
        let later = plan(0, &[&first], Losses::default(), expiry);

        assert_eq!(now, Plan { start: 0, stop: vec![second.id], again_at: Some(expiry) });
        assert_eq!(later.stop, [first.id]);
    }

    #[test]
    fn tasks_that_die_young_are_replaced_ever_later() {
        let mut losses = Losses::default();

        losses.lost(Duration::from_secs(1), T0);
        assert_eq!(plan(1, &[], losses, T0).again_at, Some(T0 + FIRST_PAUSE));
        assert_eq!(plan(1, &[], losses, T0 + FIRST_PAUSE).start, 1);

        losses.lost(Duration::from_secs(1), T0);
        assert_eq!(plan(1, &[], losses, T0).again_at, Some(T0 + 2 * FIRST_PAUSE));

        for _ in 0..40 {
            losses.lost(Duration::from_secs(1), T0);
        }
        assert_eq!(plan(1, &[], losses, T0).again_at, Some(T0 + LONGEST_PAUSE));
    }

    #[test]
    fn a_task_that_dies_old_is_replaced_at_once() {
        let mut losses = Losses::default();
        losses.lost(Duration::from_secs(1), T0);
        losses.lost(YOUNG, T0);

        assert_eq!(plan(1, &[], losses, T0).start, 1);
    }

    fn task() -> Task {
        Task::of_service("ahoy", &Service::new("media-task", "/bin/true"))
    }
}
