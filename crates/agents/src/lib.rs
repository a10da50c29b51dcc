//! The agent file: what an operator writes about an agent in TOML, read into a value that needs no more checking.
//!
//! [`Agent::read`] does it all. What is wrong comes as one [`Wrong`], which names line and field, and never says anything
//! that may be secret or personal. A minimal file is a name, instructions and a greeting; `agents/README.md` lists every key.

mod agent;
mod caps_and_keeping;
mod conversation;
mod default_phrases;
mod error;
mod file_format;
mod instructions;
mod key_positions;
mod messages;
mod opening_hours;
mod push_rules;
mod rules;
mod secrets;
mod tools;

pub use agent::{Agent, LARGEST};
pub use caps_and_keeping::{Caps, Keeping};
pub use conversation::{Greeting, Interruption, Keypad, Limits, Words};
pub use default_phrases::{apology, languages, leaving};
pub use error::AgentFileError;
pub use messages::Messages;
pub use opening_hours::OpeningHours;
pub use push_rules::NOT_AT_THE_TOP;
pub use realtime::Options;
pub use tools::{HttpTool, McpServer, Method, Tools};
