//! What stories are told with: the whole product as real processes; Meta, the model and AWS simulated around it.
//!
//! - [`Story`]: a stage on which calls happen, and what is known of them afterwards.
//! - [`Caller`]: a caller who rings, talks and hangs up.
//! - [`collector`]: an OTLP receiver.
//! - [`doors`]: requests at a media task's door, written by hand.
//! - [`letter`]: webhooks written by hand.
//! - [`privacy`]: what no program may write.
//! - [`program`]: one program of the product, alone.
//! - [`scripted_model`]: a model that plays what a service was seen to do.
//! - [`story`]: where stories happen, by parts.

mod caller;
pub mod collector;
mod conversation;
pub mod doors;
pub mod flood;
pub mod letter;
mod logged;
pub mod privacy;
pub mod program;
pub mod scripted_model;
pub mod story;

pub use caller::{Afterwards, Caller};
pub use conversation::{looking_up, looks_up, monologue_of, using};
pub use story::{Kill, Scene, Story};
