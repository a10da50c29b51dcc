//! The model's part in a whole conversation: a greeting, an answer to each turn of the caller, and replies to particular
//! requests.

use crate::{Reply, ReplyItem};
use sim_audio::clips;
use sim_audio::speech::{Voice, spoken};

/// The model's part in the conversation. It goes on across sessions: what a client replays counts as said.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Said when a response is asked for before anything was said.
    pub greeting: Reply,
    /// The n-th turn gets the n-th answer; the last one repeats. Without any, the greeting does.
    pub answers: Vec<Reply>,
    /// Said when there is nothing to answer: after an idle timeout, or to a caller who has never said a word.
    pub nudge: Reply,
    /// What a response says whose own `instructions` contain the text, whatever else there is to say.
    pub asides: Vec<(String, Reply)>,
    /// What is said when the caller's last turn is a *text* message that contains the text. Such a message is no turn.
    pub on_message: Vec<(String, Reply)>,
    /// Whether instructions that ask for exact words are obeyed to the letter, where the words can be spoken. Default: no.
    pub says_exact_words: bool,
    /// The remote servers whose tools cannot be listed.
    pub unlisted: Vec<String>,
}

impl Script {
    /// Greets, and answers each turn.
    pub fn new(greeting: Reply, answers: impl IntoIterator<Item = Reply>) -> Self {
        let nudge = Reply::speech(clips::agent_nudge());
        Self { greeting, answers: answers.into_iter().collect(), nudge, ..Self::default() }
    }

    /// About a bicycle: greets, says that it is ready, describes the way at length, says when the shop closes.
    pub fn about_bikes() -> Self {
        let answers = [clips::agent_answer(), clips::agent_long(), clips::agent_closing()];
        Self::new(Reply::speech(clips::agent_greeting()), answers.map(Reply::speech))
    }

    /// Says something else in a response whose `instructions` contain `needle`, or the system message at the end of its conversation.
    #[must_use]
    pub fn aside(mut self, needle: &str, reply: Reply) -> Self {
        self.asides.push((needle.to_owned(), reply));
        self
    }

    /// Says something else when the caller's last turn is a text message that contains `needle`.
    #[must_use]
    pub fn on_message(mut self, needle: &str, reply: Reply) -> Self {
        self.on_message.push((needle.to_owned(), reply));
        self
    }

    /// Says exact words that it is asked for, whatever the script has: a recorded sentence, or any text where espeak-ng is installed.
    #[must_use]
    pub fn saying_exact_words(self) -> Self {
        Self { says_exact_words: true, ..self }
    }

    /// The tools of this remote server cannot be listed.
    #[must_use]
    pub fn without_tools_of(mut self, server: &str) -> Self {
        self.unlisted.push(server.to_owned());
        self
    }

    /// The reply to the caller's n-th turn, from 1.
    pub(crate) fn answer(&self, turn: usize) -> &Reply {
        let answer = turn.saturating_sub(1).min(self.answers.len().saturating_sub(1));
        self.answers.get(answer).unwrap_or(&self.greeting)
    }

    /// What is said when told this, if it asks for an aside.
    pub(crate) fn aside_for(&self, instructions: &str) -> Option<&Reply> {
        containing(&self.asides, instructions)
    }

    /// The exact words that instructions ask for, spoken.
    pub(crate) fn exact_words(&self, instructions: &str) -> Option<Reply> {
        let words = Some(instructions).filter(|_| self.says_exact_words).and_then(exact_words)?;
        spoken(Voice::Agent, words).map(Reply::speech)
    }

    /// What is said to this text message, if it asks for something in particular.
    pub(crate) fn reply_to_message(&self, text: &str) -> Option<&Reply> {
        containing(&self.on_message, text)
    }

    /// What follows the result of a tool that an earlier session called in this turn.
    pub(crate) fn after_call(&self, tool: &str, turn: usize) -> Option<&Reply> {
        let answer = self.answer(turn).with_all_that_follows();
        let calling = answer.into_iter().chain(self.replies()).find(|reply| reply.calls(tool));
        calling.and_then(|reply| reply.after(tool))
    }

    /// The tools of a remote server that it uses.
    pub(crate) fn tools_of(&self, server: &str) -> Vec<String> {
        let items = self.replies().into_iter().flat_map(|reply| &reply.items);
        let mut names: Vec<String> = items
            .filter_map(|item| match item {
                ReplyItem::McpCall(call) if call.label == server => Some(call.name.clone()),
                ReplyItem::McpCall(_) | ReplyItem::Speech(_) | ReplyItem::Text(_) => None,
                ReplyItem::FunctionCall { .. } => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn replies(&self) -> Vec<&Reply> {
        let asked = self.asides.iter().chain(&self.on_message).map(|(_, reply)| reply);
        let all = [&self.greeting, &self.nudge].into_iter().chain(&self.answers).chain(asked);
        all.flat_map(Reply::with_all_that_follows).collect()
    }
}

/// The words that follow a request to say exactly them, without quotation marks.
fn exact_words(instructions: &str) -> Option<&str> {
    let (_, request) = instructions.split_once("exactly")?;
    let (_, words) = request.split_once(": ")?;
    Some(words.trim().trim_matches('"'))
}

fn containing<'a>(replies: &'a [(String, Reply)], text: &str) -> Option<&'a Reply> {
    replies.iter().find(|(needle, _)| text.contains(needle.as_str())).map(|(_, reply)| reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::McpCall;

    #[test]
    fn each_turn_gets_its_answer_and_the_last_one_repeats() {
        let script = Script::about_bikes();
        let said = |turn| said(script.answer(turn));

        assert_eq!([1, 2].map(said), ["agent-answer", "agent-long"]);
        assert_eq!([3, 9].map(said), ["agent-closing", "agent-closing"]);
    }

    #[test]
    fn exact_words_are_said_where_the_script_obeys() {
        let asked = format!("Say exactly these words now: \"{}\"", clips::agent_greeting_amina().text);
        let obeys = Script::about_bikes().saying_exact_words();

        assert_eq!(
            obeys.exact_words(&asked).map(|reply| said(&reply)),
            Some("agent-greeting-amina".to_owned())
        );
        assert!(obeys.exact_words("Greet the caller.").is_none());
        assert!(Script::about_bikes().exact_words(&asked).is_none());
    }

    #[test]
    fn a_script_without_answers_greets_again() {
        let script = Script { answers: vec![], ..Script::about_bikes() };

        assert_eq!(said(script.answer(4)), "agent-greeting");
    }

    #[test]
    fn what_follows_a_tool_is_found_wherever_it_is_called() {
        let found = Reply::speech(clips::agent_order());
        let lookup = Reply::call("find_order", "{}", found);
        let script = Script::about_bikes().on_message("427", Reply::call("find_shop", "{}", lookup));

        assert_eq!(script.after_call("find_order", 1).map(said), Some("agent-order".to_owned()));
        assert!(script.after_call("find_shop", 1).is_some_and(|reply| reply.calls("find_order")));
        assert!(script.after_call("end_call", 1).is_none());
    }

    fn said(reply: &Reply) -> String {
        match &reply.items[0] {
            ReplyItem::Speech(clip) | ReplyItem::Text(clip) => clip.name.clone(),
            ReplyItem::FunctionCall { name, .. } | ReplyItem::McpCall(McpCall { name, .. }) => name.clone(),
        }
    }
}
