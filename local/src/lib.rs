//! The product on this machine: its real functions and media tasks as child processes, on a simulated AWS.
//!
//! - [`stack`]: starts the product and stops it.
//! - [`serve`]: `make serve`, the product alone, for callers and models from outside.
//! - [`binaries`]: the product's programs, built and found.
//! - [`eventually()`]: waits for state that sends no notification.

pub mod binaries;
mod eventually;
pub mod serve;
pub mod stack;

pub use binaries::{Binaries, root};
pub use eventually::{eventually, eventually_every};
pub use stack::{Stack, StackConfig};
