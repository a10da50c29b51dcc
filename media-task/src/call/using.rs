//! The tools that are in use in one call. Each runs beside the call; the owner hears of its end.

use super::{Owner, ms};
use crate::diary::Left;
use journal::Event;
use ledger::CallControl;
use protocol::order::{Order, Reply};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tools::{AT_ONCE, CallContext, Kind, Outcome, Refused, Trouble, Use};

/// Call-control waits for Meta this long at most.
const MESSAGE_TAKES: Duration = Duration::from_secs(20);

/// What a tool answers that does not know the key we sign with.
const UNAUTHORIZED: u16 = 401;

/// How long to wait before call-control is asked once more.
const ASK_AGAIN: Duration = Duration::from_millis(300);

/// What is in use.
pub(super) struct Using {
    context: Arc<CallContext>,
    ended: (mpsc::Sender<Used>, mpsc::Receiver<Used>),
    count: usize,
}

/// A tool that has answered.
pub(super) struct Used {
    call_id: String,
    tool: String,
    began: Instant,
    speaks: bool,
    outcome: Outcome,
}

impl Using {
    pub(super) fn new(context: CallContext) -> Self {
        Self { context: Arc::new(context), ended: mpsc::channel(AT_ONCE), count: 0 }
    }

    /// The next tool that has answered. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Used {
        self.ended.1.recv().await.expect("we hold a sender ourselves")
    }
}

impl Owner {
    /// The agent wants to use a tool.
    pub(super) fn use_tool(&mut self, call_id: String, tool: String, arguments: &str, now: Instant) {
        self.summary.tools += 1;
        self.use_one_more(now);
        match self.parts.role.toolbox.read(&tool, arguments) {
            Err(refused) => {
                let tool = named(tool, &refused);
                self.answer_tool(
                    Used { call_id, tool, began: now, speaks: true, outcome: refused.into() },
                    now,
                );
            }
            // There is nothing more to say: the last words were said before.
            Ok(asked @ Use::EndCall) => {
                let outcome = told(&asked, Kind::Done);
                self.answer_tool(Used { call_id, tool, began: now, speaks: false, outcome }, now);
                self.hang_up_after_this(now);
            }
            Ok(asked) => self.begin(asked, call_id, tool, now),
        }
    }

    /// A tool has answered: the agent is told, and speaks about it.
    pub(super) fn answer_tool(&mut self, used: Used, now: Instant) {
        let Used { call_id, tool, began, speaks, outcome } = used;
        self.use_one_less(now);
        self.summary.tools_done += u64::from(outcome.kind == Kind::Done);
        if let Some(trouble) = &outcome.trouble {
            tracing::warn!(call_ref = self.parts.call_ref, tool, "A tool did not do it: {trouble}");
            if *trouble == Trouble::Status(UNAUTHORIZED) {
                self.look_for_a_new_key();
            }
        }
        self.note(Event::Tool { tool, took_ms: ms(now - began), outcome: outcome.kind.as_str().to_owned() });
        self.parts.agent.answer_tool(&call_id, &outcome.for_the_model, speaks, now);
    }

    /// One more tool is waited for.
    pub(super) fn use_one_more(&mut self, now: Instant) {
        self.using.count += 1;
        self.bridge.note_busy(true, now);
    }

    /// One of them has answered.
    pub(super) fn use_one_less(&mut self, now: Instant) {
        self.using.count -= 1;
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
    fn begin(&mut self, asked: Use, call_id: String, tool: String, began: Instant) {
        if matches!(asked, Use::TakeMessage(_) | Use::RequestCallback(_)) {
            self.summary.wants_an_answer = true;
        }
        let hands = Hands {
            context: self.using.context.clone(),
            control: self.parts.control.clone(),
            id: call_id.clone(),
            fence: self.parts.fence,
            left: self.parts.diary.left_by(
                &self.parts.call_ref,
                self.summary.tools,
                self.parts.role.agent.keeping.days,
            ),
        };
        let ended = self.using.ended.0.clone();
        tokio::spawn(async move {
            let outcome = apart(hands.run(asked)).await;
            // Nobody waits for it once the call is over.
            let _ = ended.send(Used { call_id, tool, began, speaks: true, outcome }).await;
        });
    }
}

/// What a tool is carried out with.
struct Hands {
    context: Arc<CallContext>,
    control: CallControl,
    /// The model's id of this use.
    id: String,
    fence: u64,
    left: Left,
}

impl Hands {
    async fn run(self, asked: Use) -> Outcome {
        let asked = match asked {
            Use::Http(call) => return call.run(&self.context, &self.id).await,
            built_in => built_in,
        };
        let kind = match &asked {
            Use::EndCall | Use::Http(_) => Kind::Done,
            Use::SendMessage { text } => self.send(text.clone()).await,
            Use::TakeMessage(message) => self.store("message", message).await,
            Use::RequestCallback(callback) => self.store("callback", callback).await,
        };
        told(&asked, kind)
    }

    /// Whether the caller was sent it, could not be, or nobody knows.
    async fn send(&self, text: String) -> Kind {
        let (call_ref, id) = (self.context.call_ref.clone(), self.id.clone());
        let order = Order::SendMessage { call_ref, fence: self.fence, id, text };
        match tokio::time::timeout(MESSAGE_TAKES, self.ask(&order)).await {
            Ok(Ok(reply)) => what_came_of(&reply),
            Ok(Err(error)) => {
                let call_ref = &self.context.call_ref;
                tracing::warn!(call_ref, "Call-control does not say whether a message was sent: {error:#}");
                Kind::TimedOut
            }
            Err(_) => Kind::TimedOut,
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

    async fn store(&self, kind: &str, what: &impl serde::Serialize) -> Kind {
        let Err(error) = self.left.store(kind, what).await else { return Kind::Done };
        let call_ref = &self.context.call_ref;
        tracing::error!(call_ref, "What a caller left for people is lost: {error:#}");
        Kind::Failed
    }
}

/// What a reply says of a message. Call-control says in the journal what was wrong.
fn what_came_of(reply: &Reply) -> Kind {
    match reply {
        Reply::Sent => Kind::Done,
        Reply::NotSent { in_doubt: true, .. } => Kind::TimedOut,
        Reply::NotSent { in_doubt: false, .. } | Reply::Open { .. } | Reply::Wait | Reply::Over => {
            Kind::Failed
        }
    }
}

/// What the agent is told of a built-in tool.
fn told(asked: &Use, kind: Kind) -> Outcome {
    Outcome { kind, trouble: None, for_the_model: asked.reply(kind).unwrap_or_default().to_owned() }
}

/// Runs a tool so that the agent is told even when we panic over it.
async fn apart(work: impl Future<Output = Outcome> + Send + 'static) -> Outcome {
    tokio::spawn(work).await.unwrap_or_else(|_| broken())
}

/// What the agent is told when we ourselves failed at a tool.
fn broken() -> Outcome {
    let for_the_model = "This did not work, and it is not known whether it was done: do not simply do it again. Tell the \
                         caller so in plain words, and make up no answer.";
    Outcome { kind: Kind::Failed, trouble: None, for_the_model: for_the_model.to_owned() }
}

/// The tool as events and logs name it: a name that the model made up may hold anything.
fn named(tool: String, refused: &Refused) -> String {
    if refused.trouble == Trouble::NoSuchTool { "unknown".to_owned() } else { tool }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_sent_is_neither_done_nor_failed() {
        let not_sent = |in_doubt| Reply::NotSent { reason: "it broke".into(), in_doubt };

        assert_eq!(what_came_of(&Reply::Sent), Kind::Done);
        assert_eq!(what_came_of(&not_sent(false)), Kind::Failed);
        assert_eq!(what_came_of(&not_sent(true)), Kind::TimedOut);
    }

    #[tokio::test]
    async fn the_agent_is_told_of_a_tool_that_panics() {
        let outcome = apart(async { panic!("planted") }).await;

        assert_eq!(outcome.kind, Kind::Failed);
        assert!(outcome.for_the_model.contains("not known whether it was done"), "{}", outcome.for_the_model);
    }

    #[test]
    fn a_tool_that_the_model_made_up_has_no_name() {
        let refused = |trouble| Refused { trouble, for_the_model: String::new() };

        assert_eq!(named("call_ada_lovelace".into(), &refused(Trouble::NoSuchTool)), "unknown");
        assert_eq!(named("take_message".into(), &refused(Trouble::Arguments)), "take_message");
    }
}
