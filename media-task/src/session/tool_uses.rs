//! Runs the agent's tool calls, each in a tokio task beside the call, and returns their outputs to the model.

use super::action_budget::{ActionBudget, HourlyBudget};
use super::{CallSession, ms};
use crate::journal_writer::CallerRequest;
use internal_api::client::CallControl;
use internal_api::order::{Order, Reply};
use journal::JournalEvent;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::BudgetedAction;
use tokio::sync::mpsc;
use tools::{AT_ONCE, CallContext, Refused, ToolError, ToolOutcome, ToolOutcomeKind, ToolUse};

/// How long call-control may take to send a message: as long as it waits for Meta at most.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(20);

/// The output of `end_call` while another tool is still at work.
const NOT_YET: &str = "Not yet: the call was not ended, since another tool is at work, or was used in the same turn. Tell the \
                       caller what comes of it. When all is said, say goodbye and use this tool again.";

/// The HTTP status of a tool that does not accept our signature.
const UNAUTHORIZED: u16 = 401;

/// How many characters of a failed message are quoted to the model.
const QUOTED: usize = 60;

/// The name of the tool that sends messages.
const MESSAGE_TOOL: &str = "send_whatsapp_message";

/// How long after a failed request call-control is asked once more.
const RETRY_AFTER: Duration = Duration::from_millis(300);

/// The tool calls of one call that are under way.
pub(super) struct ToolUses {
    context: Arc<CallContext>,
    ended: (mpsc::Sender<ToolUsed>, mpsc::Receiver<ToolUsed>),
    count: usize,
    /// What is left of the call's caps.
    pub(super) budget: ActionBudget,
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
    pub(super) fn new(context: CallContext, hides_number: bool, caps: agents::Caps) -> Self {
        Self {
            context: Arc::new(context),
            ended: mpsc::channel(AT_ONCE),
            count: 0,
            budget: ActionBudget::new(caps),
            sent: HashMap::new(),
            undelivered: vec![],
            asks_for_number: hides_number,
            in_response: 0,
            endings: vec![],
        }
    }

    /// Returns why a callback is refused, once a call: Meta hides the caller's number, and the caller has given none.
    fn lacks_number(&mut self, tool_use: &ToolUse) -> Option<Refused> {
        let refused = tool_use.lacks_number().filter(|_| self.asks_for_number)?;
        self.asks_for_number = false;
        Some(refused)
    }

    /// Returns the next tool call that has ended. Cancel safe.
    pub(super) async fn next(&mut self) -> ToolUsed {
        self.ended.1.recv().await.expect("we hold a sender ourselves")
    }
}

impl CallSession {
    /// Starts a tool call of the model, or refuses it.
    pub(super) fn use_tool(&mut self, call_id: String, tool: String, arguments: &str, now: Instant) {
        self.summary.tools += 1;
        self.note_tool_started(now);
        let tool_use = self.parts.agent.toolbox.read(&tool, arguments);
        let tool_use =
            tool_use.and_then(|tool_use| self.tools.lacks_number(&tool_use).map_or(Ok(tool_use), Err));
        let tool_use = tool_use.and_then(|tool_use| self.tools.budget.take(&tool_use).map(|()| tool_use));
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
            Ok(tool_use) => self.start(tool_use, call_id, tool, now),
        }
    }

    /// Ends the call after a response that called `end_call`, unless another tool is still at work: the caller waits for its result.
    pub(super) fn end_call_if_asked(&mut self, now: Instant) {
        let endings = std::mem::take(&mut self.tools.endings);
        let is_beside = std::mem::take(&mut self.tools.in_response) > 0;
        let (is_asked, is_too_early) = (!endings.is_empty(), is_beside || self.tools.count > endings.len());
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
        self.summary.tools_done += u64::from(outcome.kind == ToolOutcomeKind::Done);
        if let Some(trouble) = &outcome.trouble {
            tracing::warn!(call_ref = self.parts.call_ref, tool, "tool call failed: {trouble}");
            if *trouble == ToolError::Status(UNAUTHORIZED) {
                self.refresh_secret();
            }
            self.note_budget(&tool, *trouble);
        }
        self.note(JournalEvent::Tool {
            tool,
            took_ms: ms(now - began),
            outcome: outcome.kind.as_str().to_owned(),
        });
        self.parts.model.answer_tool(&call_id, &outcome.for_the_model, wants_response, now);
    }

    /// Writes to the journal which budget refused a tool call, if one did.
    fn note_budget(&mut self, tool: &str, trouble: ToolError) {
        let budgets = [(ToolError::CallBudget, "call"), (ToolError::HourBudget, "hour")];
        let Some((_, budget)) = budgets.into_iter().find(|(spent, _)| *spent == trouble) else { return };
        let action = if tool == MESSAGE_TOOL { BudgetedAction::Message } else { BudgetedAction::Tool };
        self.note(JournalEvent::ActionRefused {
            action: action.name().to_owned(),
            budget: budget.to_owned(),
        });
    }

    /// Notes that a response begins: only tools of the same response hold an `end_call` back.
    pub(super) fn reset_response_tools(&mut self) {
        self.tools.in_response = 0;
    }

    /// Tells the model, once, that a message it sent has failed at Meta; during the goodbye only if the call continues after all.
    pub(super) fn handle_failed_message(&mut self, id: &str, now: Instant) {
        self.tools.undelivered.extend(self.tools.sent.remove(id));
        if self.farewell.is_none() {
            self.report_undelivered(now);
        }
    }

    /// Tells the model which messages were not delivered.
    pub(super) fn report_undelivered(&mut self, now: Instant) {
        for excerpt in std::mem::take(&mut self.tools.undelivered) {
            self.parts.model.send_text(&not_delivered(&excerpt), now);
        }
    }

    /// Notes that an MCP tool was called.
    pub(super) fn note_hosted_started(&mut self, now: Instant) {
        self.tools.in_response += 1;
        self.note_tool_started(now);
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

    /// Fetches the secret again after a tool refused our signature: its key may have been rotated, and the next call needs it.
    fn refresh_secret(&self) {
        let secret = self.parts.secret.clone();
        tokio::spawn(async move { secret.instead_of(&secret.value()).await });
    }

    /// Runs a tool in a task of its own. It runs to its end even if the call ends first.
    fn start(&mut self, tool_use: ToolUse, call_id: String, tool: String, began: Instant) {
        if matches!(tool_use, ToolUse::TakeMessage(_) | ToolUse::RequestCallback(_)) {
            self.summary.wants_an_answer = true;
        }
        if let ToolUse::SendMessage { text } = &tool_use {
            self.tools.sent.insert(call_id.clone(), text.chars().take(QUOTED).collect());
        }
        let hourly = self.tools.budget.hourly(&tool_use).map(|(action, most)| HourlyBudget {
            store: self.parts.store.clone(),
            number: self.parts.number.clone(),
            caller: self.parts.caller.clone(),
            action,
            most,
        });
        let executor = ToolExecutor {
            hourly,
            context: self.tools.context.clone(),
            control: self.parts.control.clone(),
            id: call_id.clone(),
            fence: self.parts.fence,
            token: self.parts.token.clone(),
            caller_note: self.parts.journal.caller_request(
                &self.parts.call_ref,
                self.summary.tools,
                self.parts.agent.file.keeping.days,
            ),
        };
        let ended = self.tools.ended.0.clone();
        tokio::spawn(async move {
            let outcome = run_isolated(executor.run(tool_use)).await;
            // The receiver is gone once the call is over.
            let _ = ended.send(ToolUsed { call_id, tool, began, wants_response: true, outcome }).await;
        });
    }
}

/// Executes one tool call.
struct ToolExecutor {
    hourly: Option<HourlyBudget>,
    context: Arc<CallContext>,
    control: CallControl,
    /// The model's id of the tool call.
    id: String,
    fence: u64,
    token: Option<String>,
    caller_note: CallerRequest,
}

impl ToolExecutor {
    async fn run(self, tool_use: ToolUse) -> ToolOutcome {
        if let Some(hourly) = &self.hourly
            && let Err(refused) = hourly.take().await
        {
            return refused;
        }
        let tool_use = match tool_use {
            ToolUse::Http(call) => return call.run(&self.context, &self.id).await,
            built_in => built_in,
        };
        let kind = match &tool_use {
            ToolUse::EndCall | ToolUse::Http(_) => ToolOutcomeKind::Done,
            ToolUse::SendMessage { text } => self.send(text.clone()).await,
            ToolUse::TakeMessage(message) => self.store("message", message).await,
            ToolUse::RequestCallback(callback) => self.store("callback", callback).await,
        };
        built_in_outcome(&tool_use, kind)
    }

    /// Sends a WhatsApp message; [`ToolOutcomeKind::TimedOut`] if it is unknown whether it was sent.
    async fn send(&self, text: String) -> ToolOutcomeKind {
        let (call_ref, id) = (self.context.call_ref.clone(), self.id.clone());
        let (fence, token) = (self.fence, self.token.clone());
        let order = Order::SendMessage { call_ref, fence, token, id, text };
        match tokio::time::timeout(MESSAGE_TIMEOUT, self.ask(&order)).await {
            Ok(Ok(reply)) => message_outcome(&reply),
            Ok(Err(error)) => {
                let call_ref = &self.context.call_ref;
                tracing::warn!(call_ref, "message in doubt: call-control did not reply: {error:#}");
                ToolOutcomeKind::TimedOut
            }
            Err(_) => ToolOutcomeKind::TimedOut,
        }
    }

    /// Asks call-control, a second time if the first fails: the order is idempotent by its id.
    async fn ask(&self, order: &Order) -> anyhow::Result<Reply> {
        match self.control.ask(order).await {
            Ok(reply) => Ok(reply),
            Err(_) => {
                tokio::time::sleep(RETRY_AFTER).await;
                self.control.ask(order).await
            }
        }
    }

    async fn store(&self, kind: &str, what: &impl serde::Serialize) -> ToolOutcomeKind {
        let Err(error) = self.caller_note.store(kind, what).await else { return ToolOutcomeKind::Done };
        let call_ref = &self.context.call_ref;
        tracing::error!(call_ref, kind, "PutItem failed: what the caller left is lost: {error:#}");
        ToolOutcomeKind::Failed
    }
}

/// Returns the text that tells the model which message failed.
fn not_delivered(excerpt: &str) -> String {
    format!(
        "[The WhatsApp message that begins with \"{excerpt}\" did not reach the caller after all. Tell them so, do not send it \
         again, and say the important part slowly instead.]"
    )
}

/// Returns the outcome of a message by call-control's reply. The cause of a failure is in call-control's journal entry.
fn message_outcome(reply: &Reply) -> ToolOutcomeKind {
    match reply {
        Reply::Sent => ToolOutcomeKind::Done,
        Reply::NotSent { in_doubt: true, .. } => ToolOutcomeKind::TimedOut,
        Reply::NotSent { in_doubt: false, .. } | Reply::Open { .. } | Reply::Wait | Reply::Over => {
            ToolOutcomeKind::Failed
        }
    }
}

/// Returns the outcome of a built-in tool, with the output for the model.
fn built_in_outcome(tool_use: &ToolUse, kind: ToolOutcomeKind) -> ToolOutcome {
    ToolOutcome { kind, trouble: None, for_the_model: tool_use.reply(kind).unwrap_or_default().to_owned() }
}

/// Returns the outcome of an `end_call` beside another tool.
fn too_early() -> ToolOutcome {
    ToolOutcome { kind: ToolOutcomeKind::Refused, trouble: None, for_the_model: NOT_YET.to_owned() }
}

/// Runs a tool in a task of its own, so that the model gets an output even if the tool panics.
async fn run_isolated(work: impl Future<Output = ToolOutcome> + Send + 'static) -> ToolOutcome {
    tokio::spawn(work).await.unwrap_or_else(|_| unknown_outcome())
}

/// Returns the outcome of a tool that panicked: it may have been done.
fn unknown_outcome() -> ToolOutcome {
    let for_the_model = "This did not work, and it is not known whether it was done: do not simply do it again. Tell the \
                         caller so in plain words, and make up no answer.";
    ToolOutcome { kind: ToolOutcomeKind::Failed, trouble: None, for_the_model: for_the_model.to_owned() }
}

/// Returns the tool's name for events and logs: a name that the model made up may hold what a caller said.
fn log_name(tool: String, refused: &Refused) -> String {
    if refused.trouble == ToolError::NoSuchTool { "unknown".to_owned() } else { tool }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_doubt_is_neither_done_nor_failed() {
        let not_sent = |in_doubt| Reply::NotSent { reason: "it broke".into(), in_doubt };

        assert_eq!(message_outcome(&Reply::Sent), ToolOutcomeKind::Done);
        assert_eq!(message_outcome(&not_sent(false)), ToolOutcomeKind::Failed);
        assert_eq!(message_outcome(&not_sent(true)), ToolOutcomeKind::TimedOut);
    }

    #[tokio::test]
    async fn the_model_gets_an_output_when_a_tool_panics() {
        let outcome = run_isolated(async { panic!("planted") }).await;

        assert_eq!(outcome.kind, ToolOutcomeKind::Failed);
        assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    }

    #[test]
    fn an_invented_tool_is_logged_as_unknown() {
        let refused = |trouble| Refused { trouble, for_the_model: String::new() };

        assert_eq!(log_name("call_ada_lovelace".into(), &refused(ToolError::NoSuchTool)), "unknown");
        assert_eq!(log_name("take_message".into(), &refused(ToolError::Arguments)), "take_message");
    }
}
