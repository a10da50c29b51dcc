//! What goes wrong, and when: drawn from a seed.

use fastrand::Rng;
use sim_meta::InjectedFault;
use std::time::Duration;

/// Between two troubles, at least; at most three times as long.
const CALM: Duration = Duration::from_secs(4);

/// Of so many calls, a media task is killed while they ring and talk.
const CALLS_A_KILL: usize = 20;

/// Everything that will happen.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who calls, in order.
    pub calls: Vec<PlannedCall>,
    /// What goes wrong on our side, in order.
    pub troubles: Vec<PlannedTrouble>,
}

/// One call.
#[derive(Debug, Clone)]
pub struct PlannedCall {
    /// After the call before it.
    pub wait: Duration,
    /// What goes wrong at Meta or with the caller's phone.
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

/// One trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedTrouble {
    /// After the start. A trouble that takes long does not shift the later ones.
    pub at: Duration,
    /// What.
    pub trouble: Trouble,
}

/// What goes wrong on our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The processes of call-control are killed, whatever they are doing.
    KillCallControl,
    /// Those of the webhook.
    KillWebhook,
    /// A media task is killed with SIGKILL; which, the number says.
    KillTask(usize),
    /// DynamoDB throttles so many transactions.
    Throttle(usize),
    /// DynamoDB cancels so many transactions, since another process writes the same item.
    Conflict(usize),
    /// DynamoDB does as asked so many times, and its reply is lost.
    LoseReplies(usize),
    /// DynamoDB answers only errors for this duration.
    DynamoDbGone(Duration),
    /// DynamoDB takes requests and does not answer them, for this duration.
    DynamoDbSilent(Duration),
    /// ECS tells late of tasks that change their state.
    LateStateChanges(Duration),
    /// ECS tells of them twice.
    StateChangesTwice,
    /// Lambda refuses so many invocations.
    RefuseInvocations(usize),
    /// ECS cannot start so many tasks.
    RunTaskFails(usize),
}

impl Plan {
    /// Draws a plan of so many calls.
    pub fn draw(seed: u64, calls: u32, spacing: Duration) -> Self {
        let mut rng = Rng::with_seed(seed);
        let calls: Vec<_> =
            (0..calls).map(|n| call(&mut rng, seed.wrapping_add(u64::from(n)), spacing)).collect();
        let lasts: Duration = calls.iter().map(|call| call.wait).sum();
        let mut troubles = vec![];
        let mut at = Duration::ZERO;
        while at < lasts {
            at += CALM.mul_f64(1.0 + 2.0 * rng.f64());
            troubles.push((at, trouble(&mut rng)));
        }
        troubles.extend(kills(&mut rng, &calls));
        troubles.sort_by_key(|(at, _)| *at);
        let troubles = troubles.into_iter().map(|(at, trouble)| PlannedTrouble { at, trouble }).collect();
        Self { troubles, calls }
    }

    /// How many times a media task is to be killed.
    pub(super) fn kills(&self) -> usize {
        self.troubles.iter().filter(|planned| matches!(planned.trouble, Trouble::KillTask(_))).count()
    }
}

/// When a media task is killed, whatever else is drawn: once while each twenty calls ring, so that no seed spares them.
fn kills(rng: &mut Rng, calls: &[PlannedCall]) -> Vec<(Duration, Trouble)> {
    let mut begins = Duration::ZERO;
    let mut kills = vec![];
    for some in calls.chunks_exact(CALLS_A_KILL) {
        let lasts: Duration = some.iter().map(|call| call.wait).sum();
        kills.push((begins + lasts.mul_f64(rng.f64()), Trouble::KillTask(rng.usize(0..2))));
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
    PlannedCall { wait: spacing.mul_f64(2.0 * rng.f64()), faults: InjectedFault::draw(seed), act }
}

fn trouble(rng: &mut Rng) -> Trouble {
    match rng.u32(0..19) {
        0..4 => Trouble::KillCallControl,
        4..6 => Trouble::KillWebhook,
        6 => Trouble::KillTask(rng.usize(0..2)),
        7..9 => Trouble::Throttle(rng.usize(1..10)),
        9..11 => Trouble::Conflict(rng.usize(1..6)),
        11 => Trouble::LoseReplies(rng.usize(1..4)),
        12 => Trouble::DynamoDbGone(Duration::from_millis(rng.u64(500..6_000))),
        13 => Trouble::RunTaskFails(rng.usize(1..3)),
        14 => Trouble::DynamoDbSilent(Duration::from_millis(rng.u64(500..4_000))),
        15 => Trouble::LateStateChanges(Duration::from_millis(rng.u64(500..8_000))),
        16 => Trouble::StateChangesTwice,
        _ => Trouble::RefuseInvocations(rng.usize(1..4)),
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
            let is_kill = |planned: &&PlannedTrouble| matches!(planned.trouble, Trouble::KillTask(_));
            let kills: Vec<_> = plan.troubles.iter().filter(is_kill).map(|planned| planned.at).collect();

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
        let has = |wanted: fn(&Trouble) -> bool| plan.troubles.iter().any(|planned| wanted(&planned.trouble));

        assert!(has(|trouble| *trouble == Trouble::KillCallControl));
        assert!(has(|trouble| matches!(trouble, Trouble::KillTask(_))));
        assert!(has(|trouble| matches!(trouble, Trouble::Conflict(_))));
    }
}
