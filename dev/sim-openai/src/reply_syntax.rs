//! Parses a reply from one line of the command: a sentence, or a tool call and the sentence that follows its result.

use crate::{McpCall, Reply};
use anyhow::{Context, Error, anyhow};
use sim_audio::clips;
use std::str::FromStr;
use std::time::Duration;

/// Between a tool and what is said once it has answered.
const THEN: &str = " -> ";
/// Between the call of a remote server's tool and its output.
const ANSWERS: &str = " = ";
/// How long a remote tool takes: it answers after its response is done.
const TAKES: Duration = Duration::from_millis(500);

/// `agent-answer`; `find_order {"order":"427"} -> agent-order`; `shop.opening_hours {} = 9 to 6 -> agent-closing`.
impl FromStr for Reply {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let Some((call, after)) = line.split_once(THEN) else { return sentence(line) };
        let (tool, arguments) =
            call.split_once(' ').with_context(|| format!("`{call}`: a tool has arguments"))?;
        let after = sentence(after)?;
        let Some((label, name)) = tool.split_once('.') else { return Ok(Self::call(tool, arguments, after)) };
        let (arguments, output) = arguments
            .split_once(ANSWERS)
            .with_context(|| format!("`{call}`: a remote tool's output follows `{ANSWERS}`"))?;
        let call = McpCall {
            label: label.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            answer: Ok(output.to_owned()),
            takes: TAKES,
        };
        Ok(Self::mcp(call, after))
    }
}

fn sentence(name: &str) -> Result<Reply, Error> {
    clips::named(name).map(Reply::speech).ok_or_else(|| anyhow!("there is no recording `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplyItem;

    #[test]
    fn a_line_is_a_sentence_or_a_tool_and_what_follows() {
        let read = |line: &str| line.parse::<Reply>().expect("it is one");

        assert!(
            matches!(&read("agent-answer").items[..], [ReplyItem::Speech(clip)] if clip.name == "agent-answer")
        );

        let call = read(r#"find_order {"order":"427"} -> agent-order"#);
        assert!(call.calls("find_order"));
        assert!(
            matches!(&call.items[..], [ReplyItem::FunctionCall { arguments, .. }] if arguments == r#"{"order":"427"}"#)
        );
        assert!(call.after("find_order").is_some());

        let remote = read("shop.opening_hours {} = 9 to 6 -> agent-closing");
        let [ReplyItem::McpCall(call)] = &remote.items[..] else { panic!("{remote:?}") };
        assert_eq!([&call.label, &call.name, &call.arguments], ["shop", "opening_hours", "{}"]);
        assert_eq!(call.answer, Ok("9 to 6".to_owned()));
        assert!(remote.after("opening_hours").is_some());
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        for line in
            ["agent-poem", "find_order -> agent-order", "shop.opening_hours {} -> agent-closing", "a {} -> b"]
        {
            assert!(line.parse::<Reply>().is_err(), "{line}");
        }
    }
}
