//! The whole product on this machine: real functions and a real media task as child processes, on a local AWS.
//!
//! - [`stack`]: the product, with AWS played by `dev/sim-aws`.
//! - [`call`]: one call through it, from ring to hang-up, by a simulated caller and a simulated model.
//! - [`shop`]: the business's own system, which the agent asks.
//! - [`mod@bench`]: how fast the webhook and the conversation are.
//! - [`load`]: many calls at once, and what they cost the media task.
//! - [`chaos`]: many calls at once while everything goes wrong that can.
//! - [`interop`]: callers of other make, as each of them offers.
//! - [`quality`]: how speech sounds, and whether calls go on, through real networks.
//! - [`clock_skew`]: a program whose clock is wrong.
//! - [`saved_calls`]: what a rehearsal leaves for `ahoy` to look at.
//! - [`serve`]: the product alone, for callers and models from outside.

pub mod bench;
pub mod binaries;
pub mod call;
pub mod chaos;
pub mod clock_skew;
pub mod interop;
pub mod load;
pub mod metronome;
pub mod quality;
pub mod saved_calls;
pub mod serve;
pub mod shop;
pub mod stack;
pub mod stage;

pub use call::{Outcome, Rehearsal};
pub use stack::{Stack, StackConfig};
