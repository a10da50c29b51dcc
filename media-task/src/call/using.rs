//! The tools that are in use in one call. Each runs beside the call; the owner hears of its end.

use super::{Owner, ms};
use crate::diary::Left;
use journal::Event;
use ledger::CallControl;
use protocol::order::{Order, Reply};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tools::{AT_ONCE, CallContext, Kind, Outcome, Use};

/// Call-control waits for Meta this long at most.
const MESSAGE_TAKES: Duration = Duration::from_secs(20);

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
        self.using.count += 1;
        self.summary.tools += 1;
        self.bridge.note_busy(true, now);
        let used = |outcome, speaks| Used {
            call_id: call_id.clone(),
            tool: tool.clone(),
            began: now,
            speaks,
            outcome,
        };
        match self.parts.role.toolbox.read(&tool, arguments) {
            Err(refused) => self.answer_tool(used(refused.into(), true), now),
            // There is nothing more to say: the last words were said before.
            Ok(asked @ Use::EndCall) => {
                self.answer_tool(used(told(&asked, true), false), now);
                self.hang_up_after_this(now);
            }
            Ok(asked) => self.begin(asked, call_id, tool, now),
        }
    }

    /// A tool has answered: the agent is told, and speaks about it.
    pub(super) fn answer_tool(&mut self, used: Used, now: Instant) {
        let Used { call_id, tool, began, speaks, outcome } = used;
        self.using.count -= 1;
        if self.using.count == 0 {
            self.bridge.note_busy(false, now);
        }
        self.summary.tools_done += u64::from(outcome.kind == Kind::Done);
        if let Some(trouble) = &outcome.trouble {
            tracing::warn!(call_ref = self.parts.call_ref, tool, "A tool did not do it: {trouble}");
        }
        self.note(Event::Tool { tool, took_ms: ms(now - began), outcome: outcome.kind.as_str().to_owned() });
        self.parts.agent.answer_tool(&call_id, &outcome.for_the_model, speaks, now);
    }

    /// Runs a tool beside the call. Should the call end meanwhile, what was begun is still done.
    fn begin(&mut self, asked: Use, call_id: String, tool: String, began: Instant) {
        if matches!(asked, Use::TakeMessage(_) | Use::RequestCallback(_)) {
            self.summary.wants_an_answer = true;
        }
        let hands = Hands {
            context: self.using.context.clone(),
            control: self.parts.control.clone(),
            fence: self.parts.fence,
            left: self.parts.diary.left_by(
                &self.parts.call_ref,
                self.summary.tools,
                self.parts.role.agent.keeping.days,
            ),
        };
        let ended = self.using.ended.0.clone();
        tokio::spawn(async move {
            let outcome = hands.run(asked).await;
            // Nobody waits for it once the call is over.
            let _ = ended.send(Used { call_id, tool, began, speaks: true, outcome }).await;
        });
    }
}

/// What a tool is carried out with.
struct Hands {
    context: Arc<CallContext>,
    control: CallControl,
    fence: u64,
    left: Left,
}

impl Hands {
    async fn run(self, asked: Use) -> Outcome {
        let asked = match asked {
            Use::Http(call) => return call.run(&self.context).await,
            built_in => built_in,
        };
        let is_done = match &asked {
            Use::EndCall | Use::Http(_) => true,
            Use::SendMessage { text } => self.send(text.clone()).await,
            Use::TakeMessage(message) => self.store("message", message).await,
            Use::RequestCallback(callback) => self.store("callback", callback).await,
        };
        told(&asked, is_done)
    }

    async fn send(&self, text: String) -> bool {
        let order = Order::SendMessage { call_ref: self.context.call_ref.clone(), fence: self.fence, text };
        match tokio::time::timeout(MESSAGE_TAKES, self.control.ask(&order)).await {
            Ok(Ok(Reply::Sent)) => true,
            // Call-control says in the journal what was wrong.
            Ok(Ok(Reply::NotSent { .. } | Reply::Open { .. } | Reply::Wait | Reply::Over) | Err(_))
            | Err(_) => false,
        }
    }

    async fn store(&self, kind: &str, what: &impl serde::Serialize) -> bool {
        let stored = self.left.store(kind, what).await;
        if let Err(error) = &stored {
            tracing::error!(
                call_ref = self.context.call_ref,
                "What a caller left for people is lost: {error:#}"
            );
        }
        stored.is_ok()
    }
}

/// What the agent is told of a built-in tool.
fn told(asked: &Use, is_done: bool) -> Outcome {
    let kind = if is_done { Kind::Done } else { Kind::Failed };
    Outcome { kind, trouble: None, for_the_model: asked.reply(is_done).unwrap_or_default().to_owned() }
}
