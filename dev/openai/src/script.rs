//! What the model says: a greeting, an answer to each turn of the caller, and what follows a tool.

use tone::{Clip, clips};

/// The model's part in the conversation.
#[derive(Debug, Clone)]
pub struct Script {
    /// Said when a response is asked for before the caller's first turn.
    pub greeting: Reply,
    /// The n-th turn gets the n-th answer; the last one repeats. Without any, the greeting does.
    pub answers: Vec<Reply>,
}

/// What the model says at once.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// In the order they are sent.
    pub items: Vec<ReplyItem>,
    /// Said by the response that follows a `function_call_output`; without it, the reply itself is repeated.
    pub after_tool: Option<Box<Reply>>,
}

/// One output item of a response.
#[derive(Debug, Clone)]
pub enum ReplyItem {
    /// A message, spoken.
    Speech(Clip),
    /// A call of one of the session's tools.
    FunctionCall {
        /// The tool.
        name: String,
        /// JSON, as text.
        arguments: String,
    },
}

impl Script {
    /// About a bicycle: greets, says that it is ready, describes the way at length, says when the shop closes.
    pub fn about_bikes() -> Self {
        let answers = [clips::agent_answer(), clips::agent_long(), clips::agent_closing()];
        Self { greeting: Reply::speech(clips::agent_greeting()), answers: answers.map(Reply::speech).into() }
    }

    /// The reply to the caller's n-th turn, or the greeting before the first.
    pub(crate) fn reply(&self, turns: usize) -> &Reply {
        let answer = turns.checked_sub(1).map(|turn| turn.min(self.answers.len().saturating_sub(1)));
        answer.and_then(|turn| self.answers.get(turn)).unwrap_or(&self.greeting)
    }
}

impl Reply {
    /// One spoken message.
    pub fn speech(clip: Clip) -> Self {
        Self { items: vec![ReplyItem::Speech(clip)], after_tool: None }
    }

    /// A tool is called, and once it has answered, `after` is said.
    pub fn call(name: &str, arguments: &str, after: Self) -> Self {
        let call = ReplyItem::FunctionCall { name: name.to_owned(), arguments: arguments.to_owned() };
        Self { items: vec![call], after_tool: Some(Box::new(after)) }
    }

    /// Says something more, or calls something more, in the same response.
    #[must_use]
    pub fn and(mut self, item: ReplyItem) -> Self {
        self.items.push(item);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_turn_gets_its_answer_and_the_last_one_repeats() {
        let script = Script::about_bikes();
        let said = |turns| match &script.reply(turns).items[0] {
            ReplyItem::Speech(clip) => clip.name.clone(),
            ReplyItem::FunctionCall { name, .. } => name.clone(),
        };

        assert_eq!([0, 1, 2].map(said), ["agent-greeting", "agent-answer", "agent-long"]);
        assert_eq!([3, 9].map(said), ["agent-closing", "agent-closing"]);
    }

    #[test]
    fn a_script_without_answers_greets_again() {
        let script = Script { greeting: Reply::default(), answers: vec![] };

        assert!(script.reply(4).items.is_empty());
    }
}
