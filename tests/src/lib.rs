//! What stories are told with: the whole product as real processes; Meta, the model and AWS simulated around it.
//!
//! - [`Story`]: a stage on which calls happen, and what is known of them afterwards.
//! - [`Caller`]: a caller who rings, talks and hangs up.
//! - [`trace_receiver`]: an OTLP receiver.
//! - [`raw_control_api`]: control API requests, written byte by byte.
//! - [`raw_webhook`]: webhooks, written by hand.
//! - [`privacy_scan`]: what no program may write.
//! - [`program`]: one program of the product, alone.
//! - [`scripted_model`]: a model that plays what a service was seen to do.
//! - [`story`]: where stories happen, by parts.

mod caller;
pub mod connection_flood;
mod conversation;
pub mod privacy_scan;
pub mod program;
mod program_logs;
pub mod raw_control_api;
pub mod raw_webhook;
pub mod scripted_model;
pub mod story;
pub mod trace_receiver;

pub use caller::{Afterwards, Caller};
pub use conversation::{looking_up, looks_up, monologue_of, using};
pub use story::{Kill, Scene, Story};
