//! Keeps a call's accounts: what it used and cost, for its summary and for the day's spending.
//!
//! | module | what it does |
//! |---|---|
//! | `cost` | prices what was used |
//! | `spending` | decides when the cost is counted, and when the day's spending cap ends the call |
//! | `spending_count` | counts it in the table |

mod cost;
mod spending;
mod spending_count;

use super::call_identity::CallIdentity;
use crate::agent_cache::LoadedAgent;
use cost::{Cost, tokens};
use journal::{CallSummary, JournalEvent};
use realtime::{Prices, Usage};
use service::time::now_ms;
use spending::SpendingTracker;
pub(crate) use spending_count::SpendingCount;
use std::sync::Arc;
use std::time::Instant;
use store::items::{number, to_item};
use store::keys;
use store::{CallOutcome, CallOwner, Store};
use tokio::sync::mpsc;

/// The accounts of one call.
pub(crate) struct Accounts {
    call: CallIdentity,
    agent: Arc<LoadedAgent>,
    /// The name of the Realtime model.
    model: String,
    store: Store,
    usage: Usage,
    spending: SpendingTracker,
    counts: (mpsc::Sender<SpendingCount>, mpsc::Receiver<SpendingCount>),
}

impl Accounts {
    pub(crate) fn new(call: CallIdentity, agent: Arc<LoadedAgent>, model: String, store: Store) -> Self {
        let spending = SpendingTracker::new(agent.file.caps.dollars_a_day);
        Self { call, agent, model, store, usage: Usage::default(), spending, counts: mpsc::channel(1) }
    }

    /// Adds usage of the model.
    pub(crate) fn add(&mut self, usage: Usage) {
        self.usage += usage;
    }

    /// Starts counting: the call is open.
    pub(crate) fn open(&mut self, now: Instant) {
        self.spending.open(now);
    }

    /// Returns when the cost is to be counted.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.spending.poll_timeout()
    }

    /// Counts the call's cost so far when that is due, and reads what its number has spent today. The result comes as an input of
    /// the loop.
    pub(crate) fn count_when_due(&mut self, now: Instant) {
        if self.spending.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let spent = self.cost().micro_dollars.unwrap_or_default();
        let Some(count) = self.spending.poll(spent, now) else {
            return;
        };
        let (store, by, counts) = (self.store.clone(), self.owner(), self.counts.0.clone());
        let (day, cap) = (self.agent.file.day(now_ms()), self.spending.cap());
        tokio::spawn(async move {
            let counted = spending_count::count(&store, &by, &day, count, cap).await;
            // The receiver may be gone: a count made after the call is over counts all the same.
            let _ = counts.send(counted).await;
        });
    }

    /// Returns the next result of a count. Cancel safe.
    pub(crate) async fn next(&mut self) -> SpendingCount {
        self.counts.1.recv().await.expect("we hold a sender ourselves")
    }

    /// Handles the result of a count, and returns the event of a cap that is near, if this call is the one to report it.
    pub(crate) fn handle_count(&mut self, counted: &SpendingCount) -> Option<JournalEvent> {
        self.spending.note_answer(counted.succeeded);
        counted.cap_near_event(self.spending.cap())
    }

    /// Whether the day's cap is reached, as a count shows.
    pub(crate) fn is_cap_reached(&self, counted: &SpendingCount) -> bool {
        counted.day.as_ref().is_some_and(|day| self.spending.is_reached(day.micro_dollars))
    }

    /// Waits for a count that is under way at the end of the call, and returns its event of a cap that is near.
    pub(crate) async fn last_cap_event(&mut self) -> Option<JournalEvent> {
        spending_count::last_cap_event(&self.spending, &mut self.counts.1).await
    }

    /// Completes the summary with what the call used and cost, and returns the event that says so.
    pub(crate) fn close(&self, summary: &mut CallSummary) -> JournalEvent {
        let cost = self.cost();
        self.warn_without_price(&cost);
        summary.over_at_ms = now_ms();
        summary.micro_dollars = cost.micro_dollars;
        summary.transcription_priced = cost.transcription_priced;
        summary.prices_of = Prices::built_in().date.clone();
        summary.tokens = tokens(&self.usage);
        summary.transcript_ms = self.usage.transcript_ms;
        usage_event(summary)
    }

    /// Returns the call's outcome, with its summary and its cost as part of what its number spent that day.
    pub(crate) fn outcome(&self, summary: &CallSummary) -> CallOutcome {
        let by = self.owner();
        let mut item = to_item(summary);
        item.insert(keys::TTL.to_owned(), number(by.forget_at));
        CallOutcome {
            by,
            day: self.agent.file.day(summary.over_at_ms),
            counted: self.spending.counted(),
            micro_dollars: summary.micro_dollars.unwrap_or_default(),
            summary: item,
            has_opened: summary.opened_at_ms.is_some(),
        }
    }

    fn owner(&self) -> CallOwner {
        self.call.owner(self.agent.file.keeping.days)
    }

    /// Returns what the call has cost so far.
    fn cost(&self) -> Cost {
        let transcription = self.agent.file.model.transcription.as_ref();
        let transcriber = transcription.map(|transcription| transcription.model.as_str());
        Cost::of(Prices::built_in(), &self.usage, &self.model, transcriber)
    }

    fn warn_without_price(&self, cost: &Cost) {
        let agent = &self.agent.file;
        if cost.micro_dollars.is_none() && agent.caps.dollars_a_day.is_some() {
            let (agent, model) = (&agent.name, &self.model);
            tracing::error!(
                agent,
                model,
                "a call to {agent} does not count towards its dollars_a_day: no price for {model}"
            );
        }
    }
}

/// Returns the usage event with the figures of the summary.
fn usage_event(summary: &CallSummary) -> JournalEvent {
    let tokens = summary.tokens;
    JournalEvent::Usage {
        agent: summary.agent.clone(),
        model: summary.model.clone(),
        text_in: tokens.text_in,
        text_cached: tokens.text_cached,
        text_out: tokens.text_out,
        audio_in: tokens.audio_in,
        audio_cached: tokens.audio_cached,
        audio_out: tokens.audio_out,
        transcript_in: tokens.transcript_in,
        transcript_out: tokens.transcript_out,
        transcript_ms: summary.transcript_ms,
        micro_dollars: summary.micro_dollars,
        transcription_priced: summary.transcription_priced,
        prices_of: summary.prices_of.clone(),
    }
}
