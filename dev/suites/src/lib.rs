//! Suites of whole calls, users of the harness.
//!
//! - [`chaos`]: many calls at once under injected faults and kills.
//! - [`interop`]: third-party callers, each with its own offers.
//! - [`network`]: speech quality and survival of calls through real networks.

pub mod chaos;
pub mod interop;
pub mod network;
