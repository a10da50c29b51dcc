//! What the product is measured by: figures, each with its start, its stop and its limit.

mod figure;
mod floor;
mod ready;
mod turns;
mod webhook;

pub use figure::Figure;
pub use floor::{Cost, Floor};
pub use ready::ReadyBench;
pub use turns::TurnsBench;
pub use webhook::WebhookBench;
