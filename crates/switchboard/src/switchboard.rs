//! Handles call-control's orders: steps a call, saves it, and performs its effects.

use crate::control_api::ControlApiClient;
use crate::graph_actions::GraphClient;
use crate::handled_call::HandledCall;
use crate::lookup::LookupOrder;
use crate::openai_actions::CallsClient;
use crate::perform::EffectOutcome;
use crate::resolved_agent::ResolvedAgent;
use crate::secrets::GraphSecret;
use crate::task_launcher::TaskLauncher;
use crate::{caller_message, meta_endings, transfer, transitions};
use anyhow::{Context, bail};
use call::{Call, CallEvent, CallRef, Effect, Line, Phase, Recorded, TaskId, Timestamp, step};
use internal_api::client::Outbox;
use internal_api::order::{Order, Reply};
use journal::{EntryBuilder, JournalEntry, JournalEvent};
use service::secrets::Secret;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use store::{LoadedCall, SaveError, Store, StoredCall, UnreadableCall};

/// How often a call is read again when another process changed it first.
const READS: u32 = 20;

/// The pause before the first re-read, which grows by as much with each further one.
const PAUSE: Duration = Duration::from_millis(5);

/// Runs calls through the state machine.
#[derive(Debug)]
pub struct Switchboard {
    /// The table.
    pub store: Store,
    /// The client of the media tasks' control API.
    pub control_api: ControlApiClient,
    /// Starts media tasks in ECS.
    pub launcher: TaskLauncher,
    /// The client of Meta's Graph API.
    pub graph: GraphClient,
    /// The client of OpenAI's requests about calls.
    pub openai: CallsClient,
    /// Delivers outcomes of calls to businesses; `None`: its schedule alone does.
    pub outbox: Option<Outbox>,
    /// The access token for the Graph API.
    pub meta: Secret<GraphSecret>,
    /// The agent for numbers that have none of their own.
    pub agent: Arc<ResolvedAgent>,
    /// The lines on which calls come in.
    pub lines: Vec<Line>,
    /// Logs a journal entry once it is saved.
    pub log: fn(&JournalEntry),
    /// This host's clock, ms since 1970.
    pub clock: fn() -> u64,
}

impl Switchboard {
    /// Carries out an order and every effect that follows from it now, and returns the reply.
    ///
    /// # Errors
    /// When DynamoDB fails. Saved effects continue with the next tick.
    pub async fn handle(&self, order: &Order) -> anyhow::Result<Reply> {
        match self.dispatch(order).await.map_err(anyhow::Error::downcast) {
            Ok(reply) => Ok(reply),
            Err(Ok(unreadable)) => self.reply_about(order, unreadable).await,
            Err(Err(error)) => Err(error),
        }
    }

    async fn dispatch(&self, order: &Order) -> anyhow::Result<Reply> {
        if let Order::UserChanged { number, notice } = order {
            self.link_names(number, notice).await?;
            return Ok(Reply::Over);
        }
        let call_ref = order.call_ref().expect("any other order is about a call");
        if always_calls_meta(order) {
            self.graph.connect();
        }
        let Some(mut handled) = self.load(call_ref).await? else { return Ok(reply_without_call(order)) };
        let record = &handled.record;
        if let Some((fence, token)) = order.assignment()
            && !record.accepts_order(fence, token)
        {
            if record.call.is_held_by(fence) {
                tracing::warn!(%call_ref, "order refused: it lacks the token of the call's assignment");
            }
            return Ok(reply_without_call(order));
        }
        match order {
            Order::UserChanged { .. } => {}
            Order::MessageFailed { message, .. } => self.report_failed_message(record, message).await?,
            Order::Tick { .. } => {
                if may_call_line(record) {
                    self.connect_for(record);
                }
                self.drive(&mut handled, CallEvent::Tick).await?;
                self.keep_seeking_task(&mut handled).await?;
            }
            Order::MediaConnected { fence, was_lost, question, lost, .. } => {
                if *was_lost {
                    let lost = CallEvent::AcceptLost { fence: *fence, question: *lost };
                    self.drive(&mut handled, lost).await?;
                }
                let connected = CallEvent::MediaConnected { fence: *fence, question: *question };
                self.drive(&mut handled, connected).await?;
            }
            Order::TaskEnded { fence, ending, newer, .. } => {
                let newer = newer.as_ref().and_then(Recorded::known);
                let ending = newer.or(ending.known()).with_context(|| format!("unknown ending {ending}"))?;
                self.drive(&mut handled, CallEvent::TaskEnded { fence: *fence, ending }).await?;
            }
            Order::SendMessage { fence, id, text, .. } => {
                return self.send_message(handled.record, *fence, id, text).await;
            }
            Order::TransferCall { fence, id, .. } => return self.transfer(handled, *fence, id).await,
            Order::CallerLookedUp { fence, agent, language, reject, .. } => {
                let (agent, language) = (agent.as_deref(), language.as_deref());
                let asked = LookupOrder { agent, language, reject: reject.as_ref() };
                return self.decide_by_lookup(handled, *fence, asked).await;
            }
        }
        Ok(reply_to(order, &handled.record))
    }

    /// Ends the calls of a media task that has stopped, removes its lease, and returns how many calls it had.
    ///
    /// # Errors
    /// When DynamoDB fails. The remaining calls are ended by their ticks.
    pub async fn end_calls_of_task(&self, task: &TaskId) -> anyhow::Result<usize> {
        let held = self.store.calls_of_task(task).await?;
        let ended =
            futures_util::future::join_all(held.iter().map(|call_ref| self.end_call_of_task(task, call_ref)))
                .await;
        tokio::try_join!(self.store.delete_lease(task), self.store.release_launch_of(task))?;
        ended.into_iter().collect::<anyhow::Result<()>>()?;
        Ok(held.len())
    }

    /// Ticks every call that is due. Without a live media task, only the reaper would do so otherwise, once a minute.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn tick_due(&self) -> anyhow::Result<()> {
        let due = self.store.due((self.clock)()).await?;
        let orders: Vec<_> = due.into_iter().map(|call_ref| Order::Tick { call_ref }).collect();
        let ticked = futures_util::future::join_all(orders.iter().map(|order| self.handle(order))).await;
        ticked.into_iter().try_for_each(|reply| reply.map(drop))
    }

    async fn end_call_of_task(&self, task: &TaskId, call_ref: &CallRef) -> anyhow::Result<()> {
        let mut handled = match self.load(call_ref).await {
            Ok(Some(handled)) => handled,
            Ok(None) => return Ok(()),
            // Its ticks end it.
            Err(error) if error.is::<UnreadableCall>() => return Ok(()),
            Err(error) => return Err(error),
        };
        match handled.record.call.assignment.clone().filter(|assignment| assignment.task == *task) {
            Some(assignment) => {
                self.drive(&mut handled, CallEvent::TaskStopped { fence: assignment.fence }).await?;
                self.keep_seeking_task(&mut handled).await
            }
            None => Ok(()),
        }
    }

    async fn load(&self, call_ref: &CallRef) -> anyhow::Result<Option<HandledCall>> {
        match self.store.load_call(call_ref).await? {
            LoadedCall::Found(record) => Ok(Some(HandledCall::new(record))),
            LoadedCall::Missing => Ok(None),
            LoadedCall::EndOnly => {
                self.store.retire_call(call_ref).await?;
                Ok(None)
            }
            LoadedCall::Unreadable(unreadable) => Err(unreadable.into()),
        }
    }

    /// Steps the call with an event, then performs its effects and steps with their outcomes, until none is left to do now.
    pub(crate) async fn drive(&self, handled: &mut HandledCall, event: CallEvent) -> anyhow::Result<()> {
        let mut to_do = VecDeque::from(self.step_and_save(handled, EffectOutcome::of(event)).await?);
        while let Some(effect) = next(&mut to_do) {
            if self.may_perform(handled, &effect).await? {
                let outcome = self.perform(handled, &effect).await?;
                to_do.extend(self.step_and_save(handled, outcome).await?);
            }
        }
        if let Some(outcome) = handled.saved_outcome.take() {
            self.deliver_outcome(&outcome).await;
        }
        Ok(())
    }

    /// Whether an effect is to be performed by this process. A message goes out at most once, so it is removed from the pending effects
    /// before it is sent: only the process that removes it sends it.
    async fn may_perform(&self, handled: &mut HandledCall, effect: &Effect) -> anyhow::Result<bool> {
        if !matches!(effect, Effect::TellCaller(_)) {
            return Ok(true);
        }
        let claimed = EffectOutcome::of(CallEvent::Claimed(effect.clone()));
        Ok(self.step_and_save(handled, claimed).await?.contains(effect))
    }

    /// Steps and saves the call, again with the newer state when another process saved first, and returns the effects to perform now.
    async fn step_and_save(
        &self,
        handled: &mut HandledCall,
        outcome: EffectOutcome,
    ) -> anyhow::Result<Vec<Effect>> {
        let returns_tokens = outcome.lease.as_ref().is_some_and(|lease| lease.returns_tokens);
        if let Some(lease) = outcome.lease {
            handled.keep_lease(lease);
        }
        for read in 0..READS {
            let record = &handled.record;
            let (next, effects) = self.step(record, outcome.event.clone());
            let changes = transitions::journal_events(&outcome.event, record, &next, outcome.took_ms);
            let events = [outcome.entries.clone(), changes].concat();
            if next == record.call && events.is_empty() && record.is_indexed() {
                return Ok(effects);
            }
            if self.save(handled, next, events, returns_tokens).await? {
                return Ok(effects);
            }
            self.read_again(handled, read).await?;
        }
        bail!("cannot save the call: it changed {READS} times meanwhile")
    }

    /// Writes an event that does not change the call's state to its journal.
    pub(crate) async fn append_to_journal(
        &self,
        record: Box<StoredCall>,
        event: &JournalEvent,
    ) -> anyhow::Result<()> {
        let mut handled = HandledCall::new(record);
        for read in 0..READS {
            let call = handled.record.call.clone();
            if self.save(&mut handled, call, vec![event.clone()], false).await? {
                return Ok(());
            }
            self.read_again(&mut handled, read).await?;
        }
        bail!("cannot write the call's journal: the call changed {READS} times meanwhile")
    }

    /// Saves the call with its events and listing, and returns false when another process saved first.
    pub(crate) async fn save(
        &self,
        handled: &mut HandledCall,
        next: Call,
        events: Vec<JournalEvent>,
        returns_tokens: bool,
    ) -> anyhow::Result<bool> {
        let before = handled.record.clone();
        handled.record.call = next;
        handled.record.issue_token(&before.call, returns_tokens);
        self.drop_unneeded_details(handled).await;
        let entries = self.entries(&handled.record, events);
        let listed = self.listing_items(&before, handled).await;
        let outcome = self.outcome(&before, handled).await;
        let record = &mut handled.record;
        let mut outcome = outcome;
        let has_more = !entries.is_empty() || !listed.is_empty();
        let mut saved = self.store.save_call(record, &entries, listed, outcome.as_ref()).await?;
        if let Err(SaveError::Permanent(code)) = &saved
            && has_more
        {
            let (call_ref, entries) = (record.call_ref(), entries.len());
            tracing::error!(
                %call_ref,
                entries,
                "cannot save a call's journal entries and listing, saving its state alone: {code}"
            );
            saved = self.store.save_call(record, &[], vec![], outcome.as_ref()).await?;
        }
        // An ending must not fail because of what a business is to be told.
        if let Err(SaveError::Permanent(code)) = &saved
            && outcome.take().is_some()
        {
            let call_ref = record.call_ref();
            tracing::error!(%call_ref, "cannot save a call's outcome, the business is not told: {code}");
            saved = self.store.save_call(record, &[], vec![], None).await?;
        }
        match saved {
            Ok(()) => {
                entries.iter().for_each(self.log);
                handled.saved_outcome = outcome.or(handled.saved_outcome.take());
                Ok(true)
            }
            Err(SaveError::Conflict) => {
                *record = before;
                Ok(false)
            }
            Err(SaveError::Permanent(code)) => Err(UnreadableCall::unsaved(record, &code).into()),
        }
    }

    /// Waits a little, after a conflict or throttling, and reads the call again.
    pub(crate) async fn read_again(&self, handled: &mut HandledCall, read: u32) -> anyhow::Result<()> {
        tokio::time::sleep(PAUSE * (1 + read)).await;
        match self.store.load_call(&handled.record.call_ref()).await? {
            LoadedCall::Found(latest) => handled.record = latest,
            LoadedCall::Unreadable(unreadable) => return Err(unreadable.into()),
            LoadedCall::Missing | LoadedCall::EndOnly => {
                bail!("cannot read the call again: its state item is gone")
            }
        }
        Ok(())
    }

    /// Steps the call with an event, and first with Meta's `terminate` if the webhook has stored one (`hung_up`) that the call has not seen
    /// yet.
    fn step(&self, record: &StoredCall, event: CallEvent) -> (Call, Vec<Effect>) {
        let now = self.now();
        let Some(hung_up) = record.hung_up.as_ref().filter(|_| is_new_ending(&record.call)) else {
            return step(record.call.clone(), event, now);
        };
        let over = meta_endings::event(&hung_up.errors);
        let (call, mut effects) = step(record.call.clone(), over, now);
        let (call, more) = step(call, event, now);
        effects.extend(more.into_iter().filter(|effect| !effects.contains(effect)).collect::<Vec<_>>());
        effects.retain(|effect| call.pending.contains(effect) || matches!(effect, Effect::TellCaller(_)));
        (call, effects)
    }

    fn entries(&self, record: &StoredCall, events: Vec<JournalEvent>) -> Vec<JournalEntry> {
        let rang_at = record.call.rang_at.0;
        let journal = EntryBuilder::new(&record.call_ref(), "call-control", rang_at, record.version + 1);
        let mut journal = journal.at(transitions::entry_context(record));
        events.into_iter().map(|event| journal.enter(event, self.now().0)).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp((self.clock)())
    }
}

/// Takes the next effect. Releases come last: a task that does not answer must not keep the caller waiting.
fn next(to_do: &mut VecDeque<Effect>) -> Option<Effect> {
    let urgent = to_do.iter().position(|effect| !matches!(effect, Effect::Release(_)));
    to_do.remove(urgent.unwrap_or_default())
}

/// Whether Meta's `terminate` changes the call: it also settles a pending reject or terminate of ours.
fn is_new_ending(call: &Call) -> bool {
    let ends_call = |effect: &Effect| matches!(effect, Effect::Reject | Effect::Terminate);
    !call.has_ended() || call.pending.iter().any(ends_call)
}

/// Whether an order always leads to a request to Meta: then the connection is opened while the call loads.
fn always_calls_meta(order: &Order) -> bool {
    match order {
        Order::MediaConnected { .. } | Order::TaskEnded { .. } | Order::SendMessage { .. } => true,
        Order::Tick { .. }
        | Order::TransferCall { .. }
        | Order::CallerLookedUp { .. }
        | Order::MessageFailed { .. }
        | Order::UserChanged { .. } => false,
    }
}

/// Whether a tick may lead to a request to the line's service: for a ringing call, or one with pending effects. Most ticks only check the
/// task of a live call.
fn may_call_line(record: &StoredCall) -> bool {
    let has_rung = match record.call.phase {
        Phase::Ringing | Phase::Connecting | Phase::Accepting => false,
        Phase::Live | Phase::Ended(_) => true,
    };
    record.hung_up.is_none() && (!has_rung || !record.call.pending.is_empty())
}

/// Returns the reply about a call that is unknown, or that the sender does not hold.
fn reply_without_call(order: &Order) -> Reply {
    match order {
        Order::SendMessage { .. } => caller_message::not_sent_call_gone(),
        Order::TransferCall { .. } => transfer::not_transferred_call_gone(),
        Order::Tick { .. }
        | Order::MediaConnected { .. }
        | Order::TaskEnded { .. }
        | Order::CallerLookedUp { .. }
        | Order::MessageFailed { .. }
        | Order::UserChanged { .. } => Reply::Over,
    }
}

fn reply_to(order: &Order, record: &StoredCall) -> Reply {
    let holds_call = match order {
        Order::MediaConnected { fence, .. }
        | Order::SendMessage { fence, .. }
        | Order::TransferCall { fence, .. }
        | Order::CallerLookedUp { fence, .. } => record.call.is_held_by(*fence),
        Order::Tick { .. }
        | Order::TaskEnded { .. }
        | Order::MessageFailed { .. }
        | Order::UserChanged { .. } => true,
    };
    match record.call.phase {
        Phase::Live if holds_call => Reply::Open { version: record.version },
        Phase::Connecting | Phase::Accepting if holds_call => Reply::Wait,
        Phase::Ringing | Phase::Connecting | Phase::Accepting | Phase::Live | Phase::Ended(_) => Reply::Over,
    }
}
