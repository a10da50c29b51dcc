//! The media task: holds calls. Each call has one `session`, which joins a WebRTC peer, an audio bridge and an agent.
//!
//! | module | what it does |
//! |---|---|
//! | `task` | boots, holds calls, drains, exits |
//! | `control_api` | takes call-control's requests over TLS, and verifies their signatures |
//! | `active_calls` | the calls this task has, and whether it has room for more |
//! | `session` | the owner of one call: one loop over everything that can happen in it |
//! | `sideband` | the owner of one call whose sound OpenAI carries |
//! | `agent_side` | what both owners share: the agent's side of a call |
//! | `acceptance` | when a ringing call may be accepted, and the requests to do so |
//! | `asking` | asks call-control, a second time if the first fails |
//! | `session_command` | the commands to a running call |
//! | [`webrtc`] | the WebRTC peer, and SDP as WhatsApp needs it |
//! | [`codec`] | Opus, both ways |
//! | `model` | the model behind the agent |
//! | [`lifecycle`] | the heartbeat, task protection, drain and health of the task |
//! | `agent_cache` | agent files, read once |
//! | `call_agent` | the agent of one call, as it talks to this caller |
//! | `caller_lookup` | asks the business's system who calls |
//! | [`journal_writer`] | writes journals, transcripts and summaries, without making a call wait |
//! | `lateness_meter` | how late frames are sent, in all calls together: whether the machine is overloaded |

mod acceptance;
mod active_calls;
mod agent_cache;
mod agent_side;
mod asking;
mod call_agent;
mod caller_lookup;
pub mod codec;
mod control_api;
pub mod journal_writer;
mod lateness_meter;
pub mod lifecycle;

mod model;
mod session;
mod session_command;
mod settings;
mod sideband;
mod task;
pub mod webrtc;

pub use settings::{MediaSecret, ModelSettings, Settings};
pub use task::run;
