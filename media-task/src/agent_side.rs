//! The agent's side of a call, whatever carries the sound: model, tools, record, accounts, and the goodbye.
//!
//! Its parts each own one idea:
//!
//! | module | what it does |
//! |---|---|
//! | `call_identity` | the call, and this task's assignment of it |
//! | `services` | what the calls of a task share to reach others |
//! | `caller_side` | what the agent's side needs of the caller's |
//! | `business` | what the business gets to know of the call |
//! | `tool_uses` | the tool calls under way, their caps, and each one's execution beside the call |
//! | `record` | journal entries, transcript, audio levels and summary |
//! | `accounts` | token usage, cost, and the day's spending |
//! | `closing` | how far the call is on its way to its end |
//! | `transfer` | how far the transfer of the call is |
//! | `instruction` | what the agent file has the model say |
//!
//! What happens between them is methods of [`AgentSide`]:
//!
//! | module | what it does |
//! |---|---|
//! | `conversation` | the model's words and troubles, the caller's keys and silence |
//! | `tool_calls` | the model's tool calls, and those of hosted tools |
//! | `transferring` | the transfer that the agent asked for |
//! | `goodbye` | the agent's last words before the call is hung up |
//! | `looking_up` | what the business's lookup means for the call: who answers, and what the agent knows |
//! | `finishing` | writes transcript and summary, and reports the end to call-control |

mod accounts;
mod business;
mod call_identity;
mod caller_side;
mod closing;
mod conversation;
mod finishing;
mod goodbye;
mod instruction;
mod looking_up;
mod record;
mod services;
mod tool_calls;
mod tool_uses;
mod transfer;
mod transferring;

use crate::agent_cache::LoadedAgent;
use crate::call_agent::CallAgent;
use crate::caller_lookup::{CallerLookup, LookupInput};
use crate::model::{ModelPort, SocketInput};
use accounts::Accounts;
pub(crate) use accounts::SpendingCount;
use agents::AfterEvent;
use audio::TimeoutReason;
pub(crate) use call_identity::CallIdentity;
pub(crate) use caller_side::CallerSide;
use closing::Closing;
pub(crate) use closing::SessionEnd;
pub(crate) use conversation::Lacking;
use internal_api::client::CallControl;
use journal::EntryBuilder;
use record::CallRecord;
use service::time::now_ms;
pub(crate) use services::Services;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub(crate) use tool_uses::ToolUsed;
use tool_uses::ToolUses;
use transfer::Transfer;

/// Everything an [`AgentSide`] is built from.
pub(crate) struct AgentSideParts {
    /// The call, and this task's assignment of it.
    pub(crate) call: CallIdentity,
    /// The agent that answers, unless the business's lookup chooses another.
    pub(crate) agent: CallAgent,
    /// The business's lookup.
    pub(crate) lookup: CallerLookup,
    /// The connection to the model.
    pub(crate) model: ModelPort,
    /// Builds the call's journal entries.
    pub(crate) entries: EntryBuilder,
    /// What the calls of this task share.
    pub(crate) services: Services,
}

/// The agent's side of one call.
pub(crate) struct AgentSide {
    pub(crate) call: CallIdentity,
    pub(crate) loaded: Arc<LoadedAgent>,
    pub(crate) lookup: CallerLookup,
    pub(crate) model: ModelPort,
    /// Whether the lookup chose an agent with another model.
    pub(crate) has_other_model: bool,
    pub(crate) record: CallRecord,
    pub(crate) accounts: Accounts,
    pub(crate) closing: Closing,
    pub(crate) tools: ToolUses,
    transfer: Transfer,
    control: CallControl,
    agent: CallAgent,
    services: Services,
}

/// An input of the agent's side.
pub(crate) enum AgentInput {
    Model(SocketInput),
    Lookup(LookupInput),
    ToolEnded(ToolUsed),
    SpendingCounted(SpendingCount),
}

impl AgentSide {
    /// Builds the agent's side of a call that this task has taken, and asks the business who calls.
    pub(crate) fn new(parts: AgentSideParts) -> Self {
        let AgentSideParts { call, agent, mut lookup, model, entries, services } = parts;
        lookup.send();
        let (loaded, model_name) = (agent.loaded().clone(), agent.model_name());
        Self {
            record: CallRecord::new(&call, &loaded, &model_name, entries, services.journal.clone()),
            accounts: Accounts::new(call.clone(), loaded.clone(), model_name, services.store.clone()),
            closing: Closing::default(),
            control: services.control.clone(),
            tools: ToolUses::new(call.clone(), &loaded, services.clone()),
            transfer: Transfer::default(),
            call,
            loaded,
            lookup,
            model,
            has_other_model: false,
            agent,
            services,
        }
    }

    /// Waits for the next input. Cancel safe.
    pub(crate) async fn next(&mut self) -> AgentInput {
        tokio::select! {
            biased;
            used = self.tools.next() => AgentInput::ToolEnded(used),
            counted = self.accounts.next() => AgentInput::SpendingCounted(counted),
            input = self.lookup.next() => AgentInput::Lookup(input),
            input = self.model.next() => AgentInput::Model(input),
        }
    }

    /// Handles an input.
    pub(crate) fn handle(&mut self, input: AgentInput, caller: &mut impl CallerSide, now: Instant) {
        match input {
            AgentInput::Model(input) => self.model.handle(input, now),
            AgentInput::Lookup(input) => {
                self.lookup.handle(input, now);
                self.continue_lookup(caller, now);
            }
            AgentInput::ToolEnded(used) if self.is_transfer_watched(&used, now) => {}
            AgentInput::ToolEnded(used) => self.answer_tool(used, caller, now),
            AgentInput::SpendingCounted(counted) => self.handle_count(&counted, caller),
        }
    }

    /// Returns when a timer of the model, of the lookup, of the accounts or of a transfer is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let due = [
            self.model.poll_timeout(),
            self.lookup.poll_timeout(),
            self.accounts.poll_timeout(),
            self.transfer.poll_timeout(),
        ];
        due.into_iter().flatten().min()
    }

    /// Opens the line: the agent talks to the caller from now on.
    pub(crate) fn open(&mut self, version: u64, now: Instant) {
        self.model.open(now);
        self.accounts.open(now);
        self.record.open(version);
    }

    /// Notes whether the connection to the service that carries the sound is lost.
    pub(crate) fn note_sideband(&mut self, is_lost: bool) {
        self.transfer.note_sideband(is_lost);
    }

    /// Handles the result of a count: if the day's cap is reached, the call ends.
    fn handle_count(&mut self, counted: &SpendingCount, caller: &mut impl CallerSide) {
        if let Some(cap_near) = self.accounts.handle_count(counted) {
            self.record.note(cap_near);
            self.tools.business().tell(AfterEvent::NearCap, now_ms());
        }
        if self.accounts.is_cap_reached(counted) {
            caller.end_now(TimeoutReason::CapReached);
        }
    }
}

pub(crate) fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
