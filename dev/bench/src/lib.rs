//! Benches of the product: figures, each with its start, its stop and its limit.
//!
//! - [`Floor`]: the CPU time of a call's traffic alone.
//! - [`ReadyBench`]: how soon a media task is ready.
//! - [`WebhookBench`], [`TurnsBench`]: the latency of the webhook and of the conversation.
//! - [`load`]: many calls at once, and what they cost the media task.

mod figure;
mod floor;
pub mod load;
mod ready;
mod turns;
mod webhook;

pub use figure::Figure;
pub use floor::{Cost, Floor};
pub use ready::ReadyBench;
pub use turns::TurnsBench;
pub use webhook::WebhookBench;
