//! Audits every call: compares what Meta, the table and the journals state of it.

use super::audit_rounds::Audits;
use super::fault_injection::Killed;
use super::outcome_audit;
use super::plan::{Act, Plan};
use super::spending_audit::{self, SpendingAudit};
use harness::testbed::Testbed;
use journal::JournalEvent;
use local::eventually_every;
use sim_meta::{ActionName, CallRecord, InjectedFault};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;
use store::keys;
use store::{StoredCall, call_ref};
use tokio::time::Instant;

/// A call is answered or refused within its ring budget, and a heartbeat more: ticks come every five seconds.
const SETTLED: Duration = Duration::from_secs(25 + 6);

/// A call whose last living task was killed has until the reaper has come by.
const SETTLED_WITHOUT_TASK: Duration = Duration::from_secs(120);

/// How long owners have to store summaries and spending: DynamoDB may be gone for a while.
const WRITTEN_WITHIN: Duration = Duration::from_secs(40);

/// How long the outcomes of all calls may take to reach the business, once the calls are settled.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// How often to look whether all calls are settled.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The outcomes of all calls.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// How many calls there were.
    pub calls: usize,
    /// How many of them were answered.
    pub answered: usize,
    /// How many tasks were killed.
    pub killed: usize,
    /// What all of them cost, in millionths of a dollar.
    pub micro_dollars: u64,
    /// How many calls ended how.
    pub endings: BTreeMap<String, usize>,
    /// What must never happen, and did.
    pub violations: Vec<String>,
}

/// Waits until every call is settled, and audits them.
pub(super) async fn settle(
    testbed: &Testbed,
    plan: &Plan,
    killed: &Killed,
    within: Duration,
) -> anyhow::Result<Accounts> {
    // Calls that do not settle are what the audit is for.
    let _ = eventually_every(LOOK_EVERY, within, || async { Ok(is_settled(testbed).await?.then_some(())) })
        .await?;
    outcome_audit::deliver_all(testbed, TOLD_WITHIN).await?;
    // What owners leave reaches the table after their calls have ended.
    let mut audits = Audits::until((Instant::now() + WRITTEN_WITHIN).into_std());
    loop {
        let accounts = audit(testbed, plan, killed).await?;
        match audits.handle(accounts.are_settled(), Instant::now().into_std()) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Ok(accounts),
        }
    }
}

async fn audit(testbed: &Testbed, plan: &Plan, killed: &Killed) -> anyhow::Result<Accounts> {
    let (mut counted, mut numbers) = (0, BTreeSet::new());
    let mut accounts = Accounts { calls: plan.calls.len(), killed: killed.all.len(), ..Accounts::default() };
    let deliveries = testbed.business.deliveries();
    for (call, planned) in testbed.meta.calls().into_iter().zip(&plan.calls) {
        let reference = call_ref(&call.id);
        let record = testbed.calls.call(&reference).await?;
        let journal = testbed.calls.journal(&reference).await?;
        let is_untroubled = call.faults.is_empty() && !matches!(planned.act, Act::GivesUp(_));
        accounts.settle(&call, record.as_ref(), &journal, killed, is_untroubled);
        let spending = SpendingAudit::of(testbed, &reference).await?;
        let faults = spending
            .faults(&journal, |writer| killed.all.iter().any(|task| keys::task_writer(task) == *writer));
        accounts
            .violations
            .extend(faults.into_iter().map(|fault| format!("{}: {fault}", &reference.as_str()[..8])));
        let untold = outcome_audit::fault(record.as_ref(), &deliveries);
        accounts.violations.extend(untold.map(|fault| format!("{}: {fault}", &reference.as_str()[..8])));
        counted += spending.total();
        numbers.extend(record.map(|record| record.number));
    }
    accounts.violations.extend(killed.too_few(plan.kills()));
    let mut spent = 0;
    for number in &numbers {
        spent += spending_audit::spent(testbed, number).await?;
    }
    accounts.micro_dollars = spent;
    if spent != counted {
        accounts
            .violations
            .push(format!("the days came to {spent} μ$, and {counted} μ$ are counted of calls"));
    }
    let waiting = testbed.stack.store.waiting_in_outbox(1).await?;
    accounts.violations.extend(waiting.iter().map(|item| format!("{} waits in the outbox", item.key())));
    let due = testbed.stack.store.due(u64::MAX).await?;
    accounts
        .violations
        .extend(due.into_iter().map(|name| format!("{}: it is still in the index", &name.as_str()[..8])));
    accounts.violations.extend(
        testbed
            .meta
            .strays()
            .into_iter()
            .map(|stray| format!("an action on a call that is not ours: {stray}")),
    );
    Ok(accounts)
}

async fn is_settled(testbed: &Testbed) -> anyhow::Result<bool> {
    if !testbed.meta.open_calls().is_empty() {
        return Ok(false);
    }
    for call in testbed.meta.calls() {
        let record = testbed.calls.call(&call_ref(&call.id)).await?;
        if record.is_some_and(|record| record.call.due.is_some()) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Accounts {
    fn settle(
        &mut self,
        call: &CallRecord,
        record: Option<&StoredCall>,
        journal: &[journal::JournalEntry],
        killed: &Killed,
        is_untroubled: bool,
    ) {
        self.answered += usize::from(call.accepted().is_some());
        let ending = record.and_then(|record| record.call.ending());
        *self.endings.entry(ending.map_or("(none)".into(), |ending| format!("{ending:?}"))).or_default() += 1;
        let was_alone =
            killed.last_ones.iter().any(|at| *at >= call.rang && call.ended.is_none_or(|end| *at <= end));
        let mut violations = left_open(call, record);
        violations.extend(doubled(call));
        violations.extend(too_late(call, was_alone));
        violations.extend(answered_in_vain(call));
        violations.extend(out_of_order(journal));
        let is_models = |event: &JournalEvent| {
            matches!(
                event,
                JournalEvent::AgentTrouble { .. }
                    | JournalEvent::AgentFailed { .. }
                    | JournalEvent::PartRefused { .. }
                    | JournalEvent::ResponseLacking { .. }
                    | JournalEvent::ToolsMissing { .. }
            )
        };
        let had_model_trouble = journal.iter().any(|entry| is_models(&entry.event));
        let lost_its_task = touched_by(journal, killed);
        if is_untroubled && !had_model_trouble && !lost_its_task && call.accepted().is_none() {
            violations.push("nothing was wrong with it, and it was not answered".to_owned());
        }
        let name = call_ref(&call.id);
        let faults: Vec<_> = call.faults.iter().map(|fault| fault.name()).collect();
        self.violations
            .extend(violations.into_iter().map(|what| format!("{}: {what} {faults:?}", &name.as_str()[..8])));
    }

    /// Whether nothing happened that must never happen.
    pub fn are_settled(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Whether a task that was killed ever had the call.
fn touched_by(journal: &[journal::JournalEntry], killed: &Killed) -> bool {
    journal
        .iter()
        .any(|entry| matches!(&entry.event, JournalEvent::Claimed { task, .. } if killed.all.contains(task)))
}

fn left_open(call: &CallRecord, record: Option<&StoredCall>) -> Vec<String> {
    let mut wrong = vec![];
    if call.is_open() {
        wrong.push("it is still open at Meta".to_owned());
    }
    match record {
        Some(record) if !record.call.has_ended() => {
            wrong.push(format!("it has no ending: {:?}", record.call.phase))
        }
        Some(record) if record.call.due.is_some() => {
            wrong.push(format!("still to do: {:?}", record.call.pending))
        }
        None if call.connect_answered.is_some()
            && !is_never_answered(call)
            && !was_over_before_answer(call) =>
        {
            wrong.push("nothing is known of it".to_owned());
        }
        Some(_) | None => {}
    }
    wrong
}

fn doubled(call: &CallRecord) -> Vec<String> {
    let names = [ActionName::PreAccept, ActionName::Accept, ActionName::Reject, ActionName::Terminate];
    let twice =
        names.into_iter().filter(|name| call.taken(*name) > 1).map(|name| format!("{name} was done twice"));
    let messages = (call.messages > 1).then(|| format!("{} messages were sent", call.messages));
    twice.chain(messages).collect()
}

/// A ringing call is answered or refused within its time, unless the caller, or Meta by an injected fault, was faster. It
/// runs from when its `connect` was first answered.
fn too_late(call: &CallRecord, was_alone: bool) -> Option<String> {
    if is_never_answered(call) || call.faults.iter().any(|fault| fault.refuses_every_action()) {
        return None;
    }
    let answered = call.connect_answered.unwrap_or(call.rang);
    let limit = if was_alone { SETTLED_WITHOUT_TASK } else { SETTLED };
    let over = [call.settled(), call.ended].into_iter().flatten().min();
    match over {
        Some(over) if over.saturating_duration_since(answered) <= limit => None,
        Some(over) => Some(format!("it rang for {:?}", over - answered)),
        None => Some("it was neither answered nor refused".to_owned()),
    }
}

/// A call that is too old, or over before it began, must get no action.
fn answered_in_vain(call: &CallRecord) -> Option<String> {
    let touched = call.tried(ActionName::PreAccept) + call.tried(ActionName::Accept) > 0;
    (is_never_answered(call) && touched).then(|| "it should have been left alone".to_owned())
}

/// Whether the caller had given up before we heard of the call: its end came first, and is all there is.
fn was_over_before_answer(call: &CallRecord) -> bool {
    call.ended.zip(call.connect_answered).is_some_and(|(ended, answered)| ended <= answered)
}

/// Calls that must not be answered: too old, or over before they began.
fn is_never_answered(call: &CallRecord) -> bool {
    reads_as_over(&call.faults)
}

/// Whether the business can tell that the call is too old, or over. Four minutes old and two minutes ahead is not too old, and an end
/// that Meta never tells is none.
fn reads_as_over(faults: &[InjectedFault]) -> bool {
    let has = |wanted| faults.contains(&wanted);
    let is_too_old = has(InjectedFault::StaleConnect) && !has(InjectedFault::StampsAhead);
    let is_told_over = has(InjectedFault::OutOfOrder) && !has(InjectedFault::MissingTerminate);
    is_too_old || is_told_over || has(InjectedFault::FutureConnect)
}

/// Each thing after what it follows from, as the journal sorts them; and one ending.
fn out_of_order(journal: &[journal::JournalEntry]) -> Vec<String> {
    let rank = |event: &JournalEvent| match event {
        JournalEvent::Claimed { .. } => Some(1),
        JournalEvent::Answered { .. } => Some(2),
        JournalEvent::PreAccepted { .. } => Some(3),
        JournalEvent::Accepted { .. } => Some(4),
        JournalEvent::Opened {} => Some(5),
        JournalEvent::Ended { .. } => Some(6),
        _ => None,
    };
    let ranks: Vec<i32> = journal.iter().filter_map(|entry| rank(&entry.event)).collect();
    // An assignment that refused, or died while it rang, is followed by another. What was under way at Meta when another process ended the call
    // is noted after the end. Everything else follows what it follows from, once.
    let is_another_assignment = |pair: &[i32]| pair[1] == 1 && pair[0] <= 1;
    let is_late_word = |pair: &[i32]| pair[0] == 6 && (3..=4).contains(&pair[1]);
    let is_wrong = |pair: &[i32]| pair[1] <= pair[0] && !is_another_assignment(pair) && !is_late_word(pair);
    let wrong = ranks.windows(2).any(is_wrong);
    wrong.then(|| format!("its journal is out of order: {ranks:?}")).into_iter().collect()
}

impl fmt::Display for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {} calls, {} answered, {} media tasks killed, {} μ$ spent",
            self.calls, self.answered, self.killed, self.micro_dollars
        )?;
        for (ending, count) in &self.endings {
            writeln!(f, "  {count:>5}  {ending}")?;
        }
        if self.are_settled() {
            return writeln!(
                f,
                "  No call was lost, doubled, left open or out of order; each owner's spending is counted once, and each outcome was told."
            );
        }
        for violation in &self.violations {
            writeln!(f, "  WRONG  {violation}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_left_alone_only_where_the_business_can_tell() {
        use InjectedFault::{
            FutureConnect, MissingTerminate, OutOfOrder, StaleConnect, StampsAhead, StampsBehind,
        };

        for over in [
            &[OutOfOrder][..],
            &[StaleConnect],
            &[StaleConnect, StampsBehind],
            &[FutureConnect, StampsBehind],
        ] {
            assert!(reads_as_over(over), "{over:?}");
        }
        for rings in [&[OutOfOrder, MissingTerminate][..], &[StampsAhead, StaleConnect], &[MissingTerminate]]
        {
            assert!(!reads_as_over(rings), "{rings:?}");
        }
    }
}
