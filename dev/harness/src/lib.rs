//! The test harness: the whole product as real processes, with Meta, the model and AWS simulated around it.
//!
//! - [`testbed`]: the product with its simulated surroundings.
//! - [`rehearsal`]: one call through it, from ring to hang-up, judged.
//! - [`telephone`]: the SIP line of a testbed.
//! - [`injected_fault`]: faults by name.
//! - [`story`]: calls with injected faults, and what is known of them afterwards.
//! - [`stored_calls`], [`saved_calls`]: what the table holds of calls, now and after a rehearsal.
//! - [`trace_receiver`], [`scripted_model`]: counterparts of the product besides the simulators.
//! - [`raw_webhook`], [`raw_openai_event`], [`raw_control_api`], [`connection_flood`]: requests written by hand.
//! - [`program`], [`clock_skew`]: one program alone, and one whose clock is wrong.
//! - [`command_line`]: what the commands of rehearsals, suites and benches share.
//! - [`privacy_scan`]: what no program may write.
//! - [`wakeup_probe`]: whether this machine could keep time.

pub mod clock_skew;
pub mod command_line;
pub mod connection_flood;
pub mod injected_fault;
pub mod privacy_scan;
pub mod program;
pub mod raw_control_api;
pub mod raw_openai_event;
pub mod raw_webhook;
pub mod rehearsal;
pub mod saved_calls;
pub mod scripted_model;
pub mod stored_calls;
pub mod story;
pub mod telephone;
pub mod testbed;
pub mod trace_receiver;
pub mod wakeup_probe;

pub use injected_fault::InjectedFault;
pub use rehearsal::{Outcome, TelephoneCall};
pub use story::{
    AfterTelephone, Afterwards, Caller, Kill, Story, StoryBuilder, TelephoneCaller, looking_up, looks_up,
    monologue_of, using,
};
pub use testbed::{Testbed, TestbedConfig};
