//! An agent's tools: their definitions for the model, the checks of what the model asks for, and the requests of HTTP tools.
//!
//! [`Toolbox::definitions`] go into the model's session, [`Toolbox::read`] checks a tool call before anything is done, and an
//! [`HttpCall`] sends a request to the operator's system. Built-in tools (ending the call, messages, callbacks) are only read
//! here: the owner of the call carries them out.

mod arguments;
mod built_in;
mod config_error;
mod context;
mod http;
mod mcp;
mod outcome;
mod reply;
mod target;
mod tool_use;
mod toolbox;

#[cfg(test)]
mod http_tests;
#[cfg(test)]
mod toolbox_tests;

pub use config_error::ToolConfigError;
pub use context::{AT_ONCE, CallContext};
pub use http::HttpCall;
pub use outcome::{Refused, ToolError, ToolOutcome, ToolOutcomeKind};
pub use tool_use::{Callback, Message, ToolUse};
pub use toolbox::Toolbox;
