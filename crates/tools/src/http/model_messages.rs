//! Tells the model of a use that brought no answer.

use super::HttpCall;
use crate::outcome::{ToolError, ToolOutcome};
use agents::Tools;

impl HttpCall {
    /// What became of it, in words that keep the model honest and leave the caller a way.
    pub(super) fn trouble(&self, trouble: ToolError, reason: &str) -> ToolOutcome {
        let what = match trouble {
            ToolError::TooMany => "too many tools are at work at once".to_owned(),
            ToolError::Host | ToolError::Address => "this tool is not set up correctly".to_owned(),
            ToolError::Connection => "the system behind it could not be reached".to_owned(),
            ToolError::Broken => "the connection to the system behind it broke".to_owned(),
            ToolError::Late(time) => {
                format!("the system behind it did not answer within {} seconds", time.as_secs_f32())
            }
            ToolError::AnswerElsewhere => {
                "the system behind it has its answer elsewhere, where it could not be fetched".to_owned()
            }
            ToolError::Status(status) if reason.is_empty() => {
                format!("the system behind it answered {status}")
            }
            ToolError::Status(status) => format!("the system behind it answered {status} (\"{reason}\")"),
            ToolError::NotText => "the system behind it answered with something that is not text".to_owned(),
            ToolError::CallBudget | ToolError::HourBudget => {
                "tools were used as often as is allowed for now".to_owned()
            }
            ToolError::NoSuchTool | ToolError::Arguments | ToolError::NoNumber => {
                "it cannot be used like this".to_owned()
            }
        };
        // 307 and 308 want the same request elsewhere: there, nothing was done. 304 and its like are no answers to a request of ours.
        let is_open = matches!(
            trouble,
            ToolError::AnswerElsewhere
                | ToolError::Late(_)
                | ToolError::Broken
                | ToolError::NotText
                | ToolError::Status(300..=306 | 500..)
        );
        // A GET changes nothing, as long as its system does not say that it did something.
        let may_change =
            self.endpoint.method != reqwest::Method::GET || trouble == ToolError::AnswerElsewhere;
        let begins = if is_open && may_change {
            format!("It is not known whether it was done, so do not simply do it again: {what}.")
        } else {
            format!("This did not work: {what}.")
        };
        let for_the_model = format!(
            "{begins} Tell the caller so in plain words, and make up no answer.{}",
            self.endpoint.way_out
        );
        ToolOutcome { kind: trouble.kind(), trouble: Some(trouble), for_the_model }
    }
}

/// Which way to a person the agent can offer.
pub(super) fn way_out(tools: &Tools) -> &'static str {
    match (tools.take_message, tools.request_callback) {
        (true, true) => " Offer to take a message, or to have someone call back.",
        (true, false) => " Offer to take a message.",
        (false, true) => " Offer to have someone call back.",
        (false, false) => "",
    }
}
