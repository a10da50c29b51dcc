//! Draws calls, faults and kills, with their times, from a seed.

use fastrand::Rng;
use sim_meta::InjectedFault;
use std::time::Duration;

/// The shortest time between two faults; the longest is three times as long.
const CALM: Duration = Duration::from_secs(4);

/// One media task is killed in each run of this many calls.
const CALLS_A_KILL: usize = 20;

/// The plan of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The calls, in order.
    pub calls: Vec<PlannedCall>,
    /// The faults of our side, in order.
    pub system_faults: Vec<PlannedFault>,
}

/// One call.
#[derive(Debug, Clone)]
pub struct PlannedCall {
    /// The time since the call before.
    pub wait: Duration,
    /// The injected faults of Meta and the caller's phone.
    pub faults: Vec<InjectedFault>,
    /// What the caller does.
    pub act: Act,
}

/// What a caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Hears the greeting begin, and hangs up after a while.
    Listens(Duration),
    /// Asks one thing, hears the answer begin, and hangs up.
    Asks,
    /// Hangs up after this duration, answered or not.
    GivesUp(Duration),
}

/// A fault of our side, with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedFault {
    /// The time since the start. A fault that takes long does not shift the later ones.
    pub at: Duration,
    /// The fault.
    pub fault: SystemFault,
}

/// A fault of our side: of AWS, or a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemFault {
    KillCallControl,
    KillWebhook,
    /// Kills one of the media tasks, chosen by the number, with SIGKILL.
    KillTask(usize),
    /// DynamoDB throttles this many transactions.
    Throttle(usize),
    /// DynamoDB cancels this many transactions, as if another process wrote the same item.
    Conflict(usize),
    /// DynamoDB loses this many replies after it has done as asked.
    LoseReplies(usize),
    DynamoDbGone(Duration),
    /// DynamoDB takes requests and does not answer them, for this duration.
    DynamoDbSilent(Duration),
    LateStateChanges(Duration),
    StateChangesTwice,
    /// Lambda refuses this many invocations.
    RefuseInvocations(usize),
    /// ECS fails to start this many tasks.
    RunTaskFails(usize),
}

impl Plan {
    /// Draws a plan of this many calls.
    pub fn draw(seed: u64, calls: u32, spacing: Duration) -> Self {
        let mut rng = Rng::with_seed(seed);
        let calls: Vec<_> =
            (0..calls).map(|n| call(&mut rng, seed.wrapping_add(u64::from(n)), spacing)).collect();
        let lasts: Duration = calls.iter().map(|call| call.wait).sum();
        let mut system_faults = vec![];
        let mut at = Duration::ZERO;
        while at < lasts {
            at += CALM.mul_f64(1.0 + 2.0 * rng.f64());
            system_faults.push((at, system_fault(&mut rng)));
        }
        system_faults.extend(kills(&mut rng, &calls));
        system_faults.sort_by_key(|(at, _)| *at);
        let system_faults = system_faults.into_iter().map(|(at, fault)| PlannedFault { at, fault }).collect();
        Self { system_faults, calls }
    }

    /// How many times a media task is to be killed.
    pub(super) fn kills(&self) -> usize {
        self.system_faults.iter().filter(|planned| matches!(planned.fault, SystemFault::KillTask(_))).count()
    }
}

/// When a media task is killed, whatever else is drawn: once while each twenty calls ring, so that no seed spares them.
fn kills(rng: &mut Rng, calls: &[PlannedCall]) -> Vec<(Duration, SystemFault)> {
    let mut begins = Duration::ZERO;
    let mut kills = vec![];
    for some in calls.chunks_exact(CALLS_A_KILL) {
        let lasts: Duration = some.iter().map(|call| call.wait).sum();
        kills.push((begins + lasts.mul_f64(rng.f64()), SystemFault::KillTask(rng.usize(0..2))));
        begins += lasts;
    }
    kills
}

fn call(rng: &mut Rng, seed: u64, spacing: Duration) -> PlannedCall {
    let act = match rng.u32(0..10) {
        0 => Act::GivesUp(Duration::from_millis(rng.u64(10..1_500))),
        1..4 => Act::Asks,
        _ => Act::Listens(Duration::from_millis(rng.u64(200..4_000))),
    };
    PlannedCall { wait: spacing.mul_f64(2.0 * rng.f64()), faults: InjectedFault::random(seed), act }
}

fn system_fault(rng: &mut Rng) -> SystemFault {
    match rng.u32(0..19) {
        0..4 => SystemFault::KillCallControl,
        4..6 => SystemFault::KillWebhook,
        6 => SystemFault::KillTask(rng.usize(0..2)),
        7..9 => SystemFault::Throttle(rng.usize(1..10)),
        9..11 => SystemFault::Conflict(rng.usize(1..6)),
        11 => SystemFault::LoseReplies(rng.usize(1..4)),
        12 => SystemFault::DynamoDbGone(Duration::from_millis(rng.u64(500..6_000))),
        13 => SystemFault::RunTaskFails(rng.usize(1..3)),
        14 => SystemFault::DynamoDbSilent(Duration::from_millis(rng.u64(500..4_000))),
        15 => SystemFault::LateStateChanges(Duration::from_millis(rng.u64(500..8_000))),
        16 => SystemFault::StateChangesTwice,
        _ => SystemFault::RefuseInvocations(rng.usize(1..4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_brings_the_same_plan_again_and_another_seed_another() {
        let plan = |seed| format!("{:?}", Plan::draw(seed, 50, Duration::from_secs(2)));

        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn any_seed_kills_a_media_task_in_every_twenty_calls() {
        for seed in 0..2_000 {
            let plan = Plan::draw(seed, 40, Duration::from_millis(2_600));
            let rings = moments(plan.calls.iter().map(|call| call.wait));
            let is_kill = |planned: &&PlannedFault| matches!(planned.fault, SystemFault::KillTask(_));
            let kills: Vec<_> = plan.system_faults.iter().filter(is_kill).map(|planned| planned.at).collect();

            let (first, second) = (rings[19], rings[39]);
            let is_in = |from, to| kills.iter().any(|at| from <= *at && *at <= to);
            assert!(is_in(Duration::ZERO, first) && is_in(first, second), "seed {seed}: {kills:?}");
        }
    }

    /// When things happen that wait for one another.
    fn moments(waits: impl Iterator<Item = Duration>) -> Vec<Duration> {
        waits
            .scan(Duration::ZERO, |at, wait| {
                *at += wait;
                Some(*at)
            })
            .collect()
    }

    #[test]
    fn every_kind_of_trouble_comes_in_a_long_plan() {
        let plan = Plan::draw(1, 400, Duration::from_secs(3));
        let has = |wanted: fn(&SystemFault) -> bool| {
            plan.system_faults.iter().any(|planned| wanted(&planned.fault))
        };

        assert!(has(|trouble| *trouble == SystemFault::KillCallControl));
        assert!(has(|trouble| matches!(trouble, SystemFault::KillTask(_))));
        assert!(has(|trouble| matches!(trouble, SystemFault::Conflict(_))));
    }
}
