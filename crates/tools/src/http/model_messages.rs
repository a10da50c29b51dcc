//! The tool output that the model gets when an HTTP tool failed.

use super::HttpCall;
use crate::outcome::{ToolError, ToolOutcome};
use agents::Tools;

impl HttpCall {
    /// Returns the outcome of a failed request, in words that keep the model honest and leave the caller an alternative.
    pub(super) fn failure(&self, failure: ToolError, reason: &str) -> ToolOutcome {
        let cause = match failure {
            ToolError::TooMany => "too many tools are at work at once".to_owned(),
            ToolError::Host | ToolError::Address => "this tool is not set up correctly".to_owned(),
            ToolError::Connection => "the system behind it could not be reached".to_owned(),
            ToolError::Broken => "the connection to the system behind it broke".to_owned(),
            ToolError::Timeout(time) => {
                format!("the system behind it did not answer within {} seconds", time.as_secs_f32())
            }
            ToolError::RedirectFailed => {
                "the system behind it has its answer elsewhere, where it could not be fetched".to_owned()
            }
            ToolError::Status(status) if reason.is_empty() => {
                format!("the system behind it answered {status}")
            }
            ToolError::Status(status) => format!("the system behind it answered {status} (\"{reason}\")"),
            ToolError::NotText => "the system behind it answered with something that is not text".to_owned(),
            ToolError::CallBudget | ToolError::HourBudget | ToolError::DayBudget => {
                "tools were used as often as is allowed for now".to_owned()
            }
            ToolError::NoSuchTool | ToolError::Arguments | ToolError::NoNumber => {
                "it cannot be used like this".to_owned()
            }
        };
        // With 307 and 308 nothing was done, since they want the same request at another URL. 300 to 306 are no final answers to
        // our requests.
        let is_result_unknown = matches!(
            failure,
            ToolError::RedirectFailed
                | ToolError::Timeout(_)
                | ToolError::Broken
                | ToolError::NotText
                | ToolError::Status(300..=306 | 500..)
        );
        // A GET changes nothing, unless its system says by a redirect that it did something.
        let may_change = self.endpoint.method != reqwest::Method::GET || failure == ToolError::RedirectFailed;
        let beginning = if is_result_unknown && may_change {
            format!("It is not known whether it was done, so do not simply do it again: {cause}.")
        } else {
            format!("This did not work: {cause}.")
        };
        let for_the_model = format!(
            "{beginning} Tell the caller so in plain words, and make up no answer.{}",
            self.endpoint.handover_offer
        );
        ToolOutcome { kind: failure.kind(), trouble: Some(failure), for_the_model }
    }
}

/// Returns how the agent can offer to reach a person.
pub(super) fn handover_offer(tools: &Tools) -> &'static str {
    match (tools.take_message, tools.request_callback) {
        (true, true) => " Offer to take a message, or to have someone call back.",
        (true, false) => " Offer to take a message.",
        (false, true) => " Offer to have someone call back.",
        (false, false) => "",
    }
}
