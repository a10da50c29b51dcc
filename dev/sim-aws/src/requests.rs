//! Counts the API calls, and refuses those that are planned to be refused.

use crate::refusal::Refusal;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The requests of every API call, by `service.Action`.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    requests: Mutex<RequestCounts>,
}

#[derive(Debug, Default)]
struct RequestCounts {
    counts: BTreeMap<String, usize>,
    planned: BTreeMap<String, Planned>,
}

#[derive(Debug)]
struct Planned {
    refusal: Refusal,
    times: usize,
}

impl Requests {
    /// Enters one call, and says no to it if that was planned.
    pub(crate) fn enter(&self, action: &str) -> Result<(), Refusal> {
        let mut requests = self.requests();
        *requests.counts.entry(action.to_owned()).or_default() += 1;
        requests.planned.get_mut(action).and_then(Planned::take).map_or(Ok(()), Err)
    }

    /// Refuses the next `times` calls of an action.
    pub(crate) fn refuse_next(&self, action: &str, times: usize, refusal: Refusal) {
        self.requests().planned.insert(action.to_owned(), Planned { refusal, times });
    }

    /// How often each action was called, refused calls included.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        self.requests().counts.clone()
    }

    fn requests(&self) -> std::sync::MutexGuard<'_, RequestCounts> {
        self.requests.lock().expect("no thread panics while holding the requests")
    }
}

impl Planned {
    fn take(&mut self) -> Option<Refusal> {
        self.times = self.times.checked_sub(1)?;
        Some(self.refusal.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planned_refusal_holds_for_as_many_calls_as_planned() {
        let requests = Requests::default();
        requests.refuse_next("ecs.RunTask", 2, Refusal::throttling());

        let answers = [(); 3].map(|()| requests.enter("ecs.RunTask"));

        assert_eq!(answers, [Err(Refusal::throttling()), Err(Refusal::throttling()), Ok(())]);
        assert_eq!(requests.counts()["ecs.RunTask"], 3);
    }

    #[test]
    fn a_planned_refusal_is_not_met_by_another_action() {
        let requests = Requests::default();
        requests.refuse_next("ecs.RunTask", 1, Refusal::throttling());

        assert_eq!(requests.enter("ecs.StopTask"), Ok(()));
    }
}
