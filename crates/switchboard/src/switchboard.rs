//! What call-control does with an order.

use crate::call_store::{CallStore, Known, SaveError};
use crate::control_api::ControlApiClient;
use crate::graph_actions::GraphClient;
use crate::perform::EffectOutcome;
use crate::resolved_agent::ResolvedAgent;
use crate::secrets::GraphSecret;
use crate::stored_call::StoredCall;
use crate::task_launcher::TaskLauncher;
use crate::unreadable_calls::UnreadableCalls;
use crate::{caller_message, meta_endings, transitions};
use anyhow::bail;
use call::{Call, CallEvent, Effect, Ending, Phase, Timestamp, step};
use internal_api::order::{Order, Reply};
use journal::{EntryBuilder, JournalEntry, JournalEvent as Happened};
use service::secrets::Secret;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// So often a call is read again because somebody else changed it.
const READS: u32 = 20;

/// How long to wait before it is read again, the first time.
const PAUSE: Duration = Duration::from_millis(5);

/// Carries calls from step to step.
#[derive(Debug)]
pub struct Switchboard {
    /// Where calls are kept.
    pub store: CallStore,
    /// Who can take them.
    pub ledger: Store,
    /// How tasks are spoken to.
    pub knocker: ControlApiClient,
    /// How more tasks are started.
    pub launcher: TaskLauncher,
    /// How Meta is spoken to.
    pub line: GraphClient,
    /// With which token.
    pub meta: Secret<GraphSecret>,
    /// Who takes the calls of numbers that have no agent of their own.
    pub agent: Arc<ResolvedAgent>,
    /// Writes an event into the log, once it is in the table.
    pub log: fn(&JournalEntry),
    /// This host's clock, ms since 1970.
    pub clock: fn() -> u64,
}

impl Switchboard {
    /// Does what an order asks, and everything that follows from it now.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked. What was saved goes on with the next tick.
    pub async fn handle(&self, order: &Order) -> anyhow::Result<Reply> {
        match self.obey(order).await.map_err(anyhow::Error::downcast) {
            Ok(reply) => Ok(reply),
            Err(Ok(poisoned)) => self.reply_about(order, poisoned).await,
            Err(Err(error)) => Err(error),
        }
    }

    async fn obey(&self, order: &Order) -> anyhow::Result<Reply> {
        if let Order::UserChanged { number, notice } = order {
            self.link_names(number, notice).await?;
            return Ok(Reply::Over);
        }
        let call_ref = order.call_ref().expect("any other order is about a call");
        if surely_asks_meta(order) {
            self.line.connect();
        }
        let Some(mut record) = self.load(call_ref).await? else { return Ok(nothing_known(order)) };
        if let Some((fence, token)) = order.assignment()
            && !record.believes(fence, token)
        {
            if record.call.is_held_by(fence) {
                tracing::warn!(
                    call_ref,
                    "Refused an order for a call: it does not have the token of its assignment"
                );
            }
            return Ok(nothing_known(order));
        }
        match order {
            Order::UserChanged { .. } => {}
            Order::MessageFailed { message, .. } => self.tell_of_failed(&record, message).await?,
            Order::Tick { .. } => {
                if may_ask_meta(&record) {
                    self.line.connect();
                }
                self.carry(&mut record, CallEvent::Tick).await?;
            }
            Order::MediaConnected { fence, was_lost, question, lost, .. } => {
                if *was_lost {
                    let lost = CallEvent::AcceptLost { fence: *fence, question: *lost };
                    self.carry(&mut record, lost).await?;
                }
                let connected = CallEvent::MediaConnected { fence: *fence, question: *question };
                self.carry(&mut record, connected).await?;
            }
            Order::TaskEnded { fence, ending, newer, .. } => {
                let newer =
                    newer.as_ref().and_then(|newer| serde_json::from_value(serde_json::json!(newer)).ok());
                let ending: Ending =
                    newer.map_or_else(|| serde_json::from_value(serde_json::json!(ending)), Ok)?;
                self.carry(&mut record, CallEvent::TaskEnded { fence: *fence, ending }).await?;
            }
            Order::SendMessage { fence, id, text, .. } => {
                return self.send_message(record, *fence, id, text).await;
            }
        }
        Ok(reply_to(order, &record))
    }

    /// Ends the calls of a media task that is known to have stopped, and takes it out of the registry. How many there
    /// were.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked. The calls that are left end by their ticks.
    pub async fn lose_task(&self, task: &str) -> anyhow::Result<usize> {
        let held = self.store.held_by(task).await?;
        let lost =
            futures_util::future::join_all(held.iter().map(|call_ref| self.lose(task, call_ref))).await;
        tokio::try_join!(self.ledger.delete_lease(task), self.ledger.release_launch_of(task))?;
        lost.into_iter().collect::<anyhow::Result<()>>()?;
        Ok(held.len())
    }

    /// Ticks every call that is due. Where no media task lives, nobody else does before the reaper comes by.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn tick_due(&self) -> anyhow::Result<()> {
        let due = self.ledger.due((self.clock)()).await?;
        let orders: Vec<_> = due.into_iter().map(|call_ref| Order::Tick { call_ref }).collect();
        let ticked = futures_util::future::join_all(orders.iter().map(|order| self.handle(order))).await;
        ticked.into_iter().try_for_each(|reply| reply.map(drop))
    }

    async fn lose(&self, task: &str, call_ref: &str) -> anyhow::Result<()> {
        let mut record = match self.load(call_ref).await {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(()),
            // Its ticks end it.
            Err(error) if error.is::<UnreadableCalls>() => return Ok(()),
            Err(error) => return Err(error),
        };
        match record.call.assignment.clone().filter(|assignment| assignment.task == task) {
            Some(assignment) => {
                self.carry(&mut record, CallEvent::TaskStopped { fence: assignment.fence }).await
            }
            None => Ok(()),
        }
    }

    async fn load(&self, call_ref: &str) -> anyhow::Result<Option<Box<StoredCall>>> {
        Ok(match self.store.load(call_ref).await? {
            Known::Call(record) => Some(record),
            Known::Nothing => None,
            Known::OnlyItsEnd => {
                self.store.lay_to_rest(call_ref).await?;
                None
            }
        })
    }

    /// Steps, performs, and steps on with what came of it, until nothing is left to do now.
    async fn carry(&self, record: &mut Box<StoredCall>, event: CallEvent) -> anyhow::Result<()> {
        let mut to_do = VecDeque::from(self.advance(record, EffectOutcome::of(event)).await?);
        while let Some(effect) = next(&mut to_do) {
            if self.may_perform(record, &effect).await? {
                let outcome = self.perform(record, &effect).await?;
                to_do.extend(self.advance(record, outcome).await?);
            }
        }
        Ok(())
    }

    /// A message goes out at most once, so it is struck off before it is sent: only who strikes it off sends it.
    async fn may_perform(&self, record: &mut Box<StoredCall>, effect: &Effect) -> anyhow::Result<bool> {
        if !matches!(effect, Effect::TellCaller(_)) {
            return Ok(true);
        }
        let claimed = EffectOutcome::of(CallEvent::Claimed(effect.clone()));
        Ok(self.advance(record, claimed).await?.contains(effect))
    }

    /// Steps and saves, as often as somebody else was faster. What is to be done now.
    async fn advance(
        &self,
        record: &mut Box<StoredCall>,
        outcome: EffectOutcome,
    ) -> anyhow::Result<Vec<Effect>> {
        for read in 0..READS {
            let (next, effects) = self.step(record, outcome.event.clone());
            let news = transitions::of(&outcome.event, record, &next, outcome.took_ms);
            let happened = [outcome.entries.clone(), news].concat();
            if next == record.call && happened.is_empty() && record.is_indexed() {
                return Ok(effects);
            }
            if self.save(record, next, happened, outcome.returns_tokens).await? {
                return Ok(effects);
            }
            self.read_again(record, read).await?;
        }
        bail!("the call changed {READS} times while it was being saved")
    }

    /// Writes into a call's journal what changes nothing about the call.
    pub(crate) async fn note(&self, mut record: Box<StoredCall>, happened: &Happened) -> anyhow::Result<()> {
        for read in 0..READS {
            let call = record.call.clone();
            if self.save(&mut record, call, vec![happened.clone()], false).await? {
                return Ok(());
            }
            self.read_again(&mut record, read).await?;
        }
        bail!("the call changed {READS} times while its journal was being written")
    }

    /// Saves the call with what happened, unless somebody else was faster. Whether it is saved.
    async fn save(
        &self,
        record: &mut StoredCall,
        next: Call,
        happened: Vec<Happened>,
        returns_tokens: bool,
    ) -> anyhow::Result<bool> {
        let before = record.clone();
        record.call = next;
        record.guard_assignment(&before.call, returns_tokens);
        let entries = self.entries(record, happened);
        let listed = self.list(&before, record).await;
        let has_more = !entries.is_empty() || !listed.is_empty();
        let mut saved = self.store.save_beside(record, &entries, listed).await?;
        if let Err(SaveError::Unfit(code)) = &saved
            && has_more
        {
            let (call_ref, entries) = (record.call_ref(), entries.len());
            tracing::error!(
                call_ref,
                entries,
                "Saved a call's state without its journal entries and list: {code}"
            );
            saved = self.store.save(record, &[]).await?;
        }
        match saved {
            Ok(()) => {
                entries.iter().for_each(self.log);
                Ok(true)
            }
            Err(SaveError::Conflict) => {
                *record = before;
                Ok(false)
            }
            Err(SaveError::Unfit(code)) => {
                Err(UnreadableCalls::unfit(record.call_ref(), &record.number, &record.wacid, &code).into())
            }
        }
    }

    /// Somebody else was faster, or DynamoDB had too much to do: lets them, and reads the call again.
    async fn read_again(&self, record: &mut Box<StoredCall>, read: u32) -> anyhow::Result<()> {
        tokio::time::sleep(PAUSE * (1 + read)).await;
        match self.store.load(record.call_ref()).await? {
            Known::Call(latest) => *record = latest,
            Known::Nothing | Known::OnlyItsEnd => bail!("the call's state is gone"),
        }
        Ok(())
    }

    /// Meta's word that the call is over lies beside the state until somebody takes it up: that is now.
    fn step(&self, record: &StoredCall, event: CallEvent) -> (Call, Vec<Effect>) {
        let now = self.now();
        let Some(hung_up) = record.hung_up.as_ref().filter(|_| is_news(&record.call)) else {
            return step(record.call.clone(), event, now);
        };
        let over = meta_endings::event(&hung_up.errors);
        let (call, mut effects) = step(record.call.clone(), over, now);
        let (call, more) = step(call, event, now);
        effects.extend(more.into_iter().filter(|effect| !effects.contains(effect)).collect::<Vec<_>>());
        effects.retain(|effect| call.pending.contains(effect) || matches!(effect, Effect::TellCaller(_)));
        (call, effects)
    }

    fn entries(&self, record: &StoredCall, happened: Vec<Happened>) -> Vec<JournalEntry> {
        let rang_at = record.call.rang_at.0;
        let journal = EntryBuilder::new(record.call_ref(), "call-control", rang_at, record.version + 1);
        let mut journal = journal.at(transitions::place(record));
        happened.into_iter().map(|event| journal.enter(event, self.now().0)).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp((self.clock)())
    }
}

/// What is done next. Releases come last: a task that does not answer must not keep the caller waiting.
fn next(to_do: &mut VecDeque<Effect>) -> Option<Effect> {
    let urgent = to_do.iter().position(|effect| !matches!(effect, Effect::Release(_)));
    to_do.remove(urgent.unwrap_or_default())
}

/// Whether Meta's word that a call is over changes anything: ours may be pending that says the same.
fn is_news(call: &Call) -> bool {
    let says_so = |effect: &Effect| matches!(effect, Effect::Reject | Effect::Terminate);
    !call.has_ended() || call.pending.iter().any(says_so)
}

/// Whether an order always leads to a request to Meta: the connection is made while the call loads.
fn surely_asks_meta(order: &Order) -> bool {
    match order {
        Order::MediaConnected { .. } | Order::TaskEnded { .. } | Order::SendMessage { .. } => true,
        Order::Tick { .. } | Order::MessageFailed { .. } | Order::UserChanged { .. } => false,
    }
}

/// Whether a tick may lead to a request to Meta: for a call that rings, or has pending effects. Most ticks only check the task of a
/// live call.
fn may_ask_meta(record: &StoredCall) -> bool {
    let has_rung = match record.call.phase {
        Phase::Ringing | Phase::Connecting | Phase::Accepting => false,
        Phase::Live | Phase::Ended(_) => true,
    };
    record.hung_up.is_none() && (!has_rung || !record.call.pending.is_empty())
}

/// What is replied about a call of which nothing is known, or not to this asker.
fn nothing_known(order: &Order) -> Reply {
    match order {
        Order::SendMessage { .. } => caller_message::refused_for_its_call(),
        Order::Tick { .. }
        | Order::MediaConnected { .. }
        | Order::TaskEnded { .. }
        | Order::MessageFailed { .. }
        | Order::UserChanged { .. } => Reply::Over,
    }
}

fn reply_to(order: &Order, record: &StoredCall) -> Reply {
    let is_askers = match order {
        Order::MediaConnected { fence, .. } | Order::SendMessage { fence, .. } => {
            record.call.is_held_by(*fence)
        }
        Order::Tick { .. }
        | Order::TaskEnded { .. }
        | Order::MessageFailed { .. }
        | Order::UserChanged { .. } => true,
    };
    match record.call.phase {
        Phase::Live if is_askers => Reply::Open { version: record.version },
        Phase::Connecting | Phase::Accepting if is_askers => Reply::Wait,
        Phase::Ringing | Phase::Connecting | Phase::Accepting | Phase::Live | Phase::Ended(_) => Reply::Over,
    }
}
