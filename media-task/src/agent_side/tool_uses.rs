//! Keeps track of the agent's tool calls, each of which runs in a tokio task beside the call.

mod action_budget;
mod tool_executor;

use super::business::Business;
use super::call_identity::CallIdentity;
use super::services::Services;
use crate::agent_cache::LoadedAgent;
use crate::journal_writer::CallerRequest;
use action_budget::{ActionBudget, HourlyBudget};
use realtime::ToolCallId;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use tool_executor::ToolExecutor;
pub(crate) use tool_executor::built_in_outcome;
use tools::{AT_ONCE, CallContext, Refused, ToolOutcome, ToolUse};

/// How many characters of a failed message are quoted to the model.
const QUOTED: usize = 60;

/// The tool calls of one call that are under way.
pub(crate) struct ToolUses {
    call: CallIdentity,
    services: Services,
    context: Arc<CallContext>,
    business: Business,
    ended: (mpsc::Sender<ToolUsed>, mpsc::Receiver<ToolUsed>),
    count: usize,
    /// What is left of the call's caps.
    budget: ActionBudget,
    /// The first words of each message that was sent, by the id of its tool call.
    sent: HashMap<ToolCallId, String>,
    /// The first words of messages that failed during the goodbye.
    undelivered: Vec<String>,
    /// Whether the first callback without a number is still to be refused, so that the agent asks for one.
    asks_for_number: bool,
    /// How many tools the current response has called, without `end_call`.
    in_response: usize,
    /// The `end_call`s of the current response.
    endings: Vec<EndCallRequest>,
}

/// A call of `end_call`, held back until its response ends: the response may call another tool as well.
pub(crate) struct EndCallRequest {
    pub(crate) call_id: ToolCallId,
    pub(crate) tool: String,
    pub(crate) began: Instant,
}

/// The end of a tool call.
pub(crate) struct ToolUsed {
    pub(crate) call_id: ToolCallId,
    pub(crate) tool: String,
    pub(crate) began: Instant,
    pub(crate) wants_response: bool,
    pub(crate) outcome: ToolOutcome,
}

impl ToolUses {
    pub(crate) fn new(call: CallIdentity, agent: &LoadedAgent, services: Services) -> Self {
        Self {
            business: Business::new(call.clone(), agent, services.clone()),
            context: Arc::new(context(&call, &agent.file.name)),
            asks_for_number: call.hides_number,
            call,
            services,
            ended: mpsc::channel(AT_ONCE),
            count: 0,
            budget: ActionBudget::new(agent.file.caps),
            sent: HashMap::new(),
            undelivered: vec![],
            in_response: 0,
            endings: vec![],
        }
    }

    /// Returns the next tool call that has ended. Cancel safe.
    pub(crate) async fn next(&mut self) -> ToolUsed {
        self.ended.1.recv().await.expect("we hold a sender ourselves")
    }

    /// Counts a tool call in the current response, and returns it if it may run: the caller has given a number to call back, and the
    /// call's caps allow it.
    pub(crate) fn admit(&mut self, tool_use: Result<ToolUse, Refused>) -> Result<ToolUse, Refused> {
        let admitted = tool_use.and_then(|tool_use| self.check(tool_use));
        if !matches!(admitted, Ok(ToolUse::EndCall)) {
            self.in_response += 1;
        }
        admitted
    }

    fn check(&mut self, tool_use: ToolUse) -> Result<ToolUse, Refused> {
        if let Some(refused) = self.lacks_number(&tool_use) {
            return Err(refused);
        }
        self.budget.take(&tool_use)?;
        Ok(tool_use)
    }

    /// Returns why a callback is refused, once a call: Meta hides the caller's number, and the caller has given none.
    fn lacks_number(&mut self, tool_use: &ToolUse) -> Option<Refused> {
        let refused = tool_use.lacks_number().filter(|_| self.asks_for_number)?;
        self.asks_for_number = false;
        Some(refused)
    }

    /// Runs a tool in a task of its own. It runs to its end even if the call ends first.
    pub(crate) fn start(
        &mut self,
        tool_use: ToolUse,
        call_id: ToolCallId,
        tool: String,
        caller_note: CallerRequest,
        began: Instant,
    ) {
        if let ToolUse::SendMessage { text } = &tool_use {
            self.sent.insert(call_id.clone(), text.chars().take(QUOTED).collect());
        }
        let hourly = self.budget.hourly(&tool_use).map(|(action, most)| HourlyBudget {
            store: self.services.store.clone(),
            number: self.call.number.clone(),
            caller: self.call.caller.clone(),
            action,
            most,
        });
        let executor = ToolExecutor {
            hourly,
            context: self.context.clone(),
            control: self.services.control.clone(),
            id: call_id.to_string(),
            call: self.call.clone(),
            caller_note,
            business: self.business.clone(),
        };
        let ended = self.ended.0.clone();
        tokio::spawn(async move {
            let outcome = executor.run_isolated(tool_use).await;
            // The receiver is gone once the call is over.
            let _ = ended.send(ToolUsed { call_id, tool, began, wants_response: true, outcome }).await;
        });
    }

    /// Returns what the business wants to know of the call.
    pub(crate) fn business(&self) -> &Business {
        &self.business
    }

    /// Holds an `end_call` back until its response ends.
    pub(crate) fn hold_end_call(&mut self, request: EndCallRequest) {
        self.endings.push(request);
    }

    /// Takes the `end_call`s of the response that ended, and returns whether they come too early: another tool is at work.
    pub(crate) fn take_endings(&mut self) -> (Vec<EndCallRequest>, bool) {
        let endings = std::mem::take(&mut self.endings);
        let is_beside = std::mem::take(&mut self.in_response) > 0;
        let is_too_early = is_beside || self.count > endings.len();
        (endings, is_too_early)
    }

    /// Notes that a tool is at work.
    pub(crate) fn note_started(&mut self) {
        self.count += 1;
    }

    /// Notes that a tool has ended, and returns whether it was the last one at work.
    pub(crate) fn note_ended(&mut self) -> bool {
        self.count = self.count.saturating_sub(1);
        self.count == 0
    }

    /// Notes that the message sent under this id has failed, once.
    pub(crate) fn note_undelivered(&mut self, id: &str) {
        self.undelivered.extend(self.sent.remove(&ToolCallId::from(id)));
    }

    /// Takes the first words of the messages that were not delivered.
    pub(crate) fn take_undelivered(&mut self) -> Vec<String> {
        std::mem::take(&mut self.undelivered)
    }

    /// Notes that a response begins: only tools of the same response hold an `end_call` back.
    pub(crate) fn reset_response(&mut self) {
        self.in_response = 0;
    }

    /// Counts a hosted tool, which the model's provider has already called.
    pub(crate) fn count_hosted(&mut self) {
        self.budget.take_hosted();
        self.in_response += 1;
    }

    /// Fetches the secret again after a tool refused our signature: its key may have been rotated, and the next call needs it.
    pub(crate) fn refresh_secret(&self) {
        let secret = self.services.secret.clone();
        tokio::spawn(async move { secret.instead_of(&secret.value()).await });
    }
}

/// Returns the call as its tools see it.
fn context(call: &CallIdentity, agent: &str) -> CallContext {
    let context = CallContext::new(call.call_ref.clone(), call.number.clone(), agent);
    match &call.details {
        Some(details) => context.with_caller(call.line, details.clone()),
        None => context,
    }
}
