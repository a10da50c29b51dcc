//! The agent file: what an operator writes about an agent in TOML, read into a value that needs no more checking.
//!
//! [`Agent::read`] does it all. What is wrong comes as one [`Wrong`], which names line and field, and never says anything
//! that may be secret or personal. A minimal file is a name, instructions and a greeting; `agents/README.md` lists every key.

mod agent;
mod conversation;
mod duties;
mod hours;
mod keeping;
mod languages;
mod messages;
mod places;
mod rules;
mod secrets;
mod stricter;
mod tools;
mod written;
mod wrong;

pub use agent::{Agent, LARGEST};
pub use conversation::{Greeting, Interruption, Keypad, Limits, Words};
pub use hours::Hours;
pub use keeping::{Caps, Keeping};
pub use languages::{apology, languages, leaving};
pub use messages::Messages;
pub use realtime::Options;
pub use stricter::NOT_AT_THE_TOP;
pub use tools::{HttpTool, McpServer, Method, Tools};
pub use wrong::Wrong;
