//! The agent file: parses and validates the TOML in which an operator describes an agent.
//!
//! [`Agent::read`] returns the agent, or the first [`AgentFileError`] with its line and field, which never contains
//! secrets or personal data. A minimal file has a name, instructions and a greeting; `agents/README.md` lists every
//! key.

mod after;
mod agent;
mod agent_file;
mod caps_and_keeping;
mod conversation;
mod default_phrases;
mod error;
mod file_format;
mod filled;
mod instructions;
mod key_positions;
mod lookup;
mod messages;
mod opening_hours;
mod placeholders;
mod push_rules;
mod rules;
mod secrets;
mod tools;
mod transfer;
mod variables;

pub use after::{After, AfterEvent, Extract};
pub use agent::Agent;
pub use caps_and_keeping::{Caps, Keeping};
pub use conversation::{Greeting, Interruption, Keypad, Limits, Words};
pub use default_phrases::{apology, languages, leaving};
pub use error::AgentFileError;
pub use file_format::is_language_tag;
pub use lookup::Lookup;
pub use messages::Messages;
pub use opening_hours::OpeningHours;
pub use push_rules::NOT_AT_THE_TOP;
pub use realtime::Options;
pub use rules::LARGEST;
pub use tools::{HttpTool, McpServer, Method, TRANSFER_CALL, Tools};
pub use transfer::{Transfer, TransferTarget};
pub use variables::Variables;
