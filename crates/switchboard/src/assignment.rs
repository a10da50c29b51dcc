//! Chooses the media task that gets a call.

use call::{Line, TaskId};
use std::cmp::Reverse;
use store::lease::Lease;

/// Returns the task that gets a call of this line: the fullest one with room that is not crowded, so that empty tasks can leave; else the
/// emptiest crowded one. Skips tasks in `refused`.
pub(crate) fn choose(leases: Vec<Lease>, line: Line, refused: &[TaskId], now_ms: u64) -> Option<Lease> {
    let (crowded, roomy): (Vec<_>, Vec<_>) = leases
        .into_iter()
        .filter(|lease| lease.takes_calls_of(line, now_ms) && !refused.contains(&lease.task))
        .partition(Lease::is_crowded);
    let fullest = roomy.into_iter().max_by_key(|lease| (lease.used, Reverse(lease.task.clone())));
    fullest.or_else(|| crowded.into_iter().min_by_key(|lease| (lease.used, lease.task.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000;

    #[test]
    fn the_fullest_task_with_room_gets_the_call() {
        let leases = vec![lease("empty", 0), lease("busy", 5), lease("crowded", 9)];

        assert_eq!(chosen(leases, &[]), Some("busy".into()));
    }

    #[test]
    fn crowded_tasks_are_a_last_resort_and_full_ones_get_no_call() {
        let leases = vec![lease("crowded", 9), lease("less", 8), lease("full", 10)];

        assert_eq!(chosen(leases, &[]), Some("less".into()));
        assert_eq!(chosen(vec![lease("full", 10)], &[]), None);
    }

    #[test]
    fn expired_draining_and_refusing_tasks_get_no_call() {
        let expired = Lease { until_ms: NOW, ..lease("expired", 0) };
        let draining = lease("draining", 0).closed();

        assert_eq!(chosen(vec![expired, draining, lease("refused", 0)], &["refused".into()]), None);
    }

    #[test]
    fn a_sip_call_goes_to_a_full_task_that_serves_its_line() {
        let serving = Lease { lines: vec![Line::Sip.into()], ..lease("serving", 10) };
        let draining = Lease { task: "draining".into(), ..serving.clone() }.closed();
        let leases = vec![lease("whatsapp", 5), draining, serving];

        let chosen = choose(leases.clone(), Line::Sip, &[], NOW).map(|lease| lease.task);

        assert_eq!(chosen, Some("serving".into()));
        assert_eq!(choose(leases, Line::Sip, &["serving".into()], NOW), None);
    }

    fn chosen(leases: Vec<Lease>, refused: &[TaskId]) -> Option<TaskId> {
        choose(leases, Line::WhatsApp, refused, NOW).map(|lease| lease.task)
    }

    fn lease(task: &str, used: u64) -> Lease {
        Lease::new(&task.into(), "127.0.0.1:1", "", "1", 10, NOW).using(used)
    }
}
