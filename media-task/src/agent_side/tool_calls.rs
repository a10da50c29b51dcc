//! Handles the model's tool calls: runs or refuses each, and returns its output to the model.

use super::tool_uses::{EndCallRequest, ToolUsed, built_in_outcome};
use super::transfer::TransferRequest;
use super::{AgentSide, CallerSide, ms};
use agents::TRANSFER_CALL;
use journal::JournalEvent;
use realtime::{HostedOutcome, ToolCallId};
use std::time::{Duration, Instant};
use store::BudgetedAction;
use tools::{Refused, ToolError, ToolOutcome, ToolOutcomeKind, ToolUse};

/// The output of `end_call` while another tool is still at work.
const NOT_YET: &str = "Not yet: the call was not ended, since another tool is at work, or was used in the same turn. Tell the \
                       caller what comes of it. When all is said, say goodbye and use this tool again.";

/// The HTTP status of a tool that does not accept our signature.
const UNAUTHORIZED: u16 = 401;

/// The name of the tool that sends messages.
const MESSAGE_TOOL: &str = "send_whatsapp_message";

impl AgentSide {
    /// Starts a tool call of the model, or refuses it.
    pub(super) fn use_tool(
        &mut self,
        call_id: ToolCallId,
        tool: String,
        arguments: &str,
        caller: &mut impl CallerSide,
        now: Instant,
    ) {
        self.record.summary.tools += 1;
        self.note_tool_started(caller, now);
        let tool_use = self.tools.admit(self.loaded.toolbox.read(&tool, arguments));
        match tool_use {
            Err(refused) => {
                let tool = log_name(tool, &refused);
                self.answer_tool(
                    ToolUsed { call_id, tool, began: now, wants_response: true, outcome: refused.into() },
                    caller,
                    now,
                );
            }
            Ok(ToolUse::TransferCall) => {
                self.begin_transfer(TransferRequest { call_id, tool, began: now }, caller, now);
            }
            Ok(ToolUse::EndCall) => self.tools.hold_end_call(EndCallRequest { call_id, tool, began: now }),
            Ok(tool_use) => {
                if matches!(tool_use, ToolUse::TakeMessage(_) | ToolUse::RequestCallback(_)) {
                    self.record.summary.wants_an_answer = true;
                }
                self.tools.start(tool_use, call_id, tool, self.record.caller_request(), now);
            }
        }
    }

    /// Ends the call after a response that called `end_call`, unless another tool is still at work: the caller waits for its result.
    pub(super) fn end_call_if_asked(&mut self, caller: &mut impl CallerSide, now: Instant) {
        let (endings, is_too_early) = self.tools.take_endings();
        let is_asked = !endings.is_empty();
        for EndCallRequest { call_id, tool, began } in endings {
            let outcome = if is_too_early {
                too_early()
            } else {
                built_in_outcome(&ToolUse::EndCall, ToolOutcomeKind::Done)
            };
            // No further response: the goodbye was said before, or the other tool's output triggers the next one.
            self.answer_tool(ToolUsed { call_id, tool, began, wants_response: false, outcome }, caller, now);
        }
        if is_asked && !is_too_early {
            self.hang_up_after_goodbye(caller, now);
        }
    }

    /// Returns a tool's output to the model, and writes the use to the journal.
    pub(super) fn answer_tool(&mut self, used: ToolUsed, caller: &mut impl CallerSide, now: Instant) {
        let ToolUsed { call_id, tool, began, wants_response, outcome } = used;
        self.note_tool_ended(caller, now);
        self.record.summary.tools_done += u64::from(outcome.kind == ToolOutcomeKind::Done);
        if let Some(trouble) = &outcome.trouble {
            tracing::warn!(call_ref = %self.call.call_ref, tool, "tool call failed: {trouble}");
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
        let budgets =
            [(ToolError::CallBudget, "call"), (ToolError::HourBudget, "hour"), (ToolError::DayBudget, "day")];
        let Some((_, budget)) = budgets.into_iter().find(|(spent, _)| *spent == trouble) else {
            return;
        };
        let action = match tool {
            MESSAGE_TOOL => BudgetedAction::Message,
            TRANSFER_CALL => BudgetedAction::Transfer,
            _ => BudgetedAction::Tool,
        };
        self.record.note(JournalEvent::ActionRefused {
            action: action.name().to_owned(),
            budget: budget.to_owned(),
        });
    }

    /// Tells the model, once, that a message it sent has failed at Meta; during the goodbye only if the call continues after all.
    pub(crate) fn handle_failed_message(&mut self, id: &str, now: Instant) {
        self.tools.note_undelivered(id);
        if !self.closing.is_leaving() {
            self.report_undelivered(now);
        }
    }

    /// Tells the model which messages were not delivered.
    pub(super) fn report_undelivered(&mut self, now: Instant) {
        for excerpt in self.tools.take_undelivered() {
            self.model.send_text(&not_delivered(&excerpt), now);
        }
    }

    /// Notes that the provider calls an MCP tool: the caller's silence meanwhile does not count towards the nudge.
    pub(super) fn handle_hosted_called(&mut self, caller: &mut impl CallerSide, now: Instant) {
        self.record.summary.tools += 1;
        self.tools.count_hosted();
        self.note_tool_started(caller, now);
    }

    /// Notes that an MCP tool has answered, or that it will not.
    pub(super) fn handle_hosted_ended(
        &mut self,
        tool: String,
        took: Duration,
        outcome: HostedOutcome,
        caller: &mut impl CallerSide,
        now: Instant,
    ) {
        self.note_tool_ended(caller, now);
        self.record.summary.tools_done += u64::from(outcome == HostedOutcome::Done);
        self.record.note(JournalEvent::Tool {
            tool,
            took_ms: ms(took),
            outcome: outcome.as_str().to_owned(),
        });
    }

    /// Notes that a tool is at work: silence meanwhile does not count towards the nudge.
    fn note_tool_started(&mut self, caller: &mut impl CallerSide, now: Instant) {
        self.tools.note_started();
        caller.note_busy(true, now);
    }

    /// Notes that a tool has ended.
    fn note_tool_ended(&mut self, caller: &mut impl CallerSide, now: Instant) {
        if self.tools.note_ended() {
            caller.note_busy(false, now);
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
