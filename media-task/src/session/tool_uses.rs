//! The tools that are in use in one call. Each runs beside the call; the owner hears of its end.

use super::action_budget::{ActionBudget, HourlyBudget};
use super::{CallSession, ms};
use crate::journal_writer::CallerRequest;
use internal_api::order::{Order, Reply};
use journal::JournalEvent;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{BudgetedAction, CallControl};
use tokio::sync::mpsc;
use tools::{AT_ONCE, CallContext, Refused, ToolError, ToolOutcome, ToolOutcomeKind, ToolUse};

/// Call-control waits for Meta this long at most.
const MESSAGE_TAKES: Duration = Duration::from_secs(20);

/// What the model is told that would hang up while the caller still waits for something.
const NOT_YET: &str = "Not yet: the call was not ended, since another tool is at work, or was used in the same turn. Tell the \
                       caller what comes of it. When all is said, say goodbye and use this tool again.";

/// What a tool answers that does not know the key we sign with.
const UNAUTHORIZED: u16 = 401;

/// So many letters of a message are quoted when it has failed.
const QUOTED: usize = 60;

/// The tool that sends messages.
const MESSAGES: &str = "send_whatsapp_message";

/// How long to wait before call-control is asked once more.
const ASK_AGAIN: Duration = Duration::from_millis(300);

/// What is in use.
pub(super) struct ToolUses {
    context: Arc<CallContext>,
    ended: (mpsc::Sender<ToolUsed>, mpsc::Receiver<ToolUsed>),
    count: usize,
    /// What may still be done.
    pub(super) budget: ActionBudget,
    /// The beginnings of the messages that were sent, by the model's ids of them, until they fail.
    sent: HashMap<String, String>,
    /// The beginnings of messages that failed while the call was about to end.
    undelivered: Vec<String>,
    /// Whether the caller is still to be asked for a number to be called back at.
    asks_for_number: bool,
    /// The tools of the response under way, but for `end_call`.
    in_response: usize,
    /// Wishes of the response under way to end the call.
    endings: Vec<AskedToEnd>,
}

/// A wish to end the call, which waits for the end of its response: another tool may be used beside it.
struct AskedToEnd {
    call_id: String,
    tool: String,
    began: Instant,
}

/// A tool that has answered.
pub(super) struct ToolUsed {
    call_id: String,
    tool: String,
    began: Instant,
    speaks: bool,
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

    /// Why a callback is not asked for yet: once in a call, of a caller whose number is not shown and who gave none.
    fn lacks_number(&mut self, asked: &ToolUse) -> Option<Refused> {
        let refused = asked.lacks_number().filter(|_| self.asks_for_number)?;
        self.asks_for_number = false;
        Some(refused)
    }

    /// The next tool that has answered. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> ToolUsed {
        self.ended.1.recv().await.expect("we hold a sender ourselves")
    }
}

impl CallSession {
    /// The agent wants to use a tool.
    pub(super) fn use_tool(&mut self, call_id: String, tool: String, arguments: &str, now: Instant) {
        self.summary.tools += 1;
        self.use_one_more(now);
        let read = self.parts.role.toolbox.read(&tool, arguments);
        let read = read.and_then(|asked| self.using.lacks_number(&asked).map_or(Ok(asked), Err));
        let read = read.and_then(|asked| self.using.budget.take(&asked).map(|()| asked));
        if !matches!(read, Ok(ToolUse::EndCall)) {
            self.using.in_response += 1;
        }
        match read {
            Err(refused) => {
                let tool = named(tool, &refused);
                self.answer_tool(
                    ToolUsed { call_id, tool, began: now, speaks: true, outcome: refused.into() },
                    now,
                );
            }
            Ok(ToolUse::EndCall) => self.using.endings.push(AskedToEnd { call_id, tool, began: now }),
            Ok(asked) => self.begin(asked, call_id, tool, now),
        }
    }

    /// A response is over. If it was to end the call, the call ends, unless the caller still waits for what a tool answers.
    pub(super) fn end_call_if_asked(&mut self, now: Instant) {
        let endings = std::mem::take(&mut self.using.endings);
        let is_beside = std::mem::take(&mut self.using.in_response) > 0;
        let (is_asked, is_too_early) = (!endings.is_empty(), is_beside || self.using.count > endings.len());
        for AskedToEnd { call_id, tool, began } in endings {
            let outcome =
                if is_too_early { not_yet() } else { told(&ToolUse::EndCall, ToolOutcomeKind::Done) };
            // The last words were said before; or the answer of the other tool is what is spoken of next.
            self.answer_tool(ToolUsed { call_id, tool, began, speaks: false, outcome }, now);
        }
        if is_asked && !is_too_early {
            self.hang_up_with_words(now);
        }
    }

    /// A tool has answered: the agent is told, and speaks about it.
    pub(super) fn answer_tool(&mut self, used: ToolUsed, now: Instant) {
        let ToolUsed { call_id, tool, began, speaks, outcome } = used;
        self.use_one_less(now);
        self.summary.tools_done += u64::from(outcome.kind == ToolOutcomeKind::Done);
        if let Some(trouble) = &outcome.trouble {
            tracing::warn!(call_ref = self.parts.call_ref, tool, "A tool did not do it: {trouble}");
            if *trouble == ToolError::Status(UNAUTHORIZED) {
                self.look_for_a_new_key();
            }
            self.note_budget(&tool, *trouble);
        }
        self.note(JournalEvent::Tool {
            tool,
            took_ms: ms(now - began),
            outcome: outcome.kind.as_str().to_owned(),
        });
        self.parts.agent.answer_tool(&call_id, &outcome.for_the_model, speaks, now);
    }

    /// The journal says by name that a budget is used up.
    fn note_budget(&mut self, tool: &str, trouble: ToolError) {
        let budgets = [(ToolError::CallBudget, "call"), (ToolError::HourBudget, "hour")];
        let Some((_, budget)) = budgets.into_iter().find(|(spent, _)| *spent == trouble) else { return };
        let action = if tool == MESSAGES { BudgetedAction::Message } else { BudgetedAction::Tool };
        self.note(JournalEvent::ActionRefused {
            action: action.name().to_owned(),
            budget: budget.to_owned(),
        });
    }

    /// A response begins: tools are beside those of the same one.
    pub(super) fn forget_tools_of_responses(&mut self) {
        self.using.in_response = 0;
    }

    /// A message that the agent sent has failed at Meta: the agent is told, once. In a call that is about to end, it is told
    /// only if the call goes on.
    pub(super) fn tell_of_failed(&mut self, id: &str, now: Instant) {
        self.using.undelivered.extend(self.using.sent.remove(id));
        if self.farewell.is_none() {
            self.tell_undelivered(now);
        }
    }

    /// Tells the agent which messages were not delivered.
    pub(super) fn tell_undelivered(&mut self, now: Instant) {
        for beginning in std::mem::take(&mut self.using.undelivered) {
            self.parts.agent.tell(&not_delivered(&beginning), now);
        }
    }

    /// A tool of a remote server is waited for.
    pub(super) fn use_hosted(&mut self, now: Instant) {
        self.using.in_response += 1;
        self.use_one_more(now);
    }

    /// One more tool is waited for.
    pub(super) fn use_one_more(&mut self, now: Instant) {
        self.using.count += 1;
        self.bridge.note_busy(true, now);
    }

    /// One of them has answered.
    pub(super) fn use_one_less(&mut self, now: Instant) {
        self.using.count = self.using.count.saturating_sub(1);
        if self.using.count == 0 {
            self.bridge.note_busy(false, now);
        }
    }

    /// A tool does not take our signature any more: its key may have been changed, and the next call should have it.
    fn look_for_a_new_key(&self) {
        let secret = self.parts.secret.clone();
        tokio::spawn(async move { secret.instead_of(&secret.value()).await });
    }

    /// Runs a tool beside the call. Should the call end meanwhile, what was begun is still done.
    fn begin(&mut self, asked: ToolUse, call_id: String, tool: String, began: Instant) {
        if matches!(asked, ToolUse::TakeMessage(_) | ToolUse::RequestCallback(_)) {
            self.summary.wants_an_answer = true;
        }
        if let ToolUse::SendMessage { text } = &asked {
            self.using.sent.insert(call_id.clone(), text.chars().take(QUOTED).collect());
        }
        let of_hour = self.using.budget.of_hour(&asked).map(|(action, most)| HourlyBudget {
            ledger: self.parts.ledger.clone(),
            number: self.parts.number.clone(),
            caller: self.parts.caller.clone(),
            action,
            most,
        });
        let hands = ToolExecutor {
            of_hour,
            context: self.using.context.clone(),
            control: self.parts.control.clone(),
            id: call_id.clone(),
            fence: self.parts.fence,
            token: self.parts.token.clone(),
            left: self.parts.diary.caller_request(
                &self.parts.call_ref,
                self.summary.tools,
                self.parts.role.agent.keeping.days,
            ),
        };
        let ended = self.using.ended.0.clone();
        tokio::spawn(async move {
            let outcome = apart(hands.run(asked)).await;
            // Nobody waits for it once the call is over.
            let _ = ended.send(ToolUsed { call_id, tool, began, speaks: true, outcome }).await;
        });
    }
}

/// What a tool is carried out with.
struct ToolExecutor {
    of_hour: Option<HourlyBudget>,
    context: Arc<CallContext>,
    control: CallControl,
    /// The model's id of this use.
    id: String,
    fence: u64,
    token: Option<String>,
    left: CallerRequest,
}

impl ToolExecutor {
    async fn run(self, asked: ToolUse) -> ToolOutcome {
        if let Some(of_hour) = &self.of_hour
            && let Err(refused) = of_hour.take().await
        {
            return refused;
        }
        let asked = match asked {
            ToolUse::Http(call) => return call.run(&self.context, &self.id).await,
            built_in => built_in,
        };
        let kind = match &asked {
            ToolUse::EndCall | ToolUse::Http(_) => ToolOutcomeKind::Done,
            ToolUse::SendMessage { text } => self.send(text.clone()).await,
            ToolUse::TakeMessage(message) => self.store("message", message).await,
            ToolUse::RequestCallback(callback) => self.store("callback", callback).await,
        };
        told(&asked, kind)
    }

    /// Whether the caller was sent it, could not be, or nobody knows.
    async fn send(&self, text: String) -> ToolOutcomeKind {
        let (call_ref, id) = (self.context.call_ref.clone(), self.id.clone());
        let (fence, token) = (self.fence, self.token.clone());
        let order = Order::SendMessage { call_ref, fence, token, id, text };
        match tokio::time::timeout(MESSAGE_TAKES, self.ask(&order)).await {
            Ok(Ok(reply)) => what_came_of(&reply),
            Ok(Err(error)) => {
                let call_ref = &self.context.call_ref;
                tracing::warn!(call_ref, "Call-control does not say whether a message was sent: {error:#}");
                ToolOutcomeKind::TimedOut
            }
            Err(_) => ToolOutcomeKind::TimedOut,
        }
    }

    /// Asks twice if need be: the same order sends nothing twice.
    async fn ask(&self, order: &Order) -> anyhow::Result<Reply> {
        match self.control.ask(order).await {
            Ok(reply) => Ok(reply),
            Err(_) => {
                tokio::time::sleep(ASK_AGAIN).await;
                self.control.ask(order).await
            }
        }
    }

    async fn store(&self, kind: &str, what: &impl serde::Serialize) -> ToolOutcomeKind {
        let Err(error) = self.left.store(kind, what).await else { return ToolOutcomeKind::Done };
        let call_ref = &self.context.call_ref;
        tracing::error!(call_ref, "What a caller left for people is lost: {error:#}");
        ToolOutcomeKind::Failed
    }
}

/// The text by which the agent learns that a message has failed.
fn not_delivered(beginning: &str) -> String {
    format!(
        "[The WhatsApp message that begins with \"{beginning}\" did not reach the caller after all. Tell them so, do not send it \
         again, and say the important part slowly instead.]"
    )
}

/// What a reply says of a message. Call-control says in the journal what was wrong.
fn what_came_of(reply: &Reply) -> ToolOutcomeKind {
    match reply {
        Reply::Sent => ToolOutcomeKind::Done,
        Reply::NotSent { in_doubt: true, .. } => ToolOutcomeKind::TimedOut,
        Reply::NotSent { in_doubt: false, .. } | Reply::Open { .. } | Reply::Wait | Reply::Over => {
            ToolOutcomeKind::Failed
        }
    }
}

/// What the agent is told of a built-in tool.
fn told(asked: &ToolUse, kind: ToolOutcomeKind) -> ToolOutcome {
    ToolOutcome { kind, trouble: None, for_the_model: asked.reply(kind).unwrap_or_default().to_owned() }
}

/// What the agent is told that would end the call too early.
fn not_yet() -> ToolOutcome {
    ToolOutcome { kind: ToolOutcomeKind::Refused, trouble: None, for_the_model: NOT_YET.to_owned() }
}

/// Runs a tool so that the agent is told even when we panic over it.
async fn apart(work: impl Future<Output = ToolOutcome> + Send + 'static) -> ToolOutcome {
    tokio::spawn(work).await.unwrap_or_else(|_| broken())
}

/// What the agent is told when we ourselves failed at a tool.
fn broken() -> ToolOutcome {
    let for_the_model = "This did not work, and it is not known whether it was done: do not simply do it again. Tell the \
                         caller so in plain words, and make up no answer.";
    ToolOutcome { kind: ToolOutcomeKind::Failed, trouble: None, for_the_model: for_the_model.to_owned() }
}

/// The tool as events and logs name it: a name that the model made up may hold anything.
fn named(tool: String, refused: &Refused) -> String {
    if refused.trouble == ToolError::NoSuchTool { "unknown".to_owned() } else { tool }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_sent_is_neither_done_nor_failed() {
        let not_sent = |in_doubt| Reply::NotSent { reason: "it broke".into(), in_doubt };

        assert_eq!(what_came_of(&Reply::Sent), ToolOutcomeKind::Done);
        assert_eq!(what_came_of(&not_sent(false)), ToolOutcomeKind::Failed);
        assert_eq!(what_came_of(&not_sent(true)), ToolOutcomeKind::TimedOut);
    }

    #[tokio::test]
    async fn the_agent_is_told_of_a_tool_that_panics() {
        let outcome = apart(async { panic!("planted") }).await;

        assert_eq!(outcome.kind, ToolOutcomeKind::Failed);
        assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    }

    #[test]
    fn a_tool_that_the_model_made_up_has_no_name() {
        let refused = |trouble| Refused { trouble, for_the_model: String::new() };

        assert_eq!(named("call_ada_lovelace".into(), &refused(ToolError::NoSuchTool)), "unknown");
        assert_eq!(named("take_message".into(), &refused(ToolError::Arguments)), "take_message");
    }
}
