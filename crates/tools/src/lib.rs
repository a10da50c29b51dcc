//! What an agent can do besides talking: its tools as the model is told of them, and each use of one, checked and done.
//!
//! [`Toolbox::definitions`] go into the model's session, [`Toolbox::read`] checks what the model asks for before
//! anything is done, and an [`HttpCall`] asks the operator's own system. What is built in (ending the call, messages,
//! callbacks) is only read here: whoever owns the call does it.

mod arguments;
mod built_in;
mod context;
mod http;
mod mcp;
mod outcome;
mod public_address;
mod reply;
pub mod signature;
mod target;
mod toolbox;

#[cfg(test)]
mod http_tests;
#[cfg(test)]
mod toolbox_tests;

pub use arguments::LARGEST_ARGUMENTS;
pub use built_in::{Callback, Message};
pub use context::{AT_ONCE, CallContext};
pub use http::HttpCall;
pub use outcome::{Refused, ToolError, ToolOutcome, ToolOutcomeKind};
pub use toolbox::{ToolConfigError, ToolUse, Toolbox};
