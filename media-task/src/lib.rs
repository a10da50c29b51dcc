//! The media task: holds calls. Each call has one [`session`], which joins a WebRTC peer, an audio bridge and an agent.
//!
//! | module | what it does |
//! |---|---|
//! | `control_api` | takes call-control's requests over TLS, and verifies their signatures |
//! | [`active_calls`] | the calls this task has, and whether it has room for more |
//! | [`lateness_meter`] | how late frames are sent, in all calls together: whether the machine is overloaded |
//! | [`session`] | the owner of one call: one loop over everything that can happen in it |
//! | [`webrtc`], [`offer`], [`answer`] | the WebRTC peer, and SDP as WhatsApp needs it |
//! | [`datagram`] | what a datagram shows without any key |
//! | [`codec`] | Opus, both ways |
//! | [`agent_cache`] | agent files, read once |
//! | [`model`] | the model behind the agent |
//! | [`transcript`], [`outage_message`] | who said what; what the caller hears while the model is unreachable |
//! | `heartbeat` | renews the lease and task protection, and finds overdue calls |
//! | `overdue_ticks` | ticks overdue calls, one after the other |
//! | [`journal_writer`] | writes journals, transcripts and summaries, without making a call wait |
//! | [`ecs`], [`task_protection`] | ECS's metadata, and the protection that keeps ECS from stopping a task with calls |
//! | `public_address`, `private_address` | the addresses of media and of the control API |
//! | `drain_policy` | when a task stops taking calls for a newer one, and when it exits |
//! | `health`, [`health_probe`] | answers and runs the container's health check |

pub mod active_calls;
pub mod agent_cache;
pub mod answer;
pub mod codec;
mod control_api;
pub mod datagram;
mod drain_policy;
pub mod ecs;
mod health;
pub mod health_probe;
mod heartbeat;
pub mod journal_writer;
pub mod lateness_meter;
pub mod model;
pub mod offer;
pub mod outage_message;
mod overdue_ticks;
mod private_address;
mod public_address;
pub mod session;
mod settings;
mod task;
pub mod task_protection;
pub mod transcript;
pub mod webrtc;

pub use settings::{MediaSecret, ModelSettings, Settings};
pub use task::run;
