//! Runs the agent's tool calls, each in a tokio task beside the call, and returns their outputs to the model.

use super::action_budget::{ActionBudget, HourlyBudget};
use super::call_identity::CallIdentity;
use super::services::Services;
use super::tool_executor::{ToolExecutor, built_in_outcome};
use super::{CallSession, ms};
use crate::agent_cache::LoadedAgent;
use crate::journal_writer::CallerRequest;
use journal::JournalEvent;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use store::BudgetedAction;
use tokio::sync::mpsc;
use tools::{AT_ONCE, CallContext, Refused, ToolError, ToolOutcome, ToolOutcomeKind, ToolUse};

/// The output of `end_call` while another tool is still at work.
const NOT_YET: &str = "Not yet: the call was not ended, since another tool is at work, or was used in the same turn. Tell the \
                       caller what comes of it. When all is said, say goodbye and use this tool again.";

/// The HTTP status of a tool that does not accept our signature.
const UNAUTHORIZED: u16 = 401;

/// How many characters of a failed message are quoted to the model.
const QUOTED: usize = 60;

/// The name of the tool that sends messages.
const MESSAGE_TOOL: &str = "send_whatsapp_message";

/// The tool calls of one call that are under way.
pub(super) struct ToolUses {
    call: CallIdentity,
    services: Services,
    context: Arc<CallContext>,
    ended: (mpsc::Sender<ToolUsed>, mpsc::Receiver<ToolUsed>),
    count: usize,
    /// What is left of the call's caps.
    budget: ActionBudget,
    /// The first words of each message that was sent, by the id of its tool call.
    sent: HashMap<String, String>,
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
struct EndCallRequest {
    call_id: String,
    tool: String,
    began: Instant,
}

/// The end of a tool call.
pub(super) struct ToolUsed {
    call_id: String,
    tool: String,
    began: Instant,
    wants_response: bool,
    outcome: ToolOutcome,
}

impl ToolUses {
    pub(super) fn new(call: CallIdentity, agent: &LoadedAgent, services: Services) -> Self {
        Self {
            context: Arc::new(CallContext::new(&call.call_ref, &call.number, &agent.file.name)),
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
    pub(super) async fn next(&mut self) -> ToolUsed {
        self.ended.1.recv().await.expect("we hold a sender ourselves")
    }

    /// Returns the use if it may be made: the call has a number to call back, and its caps allow the use.
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
    fn start(
        &mut self,
        tool_use: ToolUse,
        call_id: String,
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
            id: call_id.clone(),
            call: self.call.clone(),
            caller_note,
        };
        let ended = self.ended.0.clone();
        tokio::spawn(async move {
            let outcome = executor.run_isolated(tool_use).await;
            // The receiver is gone once the call is over.
            let _ = ended.send(ToolUsed { call_id, tool, began, wants_response: true, outcome }).await;
        });
    }

    /// Takes the `end_call`s of the response that ended, and returns whether they come too early: another tool is at work.
    fn take_endings(&mut self) -> (Vec<EndCallRequest>, bool) {
        let endings = std::mem::take(&mut self.endings);
        let is_beside = std::mem::take(&mut self.in_response) > 0;
        let is_too_early = is_beside || self.count > endings.len();
        (endings, is_too_early)
    }

    /// Notes that a response begins: only tools of the same response hold an `end_call` back.
    pub(super) fn reset_response(&mut self) {
        self.in_response = 0;
    }

    /// Counts a hosted tool, which the model's provider has already called.
    pub(super) fn count_hosted(&mut self) {
        self.budget.take_hosted();
        self.in_response += 1;
    }

    /// Fetches the secret again after a tool refused our signature: its key may have been rotated, and the next call needs it.
    fn refresh_secret(&self) {
        let secret = self.services.secret.clone();
        tokio::spawn(async move { secret.instead_of(&secret.value()).await });
    }
}

impl CallSession {
    /// Starts a tool call of the model, or refuses it.
    pub(super) fn use_tool(&mut self, call_id: String, tool: String, arguments: &str, now: Instant) {
        self.record.summary.tools += 1;
        self.note_tool_started(now);
        let tool_use = self.agent.toolbox.read(&tool, arguments);
        let tool_use = tool_use.and_then(|tool_use| self.tools.check(tool_use));
        if !matches!(tool_use, Ok(ToolUse::EndCall)) {
            self.tools.in_response += 1;
        }
        match tool_use {
            Err(refused) => {
                let tool = log_name(tool, &refused);
                self.answer_tool(
                    ToolUsed { call_id, tool, began: now, wants_response: true, outcome: refused.into() },
                    now,
                );
            }
            Ok(ToolUse::EndCall) => self.tools.endings.push(EndCallRequest { call_id, tool, began: now }),
            Ok(tool_use) => {
                if matches!(tool_use, ToolUse::TakeMessage(_) | ToolUse::RequestCallback(_)) {
                    self.record.summary.wants_an_answer = true;
                }
                self.tools.start(tool_use, call_id, tool, self.record.caller_request(), now);
            }
        }
    }

    /// Ends the call after a response that called `end_call`, unless another tool is still at work: the caller waits for its result.
    pub(super) fn end_call_if_asked(&mut self, now: Instant) {
        let (endings, is_too_early) = self.tools.take_endings();
        let is_asked = !endings.is_empty();
        for EndCallRequest { call_id, tool, began } in endings {
            let outcome = if is_too_early {
                too_early()
            } else {
                built_in_outcome(&ToolUse::EndCall, ToolOutcomeKind::Done)
            };
            // No further response: the goodbye was said before, or the other tool's output triggers the next one.
            self.answer_tool(ToolUsed { call_id, tool, began, wants_response: false, outcome }, now);
        }
        if is_asked && !is_too_early {
            self.hang_up_after_goodbye(now);
        }
    }

    /// Returns a tool's output to the model, and writes the use to the journal.
    pub(super) fn answer_tool(&mut self, used: ToolUsed, now: Instant) {
        let ToolUsed { call_id, tool, began, wants_response, outcome } = used;
        self.note_tool_ended(now);
        self.record.summary.tools_done += u64::from(outcome.kind == ToolOutcomeKind::Done);
        if let Some(trouble) = &outcome.trouble {
            tracing::warn!(call_ref = self.call.call_ref, tool, "tool call failed: {trouble}");
            if *trouble == ToolError::Status(UNAUTHORIZED) {
                self.tools.refresh_secret();
            }
            self.note_budget(&tool, *trouble);
        }
        self.record.note(JournalEvent::Tool {
            tool,
            took_ms: ms(now - began),
            outcome: outcome.kind.as_str().to_owned(),
        });
        self.model.answer_tool(&call_id, &outcome.for_the_model, wants_response, now);
    }

    /// Writes to the journal which budget refused a tool call, if one did.
    fn note_budget(&mut self, tool: &str, trouble: ToolError) {
        let budgets = [(ToolError::CallBudget, "call"), (ToolError::HourBudget, "hour")];
        let Some((_, budget)) = budgets.into_iter().find(|(spent, _)| *spent == trouble) else {
            return;
        };
        let action = if tool == MESSAGE_TOOL { BudgetedAction::Message } else { BudgetedAction::Tool };
        self.record.note(JournalEvent::ActionRefused {
            action: action.name().to_owned(),
            budget: budget.to_owned(),
        });
    }

    /// Tells the model, once, that a message it sent has failed at Meta; during the goodbye only if the call continues after all.
    pub(super) fn handle_failed_message(&mut self, id: &str, now: Instant) {
        self.tools.undelivered.extend(self.tools.sent.remove(id));
        if !self.closing.is_leaving() {
            self.report_undelivered(now);
        }
    }

    /// Tells the model which messages were not delivered.
    pub(super) fn report_undelivered(&mut self, now: Instant) {
        for excerpt in std::mem::take(&mut self.tools.undelivered) {
            self.model.send_text(&not_delivered(&excerpt), now);
        }
    }

    /// Notes that a tool is at work: silence meanwhile does not count towards the nudge.
    pub(super) fn note_tool_started(&mut self, now: Instant) {
        self.tools.count += 1;
        self.bridge.note_busy(true, now);
    }

    /// Notes that a tool has ended.
    pub(super) fn note_tool_ended(&mut self, now: Instant) {
        self.tools.count = self.tools.count.saturating_sub(1);
        if self.tools.count == 0 {
            self.bridge.note_busy(false, now);
        }
    }
}

/// Returns the text that tells the model which message failed.
fn not_delivered(excerpt: &str) -> String {
    format!(
        "[The WhatsApp message that begins with \"{excerpt}\" did not reach the caller after all. Tell them so, do not send it \
         again, and say the important part slowly instead.]"
    )
}

/// Returns the outcome of an `end_call` beside another tool.
fn too_early() -> ToolOutcome {
    ToolOutcome { kind: ToolOutcomeKind::Refused, trouble: None, for_the_model: NOT_YET.to_owned() }
}

/// Returns the tool's name for events and logs: a name that the model made up may hold what a caller said.
fn log_name(tool: String, refused: &Refused) -> String {
    if refused.trouble == ToolError::NoSuchTool { "unknown".to_owned() } else { tool }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_tool_is_logged_as_unknown() {
        let refused = |trouble| Refused { trouble, for_the_model: String::new() };

        assert_eq!(log_name("call_ada_lovelace".into(), &refused(ToolError::NoSuchTool)), "unknown");
        assert_eq!(log_name("take_message".into(), &refused(ToolError::Arguments)), "take_message");
    }
}
