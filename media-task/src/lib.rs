//! The media task: holds calls. Each call has one owner, which joins a WebRTC peer, a bridge and an agent.
//!
//! | module | what it does |
//! |---|---|
//! | [`door`] | takes call-control's requests: TLS to a certificate of its own, a seal on each |
//! | [`calls`] | which calls this task has, and whether there is room for more |
//! | [`load`] | how late frames are sent, in all calls together: whether there is room in truth |
//! | [`call`] | the owner of one call: one loop over everything that can happen in it |
//! | [`peer`], [`offer`], [`answer`] | WebRTC, and SDP as WhatsApp wants it |
//! | [`datagram`] | what a datagram shows without any key |
//! | [`codec`] | Opus, both ways |
//! | [`roster`] | who can answer: agent files, read once |
//! | [`agent`] | the model behind the agent |
//! | [`minutes`], [`apology`] | who said what; what is said when nobody can |
//! | [`heartbeat`] | keeps the lease, and sees which calls are overdue |
//! | `ticks` | ticks those, one after the other |
//! | [`diary`] | writes the journals of calls and what was said, without making anybody wait |
//! | [`ecs`], [`protection`] | what ECS tells the task about itself, and how it is kept from stopping it |
//! | [`address`] | where the world reaches this task |
//! | [`tenure`] | how long a task stays, if nobody tells it to leave |
//! | [`health`], [`healthcheck`] | answers and asks, in the same container, whether the task is alive |
//! | `private_door` | where the door is for call-control in the same VPC |

pub mod active_calls;
pub mod agent_cache;
pub mod answer;
pub mod codec;
pub mod control_api;
pub mod datagram;
pub mod drain_policy;
pub mod ecs;
pub mod health;
pub mod healthcheck;
pub mod heartbeat;
pub mod journal_writer;
pub mod lateness_meter;
pub mod model;
pub mod offer;
pub mod outage_message;
mod overdue_ticks;
mod private_address;
pub mod public_address;
pub mod session;
mod settings;
mod task;
pub mod task_protection;
pub mod transcript;
pub mod webrtc;

pub use settings::{MediaSecret, ModelSettings, Settings};
pub use task::run;
