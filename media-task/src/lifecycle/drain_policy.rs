//! The drain policy: decides when a task takes no more calls because a newer task does, and when it exits by itself.
//!
//! ECS sends no SIGTERM to a protected task, so a deployment shows in the registry only: as a ready task of a later revision. Of the
//! tasks that see it the emptiest drains first, the next one at the next heartbeat: a deployment never takes all capacity away at
//! once. A task of a service does not exit for that. It gives up its protection and its lease, and ECS stops it. If ECS does not,
//! since the deployment was rolled back, the task takes calls again: when the newer tasks are gone, or when it has drained in vain
//! for [`STOP_EXPECTED_WITHIN`]. A newer task that has calls is protected and may stay as long as there are calls, and must not be
//! the only one left.
//!
//! A task that ECS refuses to protect takes no more calls while another task takes them, until protection is granted: a deployment
//! or scale-in may stop it at any moment. Where no other task takes calls, it does: a call that may be cut off is better than none.
//! `DEPLOYMENT_BLOCKED` is an exception: it says that other tasks have the service's protection. A task then drains at once for a
//! newer one that takes calls; the newest one keeps serving, since no other should have its calls.

use super::task_protection::ProtectionStatus;
use call::TaskId;
use std::time::{Duration, Instant};
use store::lease::Lease;

/// How long an idle, draining task waits for ECS to stop it before it takes calls again. ECS does so within seconds after the newer
/// task is healthy.
const STOP_EXPECTED_WITHIN: Duration = Duration::from_secs(300);

/// How long ECS refuses to protect an idle task before the task exits, if another takes calls; its service then starts one more.
const EXIT_WHEN_REFUSED_FOR: Duration = Duration::from_secs(60);

/// Decides whether a task serves, drains or exits.
#[derive(Debug)]
pub(crate) struct DrainPolicy {
    task: TaskId,
    /// Tasks of a later revision are newer. Raised to theirs once ECS has let this task drain in vain.
    revision: String,
    leave_after_idle: Option<Duration>,
    idle_since: Option<Instant>,
    /// Since when the task has been draining without calls.
    stoppable_since: Option<Instant>,
}

/// What a task does until the next decision, unless ECS stops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DrainDecision {
    /// Takes calls.
    Serve,
    /// Takes no more calls: newer tasks do.
    Drain,
    /// Takes no calls until ECS protects this task.
    AwaitProtection,
    /// Exits: the task has no calls, and ECS will not stop it.
    Exit,
}

impl DrainPolicy {
    /// Creates the policy of a task of a revision.
    ///
    /// `leave_after_idle` is set for tasks of no service: such a task exits after that long without calls, or as soon as it drains
    /// and has none.
    pub(crate) fn new(
        task: TaskId,
        revision: String,
        leave_after_idle: Option<Duration>,
        now: Instant,
    ) -> Self {
        Self { task, revision, leave_after_idle, idle_since: Some(now), stoppable_since: None }
    }

    /// Decides from the number of calls, whether the task drains already, the status of its protection, and the leases of the tasks
    /// that take calls at `now_ms` (ms since 1970).
    pub(crate) fn decide(
        &mut self,
        used: usize,
        is_draining: bool,
        status: ProtectionStatus,
        ready: &[Lease],
        now: Instant,
        now_ms: u64,
    ) -> DrainDecision {
        self.idle_since = if used > 0 { None } else { self.idle_since.or(Some(now)) };
        if self.drains_in_vain(used == 0 && is_draining, now) {
            self.ignore_newer(ready);
        }
        let drains = match status {
            ProtectionStatus::NotRefused | ProtectionStatus::Refused { .. } => {
                self.drains(used, is_draining, ready, now_ms)
            }
            ProtectionStatus::Blocked => self.has_newer_with_room(ready, now_ms),
        };
        let idle = self.idle_since.map(|since| now.saturating_duration_since(since));
        let exits = self.leave_after_idle.zip(idle).is_some_and(|(longest, idle)| drains || idle >= longest);
        if exits {
            return DrainDecision::Exit;
        }
        if drains {
            return DrainDecision::Drain;
        }
        match status {
            ProtectionStatus::Refused { .. } if !self.is_replaceable(ready, now_ms) => DrainDecision::Serve,
            ProtectionStatus::Refused { lasts } if used == 0 && lasts >= EXIT_WHEN_REFUSED_FOR => {
                DrainDecision::Exit
            }
            ProtectionStatus::Refused { .. } => DrainDecision::AwaitProtection,
            ProtectionStatus::NotRefused | ProtectionStatus::Blocked => DrainDecision::Serve,
        }
    }

    /// Whether a newer task takes calls.
    fn has_newer_with_room(&self, ready: &[Lease], now_ms: u64) -> bool {
        ready.iter().any(|lease| lease.is_newer_than(&self.revision) && lease.takes_calls(now_ms))
    }

    /// Whether another task takes calls.
    fn is_replaceable(&self, ready: &[Lease], now_ms: u64) -> bool {
        ready.iter().any(|lease| lease.task != self.task && lease.takes_calls(now_ms))
    }

    /// Whether ECS could have stopped this task for [`STOP_EXPECTED_WITHIN`] and has not.
    fn drains_in_vain(&mut self, is_stoppable: bool, now: Instant) -> bool {
        self.stoppable_since = self.stoppable_since.or(Some(now)).filter(|_| is_stoppable);
        self.stoppable_since.is_some_and(|since| now.saturating_duration_since(since) >= STOP_EXPECTED_WITHIN)
    }

    /// Counts this task as one of the latest revision from now on.
    fn ignore_newer(&mut self, ready: &[Lease]) {
        for lease in ready {
            if lease.is_newer_than(&self.revision) {
                self.revision.clone_from(&lease.revision);
            }
        }
    }

    /// Whether the task drains for a newer one. Once draining, it does so as long as there is a newer task.
    fn drains(&self, used: usize, is_draining: bool, ready: &[Lease], now_ms: u64) -> bool {
        let is_newer = |lease: &&Lease| lease.is_newer_than(&self.revision) && lease.is_current(now_ms);
        let newer: Vec<&Lease> = ready.iter().filter(is_newer).collect();
        if is_draining {
            return !newer.is_empty();
        }
        let Some(newest) = newer.iter().find(|lease| lease.takes_calls(now_ms)) else { return false };
        let mut others = ready.iter().filter(|lease| lease.task != self.task && lease.is_current(now_ms));
        let is_before = |lease: &Lease| (lease.used, &lease.task) < (used as u64, &self.task);
        !others.any(|other| newest.is_newer_than(&other.revision) && is_before(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000;
    const IDLE: Duration = Duration::from_secs(600);

    #[test]
    fn a_task_drains_for_a_ready_one_of_a_later_revision() {
        let mut old = policy("9", None);

        assert_eq!(old.sees(3, false, &[lease("same", "9", 0)]), DrainDecision::Serve);
        assert_eq!(old.sees(3, false, &[lease("older", "8", 0)]), DrainDecision::Serve);
        assert_eq!(old.sees(3, false, &[lease("newer", "10", 0)]), DrainDecision::Drain);
    }

    #[test]
    fn a_revision_that_is_no_number_is_never_newer() {
        assert_eq!(policy("9", None).sees(0, false, &[lease("odd", "latest", 0)]), DrainDecision::Serve);
        assert_eq!(policy("odd", None).sees(0, false, &[lease("newer", "10", 0)]), DrainDecision::Serve);
    }

    #[test]
    fn no_task_drains_for_a_newer_one_that_is_full_or_lapsed() {
        let lapsed = Lease { until_ms: NOW, ..lease("lapsed", "10", 0) };

        assert_eq!(
            policy("9", None).sees(0, false, &[lease("full", "10", 10), lapsed]),
            DrainDecision::Serve
        );
    }

    #[test]
    fn the_emptiest_of_several_older_tasks_drains_first() {
        let ready = [lease("newer", "10", 0), lease("b", "9", 2), lease("c", "8", 5)];

        assert_eq!(policy("9", None).sees(1, false, &ready), DrainDecision::Drain);
        assert_eq!(policy("9", None).sees(2, false, &ready), DrainDecision::Drain, "a before b");
        assert_eq!(policy("9", None).sees(3, false, &ready), DrainDecision::Serve);
    }

    #[test]
    fn a_draining_task_serves_again_once_the_newer_one_is_gone() {
        let mut old = policy("9", None);

        assert_eq!(old.sees(0, true, &[lease("newer", "10", 10)]), DrainDecision::Drain);
        assert_eq!(old.sees(0, true, &[lease("same", "9", 0)]), DrainDecision::Serve);
    }

    #[test]
    fn a_draining_task_that_ecs_does_not_stop_serves_again() {
        let (mut old, start) = (policy("9", None), Instant::now());
        let newer = [lease("newer", "10", 3)];
        let mut at = |seconds, used, is_draining, ready: &[Lease]| {
            old.decide(
                used,
                is_draining,
                ProtectionStatus::NotRefused,
                ready,
                start + Duration::from_secs(seconds),
                NOW,
            )
        };

        assert_eq!(at(0, 1, false, &newer), DrainDecision::Drain);
        assert_eq!(at(100, 1, true, &newer), DrainDecision::Drain, "ECS may not stop it while it has a call");
        assert_eq!(at(200, 0, true, &newer), DrainDecision::Drain);
        assert_eq!(at(499, 0, true, &newer), DrainDecision::Drain);
        assert_eq!(at(500, 0, true, &newer), DrainDecision::Serve);
        assert_eq!(at(505, 0, false, &newer), DrainDecision::Serve);
        assert_eq!(
            at(510, 0, false, &[lease("newest", "11", 0)]),
            DrainDecision::Drain,
            "another deployment"
        );
    }

    #[test]
    fn a_deployment_that_blocks_protection_never_drains_the_newest_task() {
        let mut newest = policy("9", None);

        assert_eq!(newest.sees_blocked(1, &[]), DrainDecision::Serve);
        assert_eq!(
            newest.sees_blocked(1, &[lease("older", "8", 0), lease("same", "9", 0)]),
            DrainDecision::Serve
        );
    }

    #[test]
    fn an_older_blocked_task_drains_at_once() {
        let (mut old, ready) = (policy("9", None), [lease("emptier", "8", 0), lease("newer", "10", 0)]);
        assert_eq!(old.sees(3, false, &ready), DrainDecision::Serve, "the emptier one drains first");

        assert_eq!(old.sees_blocked(3, &ready), DrainDecision::Drain);

        let lapsed = Lease { until_ms: NOW, ..lease("lapsed", "10", 0) };
        assert_eq!(old.sees_blocked(3, &[lapsed]), DrainDecision::Serve);
    }

    #[test]
    fn a_blocked_task_drains_only_for_a_newer_one_that_takes_calls() {
        let mut old = policy("9", None);

        assert_eq!(old.sees_blocked(3, &[lease("full", "10", 10)]), DrainDecision::Serve);
        assert_eq!(old.sees_blocked(3, &[lease("closed", "10", 0).closed()]), DrainDecision::Serve);
    }

    #[test]
    fn a_refused_task_serves_where_no_other_takes_calls() {
        let closed = lease("closed", "9", 0).closed();
        let ready = [lease("a", "9", 0), lease("full", "9", 10), closed];

        let decision = policy("9", None).decide(0, false, refused_for(60), &ready, Instant::now(), NOW);

        assert_eq!(decision, DrainDecision::Serve, "the first lease is its own");
    }

    #[test]
    fn a_refused_task_serves_again_when_protection_is_granted() {
        let (mut task, other) = (policy("9", None), [lease("other", "9", 0)]);
        let mut of = |status| task.decide(1, false, status, &other, Instant::now(), NOW);

        assert_eq!(of(refused_for(0)), DrainDecision::AwaitProtection);
        assert_eq!(of(refused_for(600)), DrainDecision::AwaitProtection, "its call goes on");
        assert_eq!(of(ProtectionStatus::NotRefused), DrainDecision::Serve);
    }

    #[test]
    fn an_idle_task_exits_after_a_minute_of_refusals() {
        let (mut task, other) = (policy("9", None), [lease("other", "9", 0)]);
        let mut after = |seconds| task.decide(0, false, refused_for(seconds), &other, Instant::now(), NOW);

        assert_eq!((after(59), after(60)), (DrainDecision::AwaitProtection, DrainDecision::Exit));
    }

    #[test]
    fn a_task_of_no_service_exits_after_its_idle_limit() {
        let start = Instant::now();
        let mut overflow = DrainPolicy::new("a".into(), "9".into(), Some(IDLE), start);
        let mut at = |seconds, used| {
            overflow.decide(
                used,
                false,
                ProtectionStatus::NotRefused,
                &[],
                start + Duration::from_secs(seconds),
                NOW,
            )
        };

        assert_eq!(at(599, 0), DrainDecision::Serve);
        assert_eq!(at(605, 1), DrainDecision::Serve, "a call came just in time");
        assert_eq!(at(610, 0), DrainDecision::Serve);
        assert_eq!(at(1_209, 0), DrainDecision::Serve);
        assert_eq!(at(1_210, 0), DrainDecision::Exit);
    }

    #[test]
    fn a_task_of_no_service_exits_instead_of_draining() {
        let newer = [lease("newer", "10", 0)];

        assert_eq!(policy("9", Some(IDLE)).sees(1, false, &newer), DrainDecision::Drain);
        assert_eq!(policy("9", Some(IDLE)).sees(0, true, &newer), DrainDecision::Exit);
    }

    #[test]
    fn a_task_of_a_service_serves_however_long_it_is_idle() {
        let start = Instant::now();
        let mut warm = DrainPolicy::new("a".into(), "9".into(), None, start);

        assert_eq!(
            warm.decide(0, false, ProtectionStatus::NotRefused, &[], start + 100 * IDLE, NOW),
            DrainDecision::Serve
        );
    }

    impl DrainPolicy {
        fn sees(&mut self, used: usize, is_draining: bool, ready: &[Lease]) -> DrainDecision {
            self.decide(used, is_draining, ProtectionStatus::NotRefused, ready, Instant::now(), NOW)
        }

        fn sees_blocked(&mut self, used: usize, ready: &[Lease]) -> DrainDecision {
            self.decide(used, false, ProtectionStatus::Blocked, ready, Instant::now(), NOW)
        }
    }

    fn policy(revision: &str, leave_after_idle: Option<Duration>) -> DrainPolicy {
        DrainPolicy::new("a".into(), revision.into(), leave_after_idle, Instant::now())
    }

    fn refused_for(seconds: u64) -> ProtectionStatus {
        ProtectionStatus::Refused { lasts: Duration::from_secs(seconds) }
    }

    fn lease(task: &str, revision: &str, used: u64) -> Lease {
        Lease::new(&task.into(), "127.0.0.1:1", "", revision, 10, NOW).using(used)
    }
}
