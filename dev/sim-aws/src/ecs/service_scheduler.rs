//! Keeps a service at its desired count of tasks, of the revision it is to run.
//!
//! Spec: "Amazon ECS rolling updates" with `minimumHealthyPercent` 100 and `maximumPercent` 200, and "Protect your Amazon
//! ECS tasks from being terminated by scale-in events". A task is taken for healthy once it runs.
//!
//! Since November 2025 a deployment keeps the revision it replaces up: a task of it that dies is replaced by one of the same
//! revision, and a service that is scaled out meanwhile gets tasks of both.

use super::last_status::LastStatus;
use super::start_throttle::{LONGEST_PAUSE, StartThrottle};
use super::state::Source;
use super::task::{StopCode, Task};
use super::{Ecs, shapes};
use std::iter::repeat_n;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

/// The most tasks a service may have during a deployment, as a multiple of its desired count.
const MOST_OF_DESIRED: usize = 2;

/// The tasks to start and stop so that a service has its desired count.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// How many tasks are missing.
    start: usize,
    /// How many tasks of the revision being replaced are missing.
    start_old: usize,
    /// These tasks are too many.
    stop: Vec<String>,
    /// Things will look different then, even if nothing happens.
    again_at: Option<SystemTime>,
}

/// Decides. Only unprotected tasks are stopped, those of other revisions and the oldest first; ECS promises no order.
fn plan(
    desired: usize,
    revision: usize,
    source: Option<Source>,
    tasks: &[&Task],
    start_throttle: StartThrottle,
    now: SystemTime,
) -> Plan {
    let wanted = tasks.iter().copied().filter(|task| task.is_wanted());
    let (new, old): (Vec<&Task>, Vec<&Task>) = wanted.partition(|task| task.revision == revision);
    let room = (MOST_OF_DESIRED * desired).saturating_sub(new.len() + old.len());
    let missing = desired.saturating_sub(new.len()).min(room);
    let running = new.iter().filter(|task| task.last_status == LastStatus::Running).count();
    let missing_old = source.map_or(0, |source| {
        let there = old.iter().filter(|task| task.revision == source.revision).count();
        desired.saturating_sub(there + source.replaced.max(running)).min(room - missing)
    });
    let pause = start_throttle.pause_until.filter(|until| *until > now && missing + missing_old > 0);

    let replaced = (running + old.len()).saturating_sub(desired).min(old.len());
    let surplus = new.len().saturating_sub(desired);
    let stop = [(&old, replaced), (&new, surplus)].map(|(tasks, most)| {
        let unprotected = tasks.iter().filter(|task| !task.is_protected(now));
        unprotected.take(most).map(|task| task.id.clone()).collect::<Vec<_>>()
    });
    let stop = stop.concat();
    let expiries = new.iter().chain(&old).filter_map(|task| task.protection.expires(now));
    let next_expiry = expiries.min().filter(|_| stop.len() < replaced + surplus);
    Plan {
        start: if pause.is_some() { 0 } else { missing },
        start_old: if pause.is_some() { 0 } else { missing_old },
        again_at: pause.into_iter().chain(next_expiry).min(),
        stop,
    }
}

impl Ecs {
    /// Keeps one service until the cloud ends.
    pub(super) async fn schedule(self: Arc<Self>, service: String) {
        let mut standing = self.standing.subscribe();
        while !self.processes.is_closing() {
            let again_in = self.reconcile(&service);
            tokio::select! {
                Ok(()) = standing.changed() => {}
                () = sleep(again_in) => {}
                () = self.processes.closing() => return,
            }
        }
    }

    /// Starts and stops tasks as planned, and returns how long until the next look.
    fn reconcile(self: &Arc<Self>, name: &str) -> Duration {
        let now = SystemTime::now();
        self.complete_deployment(name);
        let (config, revision, source, plan) = self.look(|state| {
            let service = state.service(name).expect("services are never removed");
            let tasks: Vec<&Task> = state.tasks_of(name).collect();
            let (desired, source) = (service.config.desired, service.source);
            let plan = plan(desired, service.revision, source, &tasks, service.start_throttle, now);
            (service.config.clone(), service.revision, source, plan)
        });
        let old = source.map_or(revision, |source| source.revision);
        for revision in repeat_n(revision, plan.start).chain(repeat_n(old, plan.start_old)) {
            let task = Task { revision, ..Task::of_service(&self.cluster, &config) };
            self.launch(task, config.start_delay);
        }
        if !plan.stop.is_empty() {
            self.scale_in(name, revision, &plan.stop);
        }
        let until = plan.again_at.map(|at| at.duration_since(now).unwrap_or_default());
        until.unwrap_or(LONGEST_PAUSE)
    }

    /// A deployment is over once the new revision has the tasks it is to have, and the old one has none.
    fn complete_deployment(&self, name: &str) {
        let is_over = self.look(|state| {
            let service = state.service(name).expect("services are never removed");
            let wanted = || state.tasks_of(name).filter(|task| task.is_wanted());
            let is_new = |task: &&Task| task.revision == service.revision;
            let running = wanted().filter(|task| is_new(task) && task.last_status == LastStatus::Running);
            service.source.is_some()
                && running.count() >= service.config.desired
                && wanted().all(|task| is_new(&task))
        });
        if is_over {
            self.change(|state| state.service_mut(name).expect("services are never removed").source = None);
        }
    }

    fn scale_in(&self, service: &str, revision: usize, ids: &[String]) {
        let of_service = format!("service {service}");
        let of_deployment = format!("deployment {}", shapes::deployment(revision));
        self.change(|state| {
            let is_stopped = |task: &&Task| ids.contains(&task.id);
            let stopped: Vec<usize> =
                state.tasks.iter().filter(is_stopped).map(|task| task.revision).collect();
            let source = state.service_mut(service).and_then(|service| service.source.as_mut());
            if let Some(source) = source {
                source.replaced += stopped.iter().filter(|revision| **revision == source.revision).count();
            }
            for task in state.tasks.iter_mut().filter(|task| ids.contains(&task.id)) {
                let by = if task.revision == revision { &of_service } else { &of_deployment };
                let reason = format!("Scaling activity initiated by ({by})");
                task.ask_to_stop(StopCode::ServiceSchedulerInitiated, &reason);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::protection::Protection;
    use super::super::start_throttle::{FIRST_PAUSE, YOUNG};
    use super::*;
    use crate::config::Service;

    const T0: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn missing_tasks_are_started() {
        assert_eq!(planned(3, 1, &[&task()]), Plan { start: 2, ..Plan::default() });
    }

    #[test]
    fn a_task_that_is_stopping_is_missing_already() {
        let mut task = task();
        task.ask_to_stop(StopCode::UserInitiated, "because");

        assert_eq!(planned(1, 1, &[&task]).start, 1);
    }

    #[test]
    fn enough_tasks_are_left_alone() {
        assert_eq!(planned(1, 1, &[&task()]), Plan::default());
    }

    #[test]
    fn protected_tasks_survive_scale_in_until_protection_expires() {
        let (mut first, second) = (task(), task());
        first.protection = Protection::new(true, Some(1), T0).unwrap();
        let expiry = T0 + Duration::from_secs(60);

        let now = planned(0, 1, &[&first, &second]);
        let later = plan(0, 1, None, &[&first], StartThrottle::default(), expiry);

        assert_eq!(now, Plan { stop: vec![second.id], again_at: Some(expiry), ..Plan::default() });
        assert_eq!(later.stop, [first.id]);
    }

    #[test]
    fn tasks_that_die_young_are_replaced_ever_later() {
        let mut start_throttle = StartThrottle::default();

        start_throttle.lost(Duration::from_secs(1), T0);
        assert_eq!(plan(1, 1, None, &[], start_throttle, T0).again_at, Some(T0 + FIRST_PAUSE));
        assert_eq!(plan(1, 1, None, &[], start_throttle, T0 + FIRST_PAUSE).start, 1);

        start_throttle.lost(Duration::from_secs(1), T0);
        assert_eq!(plan(1, 1, None, &[], start_throttle, T0).again_at, Some(T0 + 2 * FIRST_PAUSE));

        for _ in 0..40 {
            start_throttle.lost(Duration::from_secs(1), T0);
        }
        assert_eq!(plan(1, 1, None, &[], start_throttle, T0).again_at, Some(T0 + LONGEST_PAUSE));
    }

    #[test]
    fn a_task_that_dies_old_is_replaced_at_once() {
        let mut start_throttle = StartThrottle::default();
        start_throttle.lost(Duration::from_secs(1), T0);
        start_throttle.lost(YOUNG, T0);

        assert_eq!(plan(1, 1, None, &[], start_throttle, T0).start, 1);
    }

    #[test]
    fn a_deployment_starts_new_tasks_before_it_stops_old_ones() {
        let (first, second) = (task(), task());
        let mut new = Task { revision: 2, ..task() };

        let plan_for = |tasks: &[&Task]| planned(2, 2, tasks);
        assert_eq!(plan_for(&[&first, &second]), Plan { start: 2, ..Plan::default() });
        assert_eq!(plan_for(&[&first, &second, &new]), Plan { start: 1, ..Plan::default() });
        new.last_status = LastStatus::Running;
        let one_is_replaced = Plan { start: 1, stop: vec![first.id.clone()], ..Plan::default() };
        assert_eq!(plan_for(&[&first, &second, &new]), one_is_replaced);
    }

    #[test]
    fn a_deployment_waits_for_protected_tasks_and_at_most_doubles_them() {
        let until = T0 + Duration::from_secs(60);
        let protected = || Task { protection: Protection::new(true, Some(1), T0).unwrap(), ..task() };
        let old = [protected(), protected(), protected()];
        let new = Task { revision: 2, last_status: LastStatus::Running, ..task() };

        let now = planned(2, 2, &[&old[0], &old[1], &old[2], &new]);
        let later = plan(2, 2, None, &[&old[0], &old[1], &old[2], &new], StartThrottle::default(), until);

        assert_eq!(now, Plan { again_at: Some(until), ..Plan::default() });
        assert_eq!(later.stop, [old[0].id.clone(), old[1].id.clone()]);
    }

    #[test]
    fn a_deployment_replaces_a_dead_old_task_by_its_own_revision() {
        let (old, new) = (task(), Task { revision: 2, ..task() });
        let plan_for = |replaced, tasks: &[&Task]| {
            plan(2, 2, Some(Source { revision: 1, replaced }), tasks, StartThrottle::default(), T0)
        };

        assert_eq!(plan_for(0, &[&old, &old]), Plan { start: 2, ..Plan::default() });
        assert_eq!(plan_for(0, &[&old, &new, &new]), Plan { start_old: 1, ..Plan::default() });
        assert_eq!(plan_for(1, &[&old, &new, &new]), Plan::default(), "the other one was replaced");
        let running = Task { last_status: LastStatus::Running, ..new.clone() };
        assert_eq!(plan_for(0, &[&running, &running]), Plan::default(), "nothing is left to replace");
    }

    #[test]
    fn scaling_out_during_a_deployment_starts_tasks_of_both_revisions() {
        let (old, new) = (task(), Task { revision: 2, ..task() });
        let source = Some(Source { revision: 1, replaced: 0 });

        let plan = plan(3, 2, source, &[&old, &new], StartThrottle::default(), T0);

        assert_eq!(plan, Plan { start: 2, start_old: 2, ..Plan::default() });
    }

    fn planned(desired: usize, revision: usize, tasks: &[&Task]) -> Plan {
        plan(desired, revision, None, tasks, StartThrottle::default(), T0)
    }

    fn task() -> Task {
        Task::of_service("ahoy", &Service::new("media-task", "/bin/true"))
    }
}
