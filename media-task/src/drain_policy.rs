//! How long a task stays: decides when it takes no more calls because a newer one does, and when it leaves by itself.
//!
//! ECS sends no SIGTERM to a task that is protected, so a deployment shows in the registry only: by a task that is ready
//! and of a later revision. Of those that see it the emptiest stands aside, at the next heartbeat of one of them the next
//! one: a deployment never takes all room away at once. A task of a service does not end itself for that. It gives up its
//! protection and its lease, and ECS stops it; should ECS not want to, since the deployment is rolled back, it takes calls
//! again: when the newer tasks are gone, or when it has stood aside in vain for long enough. A newer task that has calls is
//! protected and may stay for as long as people ring, and must not be all that is left.
//!
//! A task that ECS refuses to protect takes no more calls while another task takes them, until protection comes: a deployment or
//! scale-in may stop it at any moment. Where no other takes calls, it does: a call that may be cut off is better than none.
//! `DEPLOYMENT_BLOCKED` is an exception: it says that other tasks have the service's protection. A task stands aside at once for
//! a newer one that takes calls; the newest goes on, since there is none that should have its calls.

use crate::task_protection::Standing;
use internal_api::lease::Lease;
use std::time::{Duration, Instant};

/// So long ECS has to stop a task that stands aside without calls. It does so within seconds of the newer one's being healthy.
const IN_VAIN_AFTER: Duration = Duration::from_secs(300);

/// How long ECS refuses to protect a task without calls until the task leaves, if another takes calls; its service starts one more.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// Decides how long a task stays.
#[derive(Debug)]
pub struct DrainPolicy {
    task: String,
    revision: String,
    leave_after_idle: Option<Duration>,
    idle_since: Option<Instant>,
    could_go_since: Option<Instant>,
}

/// What a task is to do, as far as nobody tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainDecision {
    /// Take calls.
    Ready,
    /// Take no more calls: newer tasks do.
    Aside,
    /// Take no calls until ECS protects this task.
    Unprotected,
    /// Go: it has no calls, and nobody will stop it.
    Over,
}

impl DrainPolicy {
    /// A task of a revision. One that belongs to no service leaves when it had no call for `leave_after_idle`, or when it
    /// stands aside and has none.
    pub fn new(task: String, revision: String, leave_after_idle: Option<Duration>, now: Instant) -> Self {
        Self { task, revision, leave_after_idle, idle_since: Some(now), could_go_since: None }
    }

    /// What to do, given how many calls it has, whether it stands aside already, whether ECS refuses to protect it, and who
    /// takes calls at `now_ms`.
    pub fn stay(
        &mut self,
        used: usize,
        is_aside: bool,
        standing: Standing,
        ready: &[Lease],
        now: Instant,
        now_ms: u64,
    ) -> DrainDecision {
        self.idle_since = if used > 0 { None } else { self.idle_since.or(Some(now)) };
        if self.is_left_alone(used == 0 && is_aside, now) {
            self.makes_no_room_for(ready);
        }
        let is_aside = match standing {
            Standing::Fine | Standing::Refused { .. } => self.stands_aside(used, is_aside, ready, now_ms),
            Standing::Blocked => self.has_newer_with_room(ready, now_ms),
        };
        let idle = self.idle_since.map(|since| now.saturating_duration_since(since));
        let is_over =
            self.leave_after_idle.zip(idle).is_some_and(|(longest, idle)| is_aside || idle >= longest);
        if is_over {
            return DrainDecision::Over;
        }
        if is_aside {
            return DrainDecision::Aside;
        }
        match standing {
            Standing::Refused { .. } if !self.is_replaceable(ready, now_ms) => DrainDecision::Ready,
            Standing::Refused { lasts } if used == 0 && lasts >= REFUSED_FOR => DrainDecision::Over,
            Standing::Refused { .. } => DrainDecision::Unprotected,
            Standing::Fine | Standing::Blocked => DrainDecision::Ready,
        }
    }

    /// Whether there is a newer task that takes calls.
    fn has_newer_with_room(&self, ready: &[Lease], now_ms: u64) -> bool {
        ready.iter().any(|lease| lease.is_newer_than(&self.revision) && lease.takes_calls(now_ms))
    }

    /// Whether another task takes calls.
    fn is_replaceable(&self, ready: &[Lease], now_ms: u64) -> bool {
        ready.iter().any(|lease| lease.task != self.task && lease.takes_calls(now_ms))
    }

    /// Whether it `could_go` for so long that ECS does not want it to.
    fn is_left_alone(&mut self, could_go: bool, now: Instant) -> bool {
        self.could_go_since = self.could_go_since.or(Some(now)).filter(|_| could_go);
        self.could_go_since.is_some_and(|since| now.saturating_duration_since(since) >= IN_VAIN_AFTER)
    }

    /// From now on it is as if it were of their revision.
    fn makes_no_room_for(&mut self, ready: &[Lease]) {
        for lease in ready {
            if lease.is_newer_than(&self.revision) {
                self.revision.clone_from(&lease.revision);
            }
        }
    }

    /// Whoever stands aside does so for as long as there is a newer task.
    fn stands_aside(&self, used: usize, is_aside: bool, ready: &[Lease], now_ms: u64) -> bool {
        let is_newer = |lease: &&Lease| lease.is_newer_than(&self.revision) && lease.is_current(now_ms);
        let newer: Vec<&Lease> = ready.iter().filter(is_newer).collect();
        if is_aside {
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
    fn a_task_stands_aside_for_a_ready_one_of_a_later_revision() {
        let mut old = tenure("9", None);

        assert_eq!(old.sees(3, false, &[lease("same", "9", 0)]), DrainDecision::Ready);
        assert_eq!(old.sees(3, false, &[lease("older", "8", 0)]), DrainDecision::Ready);
        assert_eq!(old.sees(3, false, &[lease("newer", "10", 0)]), DrainDecision::Aside);
    }

    #[test]
    fn revisions_that_are_no_numbers_are_never_newer() {
        assert_eq!(tenure("9", None).sees(0, false, &[lease("odd", "latest", 0)]), DrainDecision::Ready);
        assert_eq!(tenure("odd", None).sees(0, false, &[lease("newer", "10", 0)]), DrainDecision::Ready);
    }

    #[test]
    fn nobody_stands_aside_for_a_newer_task_that_is_full_or_lapsed() {
        let lapsed = Lease { until_ms: NOW, ..lease("lapsed", "10", 0) };

        assert_eq!(
            tenure("9", None).sees(0, false, &[lease("full", "10", 10), lapsed]),
            DrainDecision::Ready
        );
    }

    #[test]
    fn of_several_older_tasks_the_emptiest_goes_first() {
        let ready = [lease("newer", "10", 0), lease("b", "9", 2), lease("c", "8", 5)];

        assert_eq!(tenure("9", None).sees(1, false, &ready), DrainDecision::Aside);
        assert_eq!(tenure("9", None).sees(2, false, &ready), DrainDecision::Aside, "a before b");
        assert_eq!(tenure("9", None).sees(3, false, &ready), DrainDecision::Ready);
    }

    #[test]
    fn a_task_that_stands_aside_takes_calls_again_when_the_newer_one_is_gone_and_not_when_it_is_full() {
        let mut old = tenure("9", None);

        assert_eq!(old.sees(0, true, &[lease("newer", "10", 10)]), DrainDecision::Aside);
        assert_eq!(old.sees(0, true, &[lease("same", "9", 0)]), DrainDecision::Ready);
    }

    #[test]
    fn a_task_that_ecs_leaves_alone_takes_calls_again_beside_the_newer_one_and_stays() {
        let (mut old, start) = (tenure("9", None), Instant::now());
        let newer = [lease("newer", "10", 3)];
        let mut at = |seconds, used, is_aside, ready: &[Lease]| {
            old.stay(used, is_aside, Standing::Fine, ready, start + Duration::from_secs(seconds), NOW)
        };

        assert_eq!(at(0, 1, false, &newer), DrainDecision::Aside);
        assert_eq!(
            at(100, 1, true, &newer),
            DrainDecision::Aside,
            "ECS may not stop it as long as it has a call"
        );
        assert_eq!(at(200, 0, true, &newer), DrainDecision::Aside);
        assert_eq!(at(499, 0, true, &newer), DrainDecision::Aside);
        assert_eq!(at(500, 0, true, &newer), DrainDecision::Ready);
        assert_eq!(at(505, 0, false, &newer), DrainDecision::Ready);
        assert_eq!(
            at(510, 0, false, &[lease("newest", "11", 0)]),
            DrainDecision::Aside,
            "another deployment"
        );
    }

    #[test]
    fn a_deployment_that_blocks_protection_never_drains_the_newest_task() {
        let mut newest = tenure("9", None);

        assert_eq!(newest.sees_blocked(1, &[]), DrainDecision::Ready);
        assert_eq!(
            newest.sees_blocked(1, &[lease("older", "8", 0), lease("same", "9", 0)]),
            DrainDecision::Ready
        );
    }

    #[test]
    fn an_older_task_that_may_not_be_protected_stands_aside_at_once() {
        let (mut old, ready) = (tenure("9", None), [lease("emptier", "8", 0), lease("newer", "10", 0)]);
        assert_eq!(old.sees(3, false, &ready), DrainDecision::Ready, "the emptier one goes first");

        assert_eq!(old.sees_blocked(3, &ready), DrainDecision::Aside);

        let lapsed = Lease { until_ms: NOW, ..lease("lapsed", "10", 0) };
        assert_eq!(old.sees_blocked(3, &[lapsed]), DrainDecision::Ready);
    }

    #[test]
    fn a_blocked_task_stands_aside_only_for_a_newer_one_that_takes_calls() {
        let mut old = tenure("9", None);

        assert_eq!(old.sees_blocked(3, &[lease("full", "10", 10)]), DrainDecision::Ready);
        assert_eq!(old.sees_blocked(3, &[lease("closed", "10", 0).closed()]), DrainDecision::Ready);
    }

    #[test]
    fn a_refused_task_goes_on_where_no_other_takes_calls() {
        let closed = lease("closed", "9", 0).closed();
        let ready = [lease("a", "9", 0), lease("full", "9", 10), closed];

        let stay = tenure("9", None).stay(0, false, refused_for(60), &ready, Instant::now(), NOW);

        assert_eq!(stay, DrainDecision::Ready, "the first lease is its own");
    }

    #[test]
    fn a_refused_task_takes_calls_again_when_protection_comes() {
        let (mut task, other) = (tenure("9", None), [lease("other", "9", 0)]);
        let mut of = |standing| task.stay(1, false, standing, &other, Instant::now(), NOW);

        assert_eq!(of(refused_for(0)), DrainDecision::Unprotected);
        assert_eq!(of(refused_for(600)), DrainDecision::Unprotected, "its call goes on");
        assert_eq!(of(Standing::Fine), DrainDecision::Ready);
    }

    #[test]
    fn a_task_without_calls_leaves_after_a_minute_of_refusals() {
        let (mut task, other) = (tenure("9", None), [lease("other", "9", 0)]);
        let mut after = |seconds| task.stay(0, false, refused_for(seconds), &other, Instant::now(), NOW);

        assert_eq!((after(59), after(60)), (DrainDecision::Unprotected, DrainDecision::Over));
    }

    #[test]
    fn a_task_of_no_service_leaves_once_it_had_no_call_for_long_enough() {
        let start = Instant::now();
        let mut overflow = DrainPolicy::new("a".into(), "9".into(), Some(IDLE), start);
        let mut at = |seconds, used| {
            overflow.stay(used, false, Standing::Fine, &[], start + Duration::from_secs(seconds), NOW)
        };

        assert_eq!(at(599, 0), DrainDecision::Ready);
        assert_eq!(at(605, 1), DrainDecision::Ready, "a call came just in time");
        assert_eq!(at(610, 0), DrainDecision::Ready);
        assert_eq!(at(1_209, 0), DrainDecision::Ready);
        assert_eq!(at(1_210, 0), DrainDecision::Over);
    }

    #[test]
    fn a_task_of_no_service_leaves_instead_of_standing_aside() {
        let newer = [lease("newer", "10", 0)];

        assert_eq!(tenure("9", Some(IDLE)).sees(1, false, &newer), DrainDecision::Aside);
        assert_eq!(tenure("9", Some(IDLE)).sees(0, true, &newer), DrainDecision::Over);
    }

    #[test]
    fn a_task_of_a_service_stays_however_long_it_is_idle() {
        let start = Instant::now();
        let mut warm = DrainPolicy::new("a".into(), "9".into(), None, start);

        assert_eq!(warm.stay(0, false, Standing::Fine, &[], start + 100 * IDLE, NOW), DrainDecision::Ready);
    }

    impl DrainPolicy {
        fn sees(&mut self, used: usize, is_aside: bool, ready: &[Lease]) -> DrainDecision {
            self.stay(used, is_aside, Standing::Fine, ready, Instant::now(), NOW)
        }

        fn sees_blocked(&mut self, used: usize, ready: &[Lease]) -> DrainDecision {
            self.stay(used, false, Standing::Blocked, ready, Instant::now(), NOW)
        }
    }

    fn tenure(revision: &str, leave_after_idle: Option<Duration>) -> DrainPolicy {
        DrainPolicy::new("a".into(), revision.into(), leave_after_idle, Instant::now())
    }

    fn refused_for(seconds: u64) -> Standing {
        Standing::Refused { lasts: Duration::from_secs(seconds) }
    }

    fn lease(task: &str, revision: &str, used: u64) -> Lease {
        Lease::new(task, "127.0.0.1:1", "", revision, 10, NOW).using(used)
    }
}
